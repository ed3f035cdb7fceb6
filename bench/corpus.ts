import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { regularFiles } from '../scripts/lan/leak-search.ts';
import { Chunker } from '../src/store/chunker/chunker.ts';
import { noise } from './harness.ts';

/** Bytes with the ends of the chunks they are cut into. */
export interface Corpus {
  readonly data: Buffer;
  readonly ends: Uint32Array;
}

const nodeModules = join(import.meta.dirname, '..', 'node_modules');

/** Program text, as an archive of sources would hold it: JavaScript and declarations of the npm packages here. */
export function sourceText(size: number): Corpus {
  const parts: Buffer[] = [];
  let bytes = 0;
  for (const path of regularFiles(nodeModules)) {
    if (bytes >= size) break;
    if (!/\.(js|ts|mjs|cjs|md|h)$/.test(path)) continue;
    const part = readFileSync(path);
    parts.push(part);
    bytes += part.length;
  }
  return cut(Buffer.concat(parts).subarray(0, size));
}

/** Bytes that no compressor makes smaller, like photographs. */
export function photographs(size: number): Corpus {
  return cut(noise('photographs', size));
}

/** The chunks of a corpus, in order. */
export function chunksOf({ data, ends }: Corpus): readonly Buffer[] {
  return Array.from(ends, (end, index) => data.subarray(ends[index - 1] ?? 0, end));
}

/** As the peers read it: little-endian 32-bit numbers. */
export function encodeNumbers(numbers: Iterable<number>): Buffer {
  const list = [...numbers];
  const bytes = Buffer.alloc(4 * list.length);
  for (const [index, number] of list.entries()) bytes.writeUInt32LE(number, 4 * index);
  return bytes;
}

function cut(data: Buffer): Corpus {
  const words = noise('corpus table', 1024);
  const chunker = new Chunker(Uint32Array.from({ length: 256 }, (_, index) => words.readUInt32LE(4 * index)));
  const ends: number[] = [];
  for (let start = 0; start < data.length; ) {
    const filled = Math.min(chunker.window.length, data.length - start);
    chunker.window.set(data.subarray(start, start + filled));
    const found = chunker.cut(filled, start + filled === data.length);
    for (const end of found) ends.push(start + end);
    start = ends.at(-1)!;
  }
  return { data, ends: Uint32Array.from(ends) };
}
