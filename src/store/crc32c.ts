import { type Bytes, viewOf } from '../base/bytes.ts';
import { crc32cWasm } from './crc32c-wasm.ts';
import { instantiate } from './wasm.ts';

const instance = instantiate(crc32cWasm);
instance.call('prepare')();
const checksum = instance.call('crc32c');

/** The module keeps its first page for tables. */
const windowOffset = 64 * 1024;
const window = instance.memory.subarray(windowOffset);
/** Below this, moving the bytes into the module costs more than it saves. */
const smallBytes = 32;

/** A copy of the module's table for single bytes. */
const table = byteTable(instance.memory);

/**
 * CRC-32C (Castagnoli; RFC 3720 §12.1) of `bytes`, an unsigned 32-bit number. With `seed`, the checksum of what
 * `seed` is the checksum of, followed by `bytes`.
 */
export function crc32c(bytes: Bytes, seed = 0): number {
  if (bytes.length <= smallBytes) return small(bytes, seed);
  if (bytes.length <= window.length) return pass(bytes, seed) >>> 0;
  let crc = seed;
  for (let from = 0; from < bytes.length; from += window.length) {
    crc = pass(bytes.subarray(from, from + window.length), crc);
  }
  return crc >>> 0;
}

function pass(bytes: Bytes, seed: number): number {
  window.set(bytes);
  return checksum(windowOffset, windowOffset + bytes.length, seed);
}

function small(bytes: Bytes, seed: number): number {
  let crc = ~seed;
  for (let index = 0; index < bytes.length; index++) {
    crc = table[(crc ^ bytes[index]!) & 255]! ^ (crc >>> 8);
  }
  return ~crc >>> 0;
}

function byteTable(memory: Bytes): Int32Array {
  const view = viewOf(memory);
  return Int32Array.from({ length: 256 }, (_, byte) => view.getInt32(1024 + 4 * byte, true));
}
