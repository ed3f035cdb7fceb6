import { closeSync, type Dirent, openSync, readdirSync, readFileSync, readSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** Length of the runs that are looked for. */
export const runBytes = 16;

/**
 * Runs with fewer distinct bytes than this are not looked for: zero padding, a row of dashes, two 64-bit page numbers
 * are in every program and every database, whatever was put into them. Of 16 encrypted bytes 15 or 16 are distinct,
 * of 16 letters of English 9 to 12, and a file that leaks has many runs.
 */
export const distinctBytesMin = 8;

export interface LeakSearch {
  readonly sourceBytes: number;
  readonly targetBytes: number;
  /** Runs of the targets that the filter let through and that were then compared byte by byte. */
  readonly candidates: number;
  /** Different runs found that are in the exempt files as well. */
  readonly exempted: number;
  readonly leaks: readonly Leak[];
  readonly seconds: number;
}

export interface Leak {
  readonly run: Buffer;
  readonly source: string;
  readonly target: string;
  readonly targetOffset: number;
}

/**
 * Every run of 16 bytes, at any offset, that is in a regular file below `sources` and in one below `targets`; at
 * most {@link leaksMax}. Runs that are in a file below `exempt` too are left out.
 *
 * All runs of the sources go into a Bloom filter (at most 512 MiB). The targets' runs that pass it are collected
 * with their 16 bytes, and the sources are read again to compare: nothing is missed, nothing is guessed. Files
 * that change or vanish meanwhile are taken as they were when read.
 */
export function findLeaks(
  sources: readonly string[],
  targets: readonly string[],
  exempt: readonly string[] = [],
): LeakSearch {
  const startedMs = performance.now();
  const sourceFiles = sources.flatMap(regularFiles);
  const targetFiles = targets.flatMap(regularFiles);
  const sourceBytes = sourceFiles.reduce((sum, path) => sum + sizeOf(path), 0);
  const filter = new RunFilter(sourceBytes);
  for (const path of sourceFiles) forEachBlock(path, (block) => filter.add(block));

  const exemptBytes = Buffer.concat(exempt.flatMap(regularFiles).map((path) => readFileSync(path)));
  const found = new Map<string, Leak>();
  let targetBytes = 0;
  let candidates = 0;
  const exempted = new Set<string>();
  const table = new CandidateTable();

  const compare = () => {
    if (table.size === 0) return;
    for (const path of sourceFiles) {
      forEachBlock(path, (block) =>
        table.match(block, (run, target, targetOffset) => {
          const key = run.toString('latin1');
          if (found.has(key) || found.size >= leaksMax) return;
          if (exempted.has(key)) return;
          if (exemptBytes.includes(run)) exempted.add(key);
          else found.set(key, { run, source: path, target: targetFiles[target]!, targetOffset });
        }),
      );
    }
    candidates += table.size;
    table.clear();
  };

  for (const [index, path] of targetFiles.entries()) {
    targetBytes += forEachBlock(path, (block) => {
      filter.pass(block, (at) => table.add(block, at, index));
      if (table.isFull) compare();
    });
    if (found.size >= leaksMax) break;
  }
  compare();
  const seconds = (performance.now() - startedMs) / 1000;
  return {
    sourceBytes,
    targetBytes,
    candidates,
    exempted: exempted.size,
    leaks: [...found.values()],
    seconds,
  };
}

/** More than this many different runs need no list: something is badly wrong. */
export const leaksMax = 1000;

/** Part of a file with the two hashes of each run that begins in it. */
interface Block {
  readonly bytes: Buffer;
  readonly view: DataView;
  readonly fileOffset: number;
  /** How many runs begin here; run `i` is `bytes[i .. i + 16)`. */
  readonly runs: number;
  readonly hashA: Int32Array;
  readonly hashB: Int32Array;
}

const blockBytes = 64 * 1024;
const readBytes = 64 * blockBytes;

/** Calls `visit` for the file's blocks, which share their last and first 15 bytes. Returns the bytes read. */
function forEachBlock(path: string, visit: (block: Block) => void): number {
  let file: number;
  try {
    file = openSync(path, 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 0;
    throw error;
  }
  try {
    let held = 0;
    let fileOffset = 0;
    for (;;) {
      const got = readSync(file, readBuffer, held, readBytes - held, null);
      if (got === 0) return fileOffset + held;
      const filled = held + got;
      for (let at = 0; at + runBytes <= filled; at += blockBytes) {
        const runs = Math.min(blockBytes, filled - at - runBytes + 1);
        visit(hashBlock(readBuffer.subarray(at, at + runs + runBytes - 1), fileOffset + at, runs));
      }
      held = Math.min(runBytes - 1, filled);
      readBuffer.copyWithin(0, filled - held, filled);
      fileOffset += filled - held;
    }
  } finally {
    closeSync(file);
  }
}

const readBuffer = Buffer.allocUnsafe(readBytes);
const hashA = new Int32Array(blockBytes);
const hashB = new Int32Array(blockBytes);

/** Two rolling polynomial hashes over a random value for each byte, modulo 2³²; odd multipliers. */
const multiplierA = 0x2c9277b5;
const multiplierB = 0x1b56c4e9;
const enterA = byteValues(0x243f6a88, 1);
const enterB = byteValues(0x85a308d3, 1);
const leaveA = byteValues(0x243f6a88, power(multiplierA, runBytes));
const leaveB = byteValues(0x85a308d3, power(multiplierB, runBytes));

function hashBlock(bytes: Buffer, fileOffset: number, runs: number): Block {
  let a = 0;
  let b = 0;
  for (let at = 0; at < runBytes; at++) {
    a = (Math.imul(a, multiplierA) + enterA[bytes[at]!]!) | 0;
    b = (Math.imul(b, multiplierB) + enterB[bytes[at]!]!) | 0;
  }
  hashA[0] = a;
  hashB[0] = b;
  for (let run = 1; run < runs; run++) {
    const comes = bytes[run + runBytes - 1]!;
    const goes = bytes[run - 1]!;
    a = (Math.imul(a, multiplierA) + enterA[comes]! - leaveA[goes]!) | 0;
    b = (Math.imul(b, multiplierB) + enterB[comes]! - leaveB[goes]!) | 0;
    hashA[run] = a;
    hashB[run] = b;
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return { bytes, view, fileOffset, runs, hashA, hashB };
}

/** A Bloom filter whose three bits of one run are in one word, so that a look-up costs one cache miss. */
class RunFilter {
  readonly #words: Int32Array;
  readonly #shift: number;

  constructor(sourceBytes: number) {
    // 16 bits a run, in steps of two; at most 2^27 words (512 MiB).
    const wordBits = Math.min(27, Math.max(10, Math.ceil(Math.log2(sourceBytes / 2 + 1))));
    this.#words = new Int32Array(2 ** wordBits);
    this.#shift = 32 - wordBits;
  }

  add(block: Block): void {
    const words = this.#words;
    const shift = this.#shift;
    for (let run = 0; run < block.runs; run++) {
      const word = Math.imul(block.hashA[run]!, 0x9e3779b1) >>> shift;
      words[word] = words[word]! | bitsOf(block.hashB[run]!);
    }
  }

  /** Calls `visit` with the place of each run that may be in the sources and has enough distinct bytes. */
  pass(block: Block, visit: (at: number) => void): void {
    const words = this.#words;
    const shift = this.#shift;
    for (let run = 0; run < block.runs; run++) {
      const bits = bitsOf(block.hashB[run]!);
      const word = Math.imul(block.hashA[run]!, 0x9e3779b1) >>> shift;
      if ((words[word]! & bits) === bits && isDistinct(block.bytes, run)) visit(run);
    }
  }
}

function bitsOf(hash: number): number {
  const mixed = Math.imul(hash, 0x85ebca6b);
  return (1 << (mixed >>> 27)) | (1 << (mixed >>> 22)) | (1 << (mixed >>> 17));
}

function isDistinct(bytes: Buffer, at: number): boolean {
  let distinct = 1;
  for (let index = at + 1; index < at + runBytes; index++) {
    const byte = bytes[index]!;
    let before = at;
    while (bytes[before] !== byte) before++;
    if (before === index && ++distinct >= distinctBytesMin) return true;
  }
  return false;
}

/** Runs of the targets to be compared with the sources, by hash; of equal runs the first stands for all. */
class CandidateTable {
  size = 0;
  readonly #slots = 2 ** 23;
  /** The 16 bytes of the run in each slot, as four words. */
  readonly #words = new Int32Array(this.#slots * 4);
  readonly #target = new Int32Array(this.#slots).fill(-1);
  readonly #offset = new Float64Array(this.#slots);
  /** One bit for many hashes (4 MiB): most runs of the sources are turned away here, within the processor's cache. */
  readonly #gate = new Int32Array(2 ** 20);

  /** Half full, less what one more block may bring. */
  get isFull(): boolean {
    return this.size > this.#slots / 2 - blockBytes;
  }

  clear(): void {
    this.#target.fill(-1);
    this.#gate.fill(0);
    this.size = 0;
  }

  add(block: Block, at: number, target: number): void {
    const slot = this.#find(block, at);
    if (this.#target[slot] !== -1) return;
    for (let word = 0; word < 4; word++) {
      this.#words[slot * 4 + word] = block.view.getInt32(at + word * 4, true);
    }
    const gate = block.hashA[at]!;
    this.#gate[gate >>> 12] = this.#gate[gate >>> 12]! | (1 << (gate >>> 7));
    this.#target[slot] = target;
    this.#offset[slot] = block.fileOffset + at;
    this.size++;
  }

  /** Calls `visit` for each run of the block that is in the table. */
  match(block: Block, visit: (run: Buffer, target: number, targetOffset: number) => void): void {
    const gates = this.#gate;
    for (let at = 0; at < block.runs; at++) {
      const gate = block.hashA[at]!;
      if ((gates[gate >>> 12]! & (1 << (gate >>> 7))) === 0) continue;
      const slot = this.#find(block, at);
      const target = this.#target[slot]!;
      if (target === -1) continue;
      visit(Buffer.from(block.bytes.subarray(at, at + runBytes)), target, this.#offset[slot]!);
    }
  }

  /** The slot that holds the run at `at`, or the empty one where it belongs. */
  #find(block: Block, at: number): number {
    const target = this.#target;
    const words = this.#words;
    const view = block.view;
    let slot = Math.imul(block.hashA[at]! ^ (block.hashB[at]! << 1), 0x9e3779b1) >>> 9;
    while (target[slot] !== -1) {
      if (
        words[slot * 4] === view.getInt32(at, true) &&
        words[slot * 4 + 1] === view.getInt32(at + 4, true) &&
        words[slot * 4 + 2] === view.getInt32(at + 8, true) &&
        words[slot * 4 + 3] === view.getInt32(at + 12, true)
      ) {
        return slot;
      }
      slot = (slot + 1) & (this.#slots - 1);
    }
    return slot;
  }
}

/** 256 pseudo-random words (xorshift32 from `seed`), each times `factor`. */
function byteValues(seed: number, factor: number): Int32Array {
  let state = seed;
  return Int32Array.from({ length: 256 }, () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return Math.imul(state, factor);
  });
}

function power(base: number, exponent: number): number {
  let result = 1;
  for (let step = 0; step < exponent; step++) result = Math.imul(result, base);
  return result;
}

/** The regular files at or below `path`; symbolic links are not followed. */
export function regularFiles(path: string): readonly string[] {
  if (statSync(path).isFile()) return [path];
  const files: string[] = [];
  for (const entry of entriesOf(path)) {
    if (entry.isDirectory()) files.push(...regularFiles(join(path, entry.name)));
    else if (entry.isFile()) files.push(join(path, entry.name));
  }
  return files;
}

function entriesOf(path: string): readonly Dirent[] {
  return readdirSync(path, { withFileTypes: true });
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}
