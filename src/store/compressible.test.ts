import assert from 'node:assert/strict';
import { test } from 'node:test';
import { zstdCompressSync } from 'node:zlib';
import { SeededEntropy } from '../testing/seeded-entropy.ts';
import { mayCompress } from './compressible.ts';

const entropy = new SeededEntropy(11);

test('bytes of which none is more frequent than others are not worth a try', () => {
  for (let run = 0; run < 200; run++) assert.equal(mayCompress(entropy.bytes(20_000 + 997 * run)), false);
});

test('whatever a compressor makes smaller by 1/16 through its byte frequencies is worth a try', () => {
  // Bytes of fewer than 8 bits of entropy: each is replaced by one of a smaller alphabet with some probability.
  for (const share of [0.1, 0.15, 0.3, 1]) {
    const bytes = entropy.bytes(65_536);
    for (let index = 0; index < bytes.length; index++) if (entropy.chance(share)) bytes[index]! &= 0x0f;
    const saves = zstdCompressSync(bytes).length <= bytes.length - bytes.length / 16;
    if (saves) assert.equal(mayCompress(bytes), true, `${share} of the bytes are small`);
  }
  assert.equal(mayCompress(new Uint8Array(65_536)), true);
});

test('short chunks are always tried', () => {
  assert.equal(mayCompress(entropy.bytes(8000)), true);
});
