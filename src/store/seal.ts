import { createCipheriv, createDecipheriv, createHmac, createSecretKey, hash } from 'node:crypto';
import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { assert } from '../base/assert.ts';
import { type Bytes, viewOf } from '../base/bytes.ts';
import { AetherError } from '../base/errors.ts';
import { sealedChunkBytesMax } from '../base/limits.ts';
import { mayCompress } from './compressible.ts';

export type SealErrorCode = 'CHUNK_CORRUPT' | 'CHUNK_VERSION_UNKNOWN';

export type Suite = 'aes-256-gcm' | 'chacha20-poly1305';

export interface SealedChunk {
  /** SHA-256 of `body`. 32 bytes. */
  readonly id: Bytes;
  /** HMAC of the plaintext: who has it can read the chunk. 32 bytes. */
  readonly key: Bytes;
  /** The sealed chunk, docs/formats.md §4. */
  readonly body: Bytes;
  readonly plaintextBytes: number;
}

const version = 1;
const headerBytes = 8;
const tagBytes = 16;
const suiteNumbers: Readonly<Record<Suite, number>> = { 'aes-256-gcm': 1, 'chacha20-poly1305': 2 };
const compressions = { none: 0, zstd: 1 } as const;

/** Node's types have an overload for each AEAD, and none for their union. */
type AeadType = 'aes-256-gcm';

/** Sound because a key encrypts one plaintext only. */
const nonce = new Uint8Array(12);

/** Compression must save one part in this many, else reading would pay for nothing. */
const savingDivisor = 16;

/** Largest plaintext of one chunk in bytes. */
export const plaintextBytesMax = sealedChunkBytesMax - headerBytes - tagBytes;

/**
 * Compresses (where that saves 1/16) and encrypts a chunk under a key that `chunkKeySecret` and the plaintext
 * determine, so that one plaintext in one pool is always the same chunk. Its body is in memory that `allocate` gives;
 * by default its own.
 */
export function sealChunk(
  plaintext: Bytes,
  chunkKeySecret: Bytes,
  suite: Suite,
  allocate: (bytes: number) => Bytes = allocateAlone,
): SealedChunk {
  assert(plaintext.length <= plaintextBytesMax, 'a chunk is no larger than the chunker cuts');
  const key = createHmac('sha256', createSecretKey(chunkKeySecret)).update(plaintext).digest();
  const compressed = mayCompress(plaintext) ? compress(plaintext) : undefined;
  const payload = compressed ?? plaintext;
  const body = allocate(sealedBytes(payload.length));
  body[0] = version;
  body[1] = suiteNumbers[suite];
  body[2] = compressed === undefined ? compressions.none : compressions.zstd;
  body[3] = 0;
  viewOf(body).setUint32(4, plaintext.length);
  encrypt(suite, key, payload, body);
  return { id: chunkIdOf(body), key: new Uint8Array(key), body, plaintextBytes: plaintext.length };
}

/**
 * The plaintext of a sealed chunk. Errors: `CHUNK_VERSION_UNKNOWN`; `CHUNK_CORRUPT` for anything that `key` did not
 * seal. Decompression never gives more than the header's length, which is bounded.
 */
export function openChunk(body: Bytes, key: Bytes): Bytes {
  if (body.length < headerBytes + tagBytes) throw corrupt('it is too short');
  if (body[0] !== version) {
    throw new AetherError<SealErrorCode>('CHUNK_VERSION_UNKNOWN', `sealed chunk of version ${body[0]}`, {
      help: 'A newer version of the program wrote it; update this one.',
    });
  }
  const suite = suiteOf(body[1]!);
  const plaintextBytes = viewOf(body).getUint32(4);
  if (suite === undefined || plaintextBytes > plaintextBytesMax) throw corrupt('its header is invalid');
  const payload = decrypt(suite, key, body);
  const plaintext = body[2] === compressions.zstd ? decompress(payload, plaintextBytes) : payload;
  if (body[2]! > compressions.zstd || plaintext.length !== plaintextBytes)
    throw corrupt('its length is wrong');
  return plaintext;
}

/** 32 bytes. */
export function chunkIdOf(body: Bytes): Bytes {
  return bytesOf(hash('sha256', body, 'buffer'));
}

/** What a payload of that many bytes, compressed or not, takes when it is sealed. */
export function sealedBytes(payloadBytes: number): number {
  return headerBytes + payloadBytes + tagBytes;
}

/** Encrypts `payload` into `body`, `sealedBytes` long, whose header is there and is authenticated with it. */
export function encrypt(suite: Suite, key: Bytes, payload: Bytes, body: Bytes): void {
  const header = body.subarray(0, headerBytes);
  // A key object saves 13 µs a chunk over raw bytes, which Node checks and copies in JavaScript.
  const cipher = createCipheriv(suite as AeadType, createSecretKey(key), nonce, { authTagLength: tagBytes });
  cipher.setAAD(header, { plaintextLength: payload.length });
  body.set(cipher.update(payload), headerBytes);
  cipher.final();
  body.set(cipher.getAuthTag(), headerBytes + payload.length);
}

function decrypt(suite: Suite, key: Bytes, body: Bytes): Bytes {
  const payloadEnd = body.length - tagBytes;
  const decipher = createDecipheriv(suite as AeadType, createSecretKey(key), nonce, {
    authTagLength: tagBytes,
  });
  try {
    decipher.setAAD(body.subarray(0, headerBytes), { plaintextLength: payloadEnd - headerBytes });
    decipher.setAuthTag(body.subarray(payloadEnd));
    const payload = decipher.update(body.subarray(headerBytes, payloadEnd));
    decipher.final();
    return bytesOf(payload);
  } catch (cause) {
    throw corrupt('it was not sealed with this key, or it was changed', cause);
  }
}

/** Compressed, or undefined when that saves less than 1/16. */
function compress(plaintext: Bytes): Bytes | undefined {
  const compressed = zstdCompressSync(plaintext, {
    params: { [constants.ZSTD_c_compressionLevel]: 1, [constants.ZSTD_c_contentSizeFlag]: 0 },
  });
  const worthBytes = plaintext.length - Math.ceil(plaintext.length / savingDivisor);
  return compressed.length <= worthBytes ? compressed : undefined;
}

function decompress(payload: Bytes, plaintextBytes: number): Bytes {
  if (plaintextBytes === 0) throw corrupt('its length is wrong');
  try {
    return bytesOf(zstdDecompressSync(payload, { maxOutputLength: plaintextBytes }));
  } catch (cause) {
    throw corrupt('it does not decompress to its length', cause);
  }
}

function suiteOf(number: number): Suite | undefined {
  if (number === suiteNumbers['aes-256-gcm']) return 'aes-256-gcm';
  return number === suiteNumbers['chacha20-poly1305'] ? 'chacha20-poly1305' : undefined;
}

/** Not from Buffer's shared pool, so that a body can be handed to another thread whole. */
function allocateAlone(size: number): Bytes {
  return bytesOf(Buffer.allocUnsafeSlow(size));
}

function bytesOf(buffer: Buffer): Bytes {
  return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength);
}

function corrupt(why: string, cause?: unknown): AetherError<SealErrorCode> {
  return new AetherError('CHUNK_CORRUPT', `a sealed chunk does not open: ${why}`, {
    cause,
    help: 'Another box may hold a good copy.',
  });
}
