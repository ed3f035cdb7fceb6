import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { OpenCard } from './card.ts';
import { chunkBytes, type FlashStep, flash } from './flash.ts';

/** A card of memory that counts what it is given. */
class MemoryCard implements OpenCard {
  readonly readsMedium = true;
  readonly bytes: Buffer;
  readonly #zeroes: boolean;
  writes: number[] = [];
  flushes = 0;

  constructor(bytes: number, zeroes: boolean) {
    this.bytes = Buffer.alloc(bytes, 0x55);
    this.#zeroes = zeroes;
  }

  async zero(bytes: number): Promise<boolean> {
    if (this.#zeroes) this.bytes.fill(0, 0, bytes);
    return this.#zeroes;
  }

  async write(bytes: Buffer, offset: number): Promise<void> {
    this.writes.push(offset / chunkBytes);
    this.bytes.set(bytes, offset);
  }

  async read(bytes: Buffer, offset: number): Promise<void> {
    this.bytes.copy(bytes, 0, offset, offset + bytes.length);
  }

  async flush(): Promise<void> {
    this.flushes++;
  }

  async close(): Promise<void> {}
}

const imageBytes = 4 * chunkBytes + 512;
const identity = { name: 'identity', offset: 2 * chunkBytes - 512, bytes: 1024 };
const patch = { offset: identity.offset, bytes: new Uint8Array(1024).fill(0x77) };

/** Its fourth chunk is a hole; the patch lies over the border between the second and the third, which are zeros too. */
function image(): Buffer {
  const whole = Buffer.alloc(imageBytes);
  whole.fill(1, 0, 100);
  whole.fill(2, imageBytes - 100);
  return whole;
}

async function flashed(card: MemoryCard, onStep: (step: FlashStep) => void = () => {}, whole = image()) {
  const progress: number[] = [];
  const source = {
    bytes: whole.length,
    partitions: [identity],
    read: async (bytes: Buffer, offset: number) => void whole.copy(bytes, 0, offset, offset + bytes.length),
  };
  const told = await flash({ source, card, patch, onStep, onProgress: (done) => progress.push(done) });
  return { ...told, progress };
}

function wanted(): Buffer {
  const whole = image();
  whole.set(patch.bytes, patch.offset);
  return whole;
}

describe('flashing', () => {
  it('writes all of the image on a card that may hold anything, and nothing after it', async () => {
    const card = new MemoryCard(imageBytes + 4096, false);
    const { writtenBytes } = await flashed(card);
    assert.ok(card.bytes.subarray(0, imageBytes).equals(wanted()));
    assert.ok(card.bytes.subarray(imageBytes).every((byte) => byte === 0x55));
    assert.equal(writtenBytes, imageBytes);
    assert.deepEqual(card.writes, [0, 1, 2, 3, 4]);
    assert.equal(card.flushes, 1);
  });

  it('leaves out holes on a card that turned itself to zeros, and never the identity', async () => {
    const card = new MemoryCard(imageBytes + 4096, true);
    const whole = Buffer.alloc(imageBytes);
    const { writtenBytes } = await flashed(card, undefined, whole);
    assert.deepEqual(card.writes, [1, 2], 'the identity lies across chunks 1 and 2');
    assert.equal(writtenBytes, 2 * chunkBytes);
    const other = new MemoryCard(imageBytes + 4096, true);
    await flashed(other);
    assert.deepEqual(other.writes, [0, 1, 2, 4]);
    assert.ok(other.bytes.subarray(0, imageBytes).equals(wanted()));
  });

  it('tells its steps in order, and its progress to the last byte, twice', async () => {
    const steps: FlashStep[] = [];
    const { progress } = await flashed(new MemoryCard(imageBytes, false), (step) => steps.push(step));
    assert.deepEqual(steps, ['clear', 'write', 'flush', 'verify']);
    const once = [chunkBytes, 2 * chunkBytes, 3 * chunkBytes, 4 * chunkBytes, imageBytes];
    assert.deepEqual(progress, [...once, ...once]);
  });

  it('finds a byte that changed, and says where', async () => {
    const card = new MemoryCard(imageBytes, false);
    const damage = (offset: number) => (step: FlashStep) => {
      if (step === 'verify') card.bytes[offset]! ^= 1;
    };
    await assert.rejects(flashed(card, damage(identity.offset + 600)), {
      code: 'CARD_MISMATCH',
      fields: { offset: identity.offset + 600 },
      message: /from byte \d+ on, in the partition identity$/,
    });
    await assert.rejects(flashed(card, damage(imageBytes - 1)), {
      code: 'CARD_MISMATCH',
      fields: { offset: imageBytes - 1 },
    });
  });

  it('finds a card that only says that it turned itself to zeros', async () => {
    const card = new MemoryCard(imageBytes, false);
    card.zero = async () => true;
    await assert.rejects(flashed(card, undefined, Buffer.alloc(imageBytes)), {
      code: 'CARD_MISMATCH',
      fields: { offset: 0 },
    });
  });
});
