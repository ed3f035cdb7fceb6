// CRC-32C (Castagnoli, RFC 3720 §12.1) over this module's memory. AssemblyScript.
//
// A table look-up per byte waits for the one before it. Slicing-by-8 makes the eight look-ups of a word
// independent; three streams side by side, joined by a table that moves a checksum past `partBytes` zeros, fill the
// time in which one stream would wait (M. Adler's crc32c.c does the same with the processor's instruction).

const tables: usize = 1024; // eight tables of 256 words
const shifts: usize = tables + 8 * 1024; // four tables of 256 words
const partBytes: usize = 1024;
const polynomial: u32 = 0x82f63b78; // reflected

/** Fills the tables. Call once. */
export function prepare(): void {
  for (let byte: u32 = 0; byte < 256; byte++) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ polynomial : crc >>> 1;
    store<u32>(tables + (byte << 2), crc);
  }
  for (let index: u32 = 256; index < 8 * 256; index++) {
    const before = load<u32>(tables + ((index - 256) << 2));
    store<u32>(tables + (index << 2), afterByte(before, 0));
  }
  // The shift is linear: the entry of a byte is the sum of those of its bits.
  for (let bit: u32 = 0; bit < 32; bit++) {
    let crc: u32 = 1 << bit;
    for (let count: usize = 0; count < partBytes; count++) crc = afterByte(crc, 0);
    const table = shifts + ((bit >>> 3) << 10);
    const own: u32 = 1 << (bit & 7);
    for (let byte: u32 = own; byte < 256; byte++) {
      const entry = table + (byte << 2);
      if (byte & own) store<u32>(entry, load<u32>(entry) ^ crc);
    }
  }
}

@inline
function at(table: usize, byte: u32): u32 {
  return load<u32>(tables + (table << 10) + ((<usize>byte) << 2));
}

@inline
function afterByte(crc: u32, byte: u32): u32 {
  return (crc >>> 8) ^ at(0, (crc ^ byte) & 255);
}

@inline
function afterWord(crc: u32, word: u64): u32 {
  const mixed = word ^ (<u64>crc);
  const low = <u32>mixed;
  const high = <u32>(mixed >> 32);
  return (
    at(7, low & 255) ^ at(6, (low >> 8) & 255) ^ at(5, (low >> 16) & 255) ^ at(4, low >> 24) ^
    at(3, high & 255) ^ at(2, (high >> 8) & 255) ^ at(1, (high >> 16) & 255) ^ at(0, high >> 24)
  );
}

@inline
function shift(table: usize, byte: u32): u32 {
  return load<u32>(shifts + (table << 10) + ((<usize>byte) << 2));
}

@inline
function afterPart(crc: u32): u32 {
  return shift(0, crc & 255) ^ shift(1, (crc >> 8) & 255) ^ shift(2, (crc >> 16) & 255) ^ shift(3, crc >> 24);
}

/** The checksum of what `seed` is the checksum of, followed by memory[from..to). */
export function crc32c(from: usize, to: usize, seed: u32): u32 {
  let crc = ~seed;
  let position = from;
  for (; position + 3 * partBytes <= to; position += 3 * partBytes) {
    let second: u32 = 0;
    let third: u32 = 0;
    const end = position + partBytes;
    for (let first = position; first < end; first += 8) {
      crc = afterWord(crc, load<u64>(first));
      second = afterWord(second, load<u64>(first + partBytes));
      third = afterWord(third, load<u64>(first + 2 * partBytes));
    }
    crc = afterPart(afterPart(crc) ^ second) ^ third;
  }
  for (; position + 8 <= to; position += 8) crc = afterWord(crc, load<u64>(position));
  for (; position < to; position++) crc = afterByte(crc, load<u8>(position));
  return ~crc;
}
