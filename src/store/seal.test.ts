import assert from 'node:assert/strict';
import { createCipheriv } from 'node:crypto';
import { test } from 'node:test';
import { zstdCompressSync } from 'node:zlib';
import fc from 'fast-check';
import { type Bytes, toHex, viewOf } from '../base/bytes.ts';
import { sealedChunkBytesMax } from '../base/limits.ts';
import type { Clock } from '../ports/clock.ts';
import { SeededEntropy } from '../testing/seeded-entropy.ts';
import { chunkIdOf, openChunk, plaintextBytesMax, type Suite, sealChunk } from './seal.ts';
import { fastestSuite } from './suite.ts';

const secret = new SeededEntropy(1).bytes(32);
const suite = fc.constantFrom<Suite>('aes-256-gcm', 'chacha20-poly1305');
/** Random, and repeated so that it compresses. */
const plaintext = fc.oneof(
  fc.uint8Array({ maxLength: 300 }),
  fc.tuple(fc.uint8Array({ minLength: 1, maxLength: 20 }), fc.nat(5000)).map(([unit, length]) => {
    return Uint8Array.from({ length }, (_, index) => unit[index % unit.length]!);
  }),
);

test('what was sealed opens to the same', () => {
  fc.assert(
    fc.property(plaintext, suite, (bytes, with_) => {
      const sealed = sealChunk(bytes, secret, with_);
      assert.deepEqual(openChunk(sealed.body, sealed.key), bytes);
      assert.deepEqual(sealed.id, chunkIdOf(sealed.body));
      assert.equal(sealed.plaintextBytes, bytes.length);
      assert.equal(viewOf(sealed.body).getUint32(4), bytes.length);
    }),
  );
});

test('the largest chunk fits the limit, sealed or compressed', () => {
  for (const bytes of [new SeededEntropy(2).bytes(plaintextBytesMax), new Uint8Array(plaintextBytesMax)]) {
    const { body, key } = sealChunk(bytes, secret, 'aes-256-gcm');
    assert.ok(body.length <= sealedChunkBytesMax);
    assert.deepEqual(openChunk(body, key), bytes);
  }
});

test('any flipped bit is CHUNK_CORRUPT, in the version CHUNK_VERSION_UNKNOWN', () => {
  fc.assert(
    fc.property(plaintext, suite, fc.nat(), fc.nat(7), (bytes, with_, where, bit) => {
      const { body, key } = sealChunk(bytes, secret, with_);
      const at = where % body.length;
      body[at] = body[at]! ^ (1 << bit);
      const code = at === 0 ? 'CHUNK_VERSION_UNKNOWN' : 'CHUNK_CORRUPT';
      assert.throws(() => openChunk(body, key), { code });
    }),
  );
});

test('a cut body and a wrong key are CHUNK_CORRUPT', () => {
  const { body, key } = sealChunk(new Uint8Array(100), secret, 'chacha20-poly1305');
  for (let length = 0; length < body.length; length++) {
    assert.throws(() => openChunk(body.subarray(0, length), key), { code: 'CHUNK_CORRUPT' });
  }
  const other = key.map((byte) => byte ^ 1);
  assert.throws(() => openChunk(body, other), { code: 'CHUNK_CORRUPT' });
});

test('one plaintext is one chunk in a pool, and another in another pool', () => {
  const otherSecret = new SeededEntropy(9).bytes(32);
  fc.assert(
    fc.property(plaintext, suite, (bytes, with_) => {
      const first = sealChunk(bytes, secret, with_);
      const second = sealChunk(Uint8Array.from(bytes), secret, with_);
      assert.deepEqual(second, first);
      const elsewhere = sealChunk(bytes, otherSecret, with_);
      assert.notEqual(toHex(elsewhere.id), toHex(first.id));
      assert.notEqual(toHex(elsewhere.key), toHex(first.key));
    }),
  );
});

test('compresses only where that saves a sixteenth', () => {
  const entropy = new SeededEntropy(5);
  // 4096 random bytes, of which the last `zeros` are zeros: about `zeros` bytes can be saved.
  const compressed = (zeros: number): boolean => {
    const bytes = entropy.bytes(4096);
    bytes.fill(0, 4096 - zeros);
    const { body, key } = sealChunk(bytes, secret, 'aes-256-gcm');
    assert.deepEqual(openChunk(body, key), bytes);
    assert.equal(body.length < 4096, body[2] === 1);
    return body[2] === 1;
  };
  assert.equal(compressed(0), false);
  assert.equal(compressed(200), false);
  assert.equal(compressed(330), true);
  assert.equal(compressed(4096), true);
});

test('a chunk that decompresses to more than its header says is refused, not unpacked', () => {
  const key = new SeededEntropy(3).bytes(32);
  const bomb = (claimedBytes: number): Bytes => {
    const payload = zstdCompressSync(new Uint8Array(64 * 1024 * 1024));
    const body = new Uint8Array(8 + payload.length + 16);
    body.set([1, 1, 1, 0]);
    viewOf(body).setUint32(4, claimedBytes);
    const cipher = createCipheriv('aes-256-gcm', key, new Uint8Array(12));
    cipher.setAAD(body.subarray(0, 8));
    body.set(cipher.update(payload), 8);
    cipher.final();
    body.set(cipher.getAuthTag(), 8 + payload.length);
    return body;
  };
  for (const claimed of [0, 1000, plaintextBytesMax, 64 * 1024 * 1024]) {
    assert.throws(() => openChunk(bomb(claimed), key), { code: 'CHUNK_CORRUPT' });
  }
});

test('arbitrary bytes open or are refused with a code', () => {
  const key = new Uint8Array(32);
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
      if (bytes.length > 1) bytes.set([1, 1 + (bytes[1]! & 1)]);
      assert.throws(() => openChunk(bytes, key), { code: /^CHUNK_/ });
    }),
  );
});

test('the start-up probe takes AES unless ChaCha20 takes far less time', () => {
  // Each reading of the clock is one step further: 10 readings for AES, then 10 for ChaCha20.
  const clockOf = (steps: (reading: number) => number): Clock => {
    let readings = 0;
    let nowMs = 0;
    return {
      wallMs: () => 0,
      monotonicMs: () => {
        nowMs += steps(readings++);
        return nowMs;
      },
      after: () => ({ cancel: () => {} }),
    };
  };
  assert.equal(fastestSuite(clockOf(() => 1)), 'aes-256-gcm');
  assert.equal(fastestSuite(clockOf((reading) => (reading < 10 ? 5 : 1))), 'chacha20-poly1305');
  assert.equal(fastestSuite(clockOf((reading) => (reading < 10 ? 14 : 10))), 'aes-256-gcm');
  // One slow round, as when another program takes the processor, does not decide.
  assert.equal(
    fastestSuite(clockOf((reading) => (reading === 3 ? 50 : reading < 10 ? 1 : 2))),
    'aes-256-gcm',
  );
});
