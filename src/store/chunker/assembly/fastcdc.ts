// The inner loop of FastCDC (W. Xia et al., "The Design of Fast Content-Defined Chunking for Data Deduplication
// Based Storage Systems", IEEE TPDS 2020) with a 32-bit Gear hash, over this module's memory. AssemblyScript.
//
// Two bytes a step (§3.6 there): the hash after the first byte of a pair is kept shifted by one, so that one
// shift serves both. Its masks are shifted as well, which is why bit 31 of a mask must be 0.

/** 256 words that the caller writes, then the same shifted left by one, which `prepare` writes. */
const table: usize = 1024;
const shiftedTable: usize = table + 1024;

export function prepare(): void {
  for (let byte: usize = 0; byte < 256; byte++) {
    store<u32>(shiftedTable + (byte << 2), load<u32>(table + (byte << 2)) << 1);
  }
}

@inline
function gear(byte: u32): u32 {
  return load<u32>(table + ((<usize>byte) << 2));
}

@inline
function shiftedGear(byte: u32): u32 {
  return load<u32>(shiftedTable + ((<usize>byte) << 2));
}

let hash: u32 = 0;

/** Address after the first byte from which the hash has no bit of `mask`, or 0. Leaves the hash behind. */
@inline
function scan(from: usize, to: usize, mask: u32, start: u32): usize {
  const shiftedMask = mask << 1;
  let fp = start;
  let at = from;
  for (; at + 8 <= to; at += 8) {
    fp = (fp << 2) + shiftedGear(load<u8>(at));
    if (!(fp & shiftedMask)) return at + 1;
    fp += gear(load<u8>(at, 1));
    if (!(fp & mask)) return at + 2;
    fp = (fp << 2) + shiftedGear(load<u8>(at, 2));
    if (!(fp & shiftedMask)) return at + 3;
    fp += gear(load<u8>(at, 3));
    if (!(fp & mask)) return at + 4;
    fp = (fp << 2) + shiftedGear(load<u8>(at, 4));
    if (!(fp & shiftedMask)) return at + 5;
    fp += gear(load<u8>(at, 5));
    if (!(fp & mask)) return at + 6;
    fp = (fp << 2) + shiftedGear(load<u8>(at, 6));
    if (!(fp & shiftedMask)) return at + 7;
    fp += gear(load<u8>(at, 7));
    if (!(fp & mask)) return at + 8;
  }
  for (; at < to; at++) {
    fp = (fp << 1) + gear(load<u8>(at));
    if (!(fp & mask)) return at + 1;
  }
  hash = fp;
  return 0;
}

/**
 * The end of the chunk whose bytes from `from` on (its minimum size is behind) may be cut: up to `normal` with the
 * strict mask, from there to `to` with the loose one. 0 when there is no such end before `to`.
 */
export function cut(from: usize, normal: usize, to: usize, strictMask: u32, looseMask: u32): usize {
  const turn = min(normal, to);
  const end = scan(from, turn, strictMask, 0);
  if (end) return end;
  return scan(turn, to, looseMask, hash);
}
