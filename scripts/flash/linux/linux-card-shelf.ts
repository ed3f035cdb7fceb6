import { constants, readFileSync, statSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import koffi from 'koffi';
import type { Card, CardShelf, OpenCard } from '../card.ts';
import { cardError } from '../errors.ts';
import { fileCard, OpenFile, openFileCard } from '../file-card.ts';
import { type LinuxFacts, linuxCard, linuxCards } from './linux-cards.ts';

/** `_IO(0x12, 127)` of linux/fs.h: start and length follow as two numbers of 64 bits. */
const blkZeroOut = 0x127f;

/** The disks of Linux, by sysfs and the kernel's own lock on a disk. */
export class LinuxCardShelf implements CardShelf {
  async cards(): Promise<readonly Card[]> {
    return linuxCards(readFacts());
  }

  async find(path: string): Promise<Card> {
    let stats: ReturnType<typeof statSync>;
    try {
      stats = statSync(path);
    } catch (cause) {
      return fileCard(path, undefined, cause);
    }
    if (!stats.isBlockDevice()) return fileCard(path, stats);
    const card = linuxCard(numberOf(stats.rdev), readFacts());
    if (card === undefined) throw cardError({ code: 'ENXIO' }, path);
    return card;
  }

  async open(card: Card): Promise<OpenCard> {
    if (card.kind === 'file') return openFileCard(card.path);
    const { O_RDWR, O_RDONLY, O_EXCL, O_DIRECT } = constants;
    // On a disk O_EXCL means: by nobody else, no mount included.
    const writer = await openDirect(card.path, O_RDWR | O_EXCL, O_DIRECT);
    const reader = await openDirect(card.path, O_RDONLY, O_DIRECT);
    return new LinuxCard(card, writer.handle, reader.handle, reader.isDirect);
  }
}

class LinuxCard extends OpenFile {
  readonly #card: Card;
  readonly #writer: FileHandle;

  constructor(card: Card, writer: FileHandle, reader: FileHandle, readsMedium: boolean) {
    super(card.path, writer, reader, readsMedium);
    this.#card = card;
    this.#writer = writer;
  }

  override async zero(bytes: number): Promise<boolean> {
    // Where the device cannot, the kernel would write zeros: no faster than we, and in silence.
    if (!this.#card.zeroesItself) return false;
    const range = BigUint64Array.of(0n, BigInt(bytes));
    const ioctl = koffi.load('libc.so.6').func('int ioctl(int, unsigned long, void *)');
    const { promise, resolve } = Promise.withResolvers<boolean>();
    ioctl.async(this.#writer.fd, blkZeroOut, range, (error: unknown, result: number) =>
      resolve(error === null && result === 0),
    );
    return promise;
  }
}

/** Past the computer's memory where the system lets us: then what is read comes from the card itself. */
async function openDirect(
  path: string,
  flags: number,
  direct: number,
): Promise<{ readonly handle: FileHandle; readonly isDirect: boolean }> {
  try {
    return { handle: await open(path, flags | direct), isDirect: true };
  } catch (cause) {
    if ((cause as { code?: unknown }).code !== 'EINVAL') throw cardError(cause, path);
  }
  try {
    return { handle: await open(path, flags), isDirect: false };
  } catch (cause) {
    throw cardError(cause, path);
  }
}

function readFacts(): LinuxFacts {
  return { sysfs: '/sys', mountInfo: read('/proc/self/mountinfo'), swaps: read('/proc/swaps') };
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return ''; // A kernel without swap has no list of it.
  }
}

/** glibc's makedev, as st_rdev has it. */
function numberOf(device: number): string {
  const major = Math.floor(device / 256) % 4096;
  const minor = (device % 256) + Math.floor(device / 2 ** 20) * 256;
  return `${major}:${minor}`;
}
