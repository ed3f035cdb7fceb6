import { type Bytes, utf8 } from '../../src/base/bytes.ts';
import { newCode } from '../../src/pool/pairing/claim-code.ts';
import type { Entropy } from '../../src/ports/entropy.ts';
import { imageInvalid } from './errors.ts';
import type { Partition } from './gpt.ts';

/** What a box is told about itself, and what stands on its label. */
export interface Provision {
  readonly serial: string;
  /** `XXXX-XXXX`. */
  readonly claimCode: string;
}

/** Bytes of the image that are replaced on their way to the card. */
export interface Patch {
  readonly offset: number;
  readonly bytes: Bytes;
}

const identityPartition = 'identity';

/** `AS-` and ten symbols of the claim code's alphabet: 50 random bits. */
export function newSerial(entropy: Entropy): string {
  return `AS-${`${newCode(entropy)}${newCode(entropy)}`.replaceAll('-', '').slice(0, 10)}`;
}

/** Letters, digits, `.`, `_`, `-`; at most 32: it stands in JSON, a URI and a label without any escaping. */
export function isSerial(text: string): boolean {
  return /^[A-Za-z0-9][\w.-]{0,31}$/.test(text);
}

/**
 * The whole `identity` partition: one line of JSON, then zeros. Without spaces after colons, since the initramfs
 * looks for `"serial":"…"` with grep.
 */
export function identityBytes({ serial, claimCode }: Provision, partitionBytes: number): Bytes {
  const line = utf8(`${JSON.stringify({ v: 1, serial, claimCode })}\n`);
  const whole = new Uint8Array(partitionBytes);
  whole.set(line);
  return whole;
}

/** The partition `identity` of an image, filled in. Throws `IMAGE_INVALID`. */
export function identityPatch(partitions: readonly Partition[], provision: Provision): Patch {
  const found = partitions.filter(({ name }) => name === identityPartition);
  const [partition] = found;
  if (partition === undefined || found.length > 1)
    throw imageInvalid(`it has ${found.length} partitions named ${identityPartition}, not one`);
  if (partition.bytes < 4096 || partition.bytes > 1024 * 1024)
    throw imageInvalid(`its partition ${identityPartition} has ${partition.bytes} bytes`);
  return { offset: partition.offset, bytes: identityBytes(provision, partition.bytes) };
}

/** Puts what of `patch` falls into `chunk`, which begins at `offset`. */
export function applyPatch(chunk: Bytes, offset: number, patch: Patch): void {
  const start = Math.max(offset, patch.offset);
  const end = Math.min(offset + chunk.length, patch.offset + patch.bytes.length);
  if (start >= end) return;
  chunk.set(patch.bytes.subarray(start - patch.offset, end - patch.offset), start - offset);
}

/** What the QR code holds. */
export function claimUri({ serial, claimCode }: Provision): string {
  return `aetherstore:claim?serial=${serial}&code=${claimCode}`;
}
