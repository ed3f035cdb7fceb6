import { createHash } from 'node:crypto';
import { AetherError } from '../../src/base/errors.ts';
import { alignedBuffer } from '../../src/platform/linux/aligned-buffer.ts';
import type { OpenCard } from './card.ts';
import type { FlashErrorCode } from './errors.ts';
import type { Partition } from './gpt.ts';
import { applyPatch, type Patch } from './provision.ts';

/** What is written: an image, or what plays one. */
export interface Source {
  readonly bytes: number;
  readonly partitions: readonly Partition[];
  read(bytes: Buffer, offset: number): Promise<void>;
}

export interface FlashOptions {
  readonly source: Source;
  readonly card: OpenCard;
  /** Laid over the image. */
  readonly patch: Patch;
  readonly onStep: (step: FlashStep) => void;
  readonly onProgress: (doneBytes: number) => void;
}

export type FlashStep = 'clear' | 'write' | 'flush' | 'verify';

export interface Flashed {
  /** The rest was zeros, which the card made of itself. */
  readonly writtenBytes: number;
}

/** Large enough for any reader's full speed, small enough that the progress moves on a slow one. */
export const chunkBytes = 4 * 1024 * 1024;
const zeros = Buffer.alloc(chunkBytes);

/**
 * Writes the image with its patch, makes it durable, reads all of it back. Where the card can turn itself to zeros,
 * the image's holes are not written; they are read back all the same. The backup of the partition table is left where
 * the image ends: the box's first start moves it to the end of the card.
 * Errors: `CARD_MISMATCH`, and those of source and card.
 */
export async function flash(options: FlashOptions): Promise<Flashed> {
  const { card, source, onStep } = options;
  onStep('clear');
  const isZeroed = await card.zero(source.bytes);
  onStep('write');
  const { digests, writtenBytes } = await write(options, isZeroed);
  onStep('flush');
  await card.flush();
  onStep('verify');
  await verify(options, digests);
  return { writtenBytes };
}

interface Written extends Flashed {
  /** SHA-256 of each chunk. */
  readonly digests: readonly Buffer[];
}

async function write({ source, card, patch, onProgress }: FlashOptions, isZeroed: boolean): Promise<Written> {
  const buffer = alignedBuffer(chunkBytes);
  const digests: Buffer[] = [];
  let writtenBytes = 0;
  for (let offset = 0; offset < source.bytes; offset += chunkBytes) {
    const chunk = buffer.subarray(0, Math.min(chunkBytes, source.bytes - offset));
    await source.read(chunk, offset);
    applyPatch(chunk, offset, patch);
    digests.push(digestOf(chunk));
    if (!isZeroed || !chunk.equals(zeros.subarray(0, chunk.length))) {
      await card.write(chunk, offset);
      writtenBytes += chunk.length;
    }
    onProgress(offset + chunk.length);
  }
  return { digests, writtenBytes };
}

/** Against the digests of what was written, so that an image that changes meanwhile is no excuse. */
async function verify(options: FlashOptions, digests: readonly Buffer[]): Promise<void> {
  const { source, card, onProgress } = options;
  const buffer = alignedBuffer(chunkBytes);
  for (const [index, digest] of digests.entries()) {
    const offset = index * chunkBytes;
    const chunk = buffer.subarray(0, Math.min(chunkBytes, source.bytes - offset));
    await card.read(chunk, offset);
    if (!digestOf(chunk).equals(digest)) throw await mismatch(options, chunk, offset);
    onProgress(offset + chunk.length);
  }
}

/** Says at which byte, by a second look at the image. */
async function mismatch(
  { source, patch }: FlashOptions,
  found: Buffer,
  chunkOffset: number,
): Promise<AetherError<FlashErrorCode>> {
  const wanted = Buffer.alloc(found.length);
  await source.read(wanted, chunkOffset);
  applyPatch(wanted, chunkOffset, patch);
  const offset = chunkOffset + Math.max(0, firstDifference(wanted, found));
  const partition = source.partitions.find(
    (each) => offset >= each.offset && offset < each.offset + each.bytes,
  );
  const place = partition === undefined ? '' : `, in the partition ${partition.name}`;
  return new AetherError('CARD_MISMATCH', `what was read back differs from byte ${offset} on${place}`, {
    fields: { offset },
    help: 'The card is not to be used. Flash it once more; if that fails too, take another card or reader.',
  });
}

function firstDifference(a: Buffer, b: Buffer): number {
  return a.findIndex((byte, index) => byte !== b[index]);
}

function digestOf(bytes: Buffer): Buffer {
  return createHash('sha256').update(bytes).digest();
}
