import { closeSync, fstatSync, openSync, readSync, rmSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { indexReadAheadBytesMax } from '../base/limits.ts';

/** Where the fields of an LMDB meta page (data format 2) are; integers are in the byte order of the machine. */
const layout = { magic: 24, version: 28, pageBytes: 48, lastPage: 144, transaction: 152, end: 160 };
const magic = 0xbeefc0de;
const dataVersion = 2;
const pageBytesMin = 4096;

/**
 * Removes a store whose file LMDB could not open without crashing the process: it maps the file into memory and
 * believes what it finds, so that a file cut short ends in SIGBUS and one of other bytes in SIGSEGV. What we keep in
 * LMDB is derived and made again. Damage deeper inside is not found. True when something was removed.
 */
export function removeDamagedStore(path: string): boolean {
  const file = join(path, 'data.mdb');
  if (looksWhole(file)) return false;
  for (const name of [file, join(path, 'lock.mdb')]) rmSync(name, { force: true });
  return true;
}

/**
 * Reads the file of a store, up to `indexReadAheadBytesMax` of it, in another thread. LMDB looks things up in the
 * caller's, which stands still while the disk finds a page; what is read here is in memory already, and a disk that hangs
 * is found out before anybody stands still. Errors: those of the operating system.
 */
export async function readAhead(path: string): Promise<void> {
  const file = await open(join(path, 'data.mdb'), 'r').catch((error: unknown) => {
    if ((error as { code?: string }).code === 'ENOENT') return undefined;
    throw error;
  });
  if (file === undefined) return;
  try {
    const buffer = Buffer.allocUnsafe(readAheadStepBytes);
    for (let position = 0; position < indexReadAheadBytesMax; ) {
      const { bytesRead } = await file.read(buffer, 0, buffer.length, position);
      if (bytesRead === 0) return;
      position += bytesRead;
    }
  } finally {
    await file.close();
  }
}

const readAheadStepBytes = 1024 * 1024;

/** Also when there is no file yet, or an empty one. Errors: those of the operating system. */
function looksWhole(path: string): boolean {
  let file: number;
  try {
    file = openSync(path, 'r');
  } catch (error) {
    if ((error as { code?: string }).code === 'ENOENT') return true;
    throw error;
  }
  try {
    const { size } = fstatSync(file);
    if (size === 0) return true;
    const first = readMeta(file, 0);
    const second = first && readMeta(file, first.pageBytes);
    if (first === undefined || second === undefined) return false;
    // The newer one is in force; the older one's pages may have been given up since.
    const { lastPage } = first.transaction > second.transaction ? first : second;
    return BigInt(size) >= (lastPage + 1n) * BigInt(first.pageBytes);
  } finally {
    closeSync(file);
  }
}

function readMeta(file: number, position: number) {
  const page = Buffer.alloc(layout.end);
  if (readSync(file, page, 0, layout.end, position) < layout.end) return undefined;
  const pageBytes = page.readUInt32LE(layout.pageBytes);
  const known =
    page.readUInt32LE(layout.magic) === magic && (page.readUInt32LE(layout.version) & 0xffff) === dataVersion;
  if (!known || pageBytes < pageBytesMin) return undefined;
  return {
    pageBytes,
    lastPage: page.readBigUInt64LE(layout.lastPage),
    transaction: page.readBigUInt64LE(layout.transaction),
  };
}
