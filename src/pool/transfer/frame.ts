import { type Bytes, sizeOf } from '../../base/bytes.ts';
import type { AetherError } from '../../base/errors.ts';
import { framePayloadBytesMax } from '../../base/limits.ts';
import { type TransferErrorCode, transferError } from './errors.ts';

/** Frames of docs/formats.md §6: length-prefixed, versioned, bounded. Pure: bytes in, frames out. */

export const frameHeaderBytes = 12;
const frameVersion = 1;

export const frameKinds = { request: 1, response: 2, error: 3 } as const;
export type FrameKind = (typeof frameKinds)[keyof typeof frameKinds];

export interface FrameHeader {
  readonly payloadBytes: number;
  readonly kind: FrameKind;
  readonly method: number;
  readonly requestId: number;
}

export interface Frame {
  readonly kind: FrameKind;
  readonly method: number;
  readonly requestId: number;
  /** Owned by the receiver of the frame, or as its allocator says. */
  readonly payload: Bytes;
}

/** Payloads up to this are copied behind the header, so that a small frame is one buffer to the transport. */
const joinBytesMax = 4096;

/**
 * The frame as buffers to write end to end. The payload's buffers are not copied when large, so they must not
 * change afterwards. `FRAME_TOO_LONG` when the payload exceeds `framePayloadBytesMax`.
 */
export function encodeFrame(
  kind: FrameKind,
  method: number,
  requestId: number,
  payload: readonly Bytes[],
): readonly Bytes[] {
  const payloadBytes = sizeOf(payload);
  if (payloadBytes > framePayloadBytesMax) throw tooLong(payloadBytes, requestId);
  const joined = payloadBytes <= joinBytesMax;
  const frame = new Uint8Array(frameHeaderBytes + (joined ? payloadBytes : 0));
  writeUint32(frame, 0, payloadBytes);
  frame[4] = frameVersion;
  frame[5] = kind;
  frame[6] = method >>> 8;
  frame[7] = method;
  writeUint32(frame, 8, requestId);
  if (!joined) return [frame, ...payload];
  let offset = frameHeaderBytes;
  for (const part of payload) {
    frame.set(part, offset);
    offset += part.length;
  }
  return [frame];
}

/** Gives the memory a payload is gathered in, exactly `header.payloadBytes` long, or throws to refuse the frame. */
export type PayloadAllocator = (header: FrameHeader) => Bytes;

/** Memory of its own for each payload, without zeroing it first: every byte is written before anybody reads. */
export const allocatePayload: PayloadAllocator = ({ payloadBytes }) =>
  payloadBytes <= joinBytesMax
    ? new Uint8Array(payloadBytes)
    : new Uint8Array(Buffer.allocUnsafeSlow(payloadBytes).buffer);

/**
 * Cuts a stream, in whatever pieces it arrives, into frames. Each payload byte is copied once, into memory of
 * exactly the payload's size, so that pieces may be reused by the transport as soon as `push` returns. What it
 * holds is bounded by one header and one payload of `framePayloadBytesMax`.
 */
export class FrameReader {
  readonly #frame: (frame: Frame) => void;
  readonly #allocate: PayloadAllocator;
  readonly #headerBytes = new Uint8Array(frameHeaderBytes);
  #headerFilled = 0;
  #header: FrameHeader | undefined;
  #payload: Bytes = this.#headerBytes;
  #payloadFilled = 0;
  #broken = false;

  constructor(frame: (frame: Frame) => void, allocate: PayloadAllocator = allocatePayload) {
    this.#frame = frame;
    this.#allocate = allocate;
  }

  /**
   * Takes the next bytes of the stream and hands each frame they complete to the listener, in order. Throws
   * `FRAME_VERSION_UNKNOWN`, `FRAME_KIND_UNKNOWN` or `FRAME_TOO_LONG` (field `requestId`), or what the allocator
   * does; everything after is ignored.
   */
  push(bytes: Bytes): void {
    let offset = 0;
    while (offset < bytes.length && !this.#broken) {
      offset =
        this.#header === undefined ? this.#takeHeader(bytes, offset) : this.#takePayload(bytes, offset);
    }
  }

  /** To be called when the stream has ended: `FRAME_TRUNCATED` when that was inside a frame. */
  end(): void {
    if (this.#broken || (this.#headerFilled === 0 && this.#header === undefined)) return;
    this.#broken = true;
    throw transferError('FRAME_TRUNCATED', 'the stream ended inside a frame', {
      fields: { missingBytes: this.#missingBytes() },
    });
  }

  #missingBytes(): number {
    if (this.#header === undefined) return frameHeaderBytes - this.#headerFilled;
    return this.#header.payloadBytes - this.#payloadFilled;
  }

  #takeHeader(bytes: Bytes, offset: number): number {
    if (this.#headerFilled === 0 && bytes.length - offset >= frameHeaderBytes) {
      this.#begin(bytes, offset);
      return offset + frameHeaderBytes;
    }
    const count = Math.min(frameHeaderBytes - this.#headerFilled, bytes.length - offset);
    this.#headerBytes.set(bytes.subarray(offset, offset + count), this.#headerFilled);
    this.#headerFilled += count;
    if (this.#headerFilled === frameHeaderBytes) {
      this.#headerFilled = 0;
      this.#begin(this.#headerBytes, 0);
    }
    return offset + count;
  }

  #begin(bytes: Bytes, offset: number): void {
    try {
      this.#header = decodeHeader(bytes, offset);
      this.#payload = this.#allocate(this.#header);
    } catch (error) {
      this.#broken = true;
      throw error;
    }
    this.#payloadFilled = 0;
    if (this.#header.payloadBytes === 0) this.#deliver(this.#header);
  }

  #takePayload(bytes: Bytes, offset: number): number {
    const header = this.#header!;
    const count = Math.min(header.payloadBytes - this.#payloadFilled, bytes.length - offset);
    const whole = offset === 0 && count === bytes.length;
    this.#payload.set(whole ? bytes : bytes.subarray(offset, offset + count), this.#payloadFilled);
    this.#payloadFilled += count;
    if (this.#payloadFilled === header.payloadBytes) this.#deliver(header);
    return offset + count;
  }

  #deliver(header: FrameHeader): void {
    const { kind, method, requestId } = header;
    const payload = this.#payload;
    this.#header = undefined;
    this.#payload = this.#headerBytes;
    this.#frame({ kind, method, requestId, payload });
  }
}

function decodeHeader(bytes: Bytes, offset: number): FrameHeader {
  const payloadBytes = readUint32(bytes, offset);
  const version = bytes[offset + 4]!;
  const kind = bytes[offset + 5]!;
  const method = (bytes[offset + 6]! << 8) | bytes[offset + 7]!;
  const requestId = readUint32(bytes, offset + 8);
  if (version !== frameVersion) {
    throw transferError('FRAME_VERSION_UNKNOWN', `a frame of version ${version}`, {
      fields: { version, requestId },
    });
  }
  if (!isKind(kind)) {
    throw transferError('FRAME_KIND_UNKNOWN', `a frame of kind ${kind}`, { fields: { kind, requestId } });
  }
  if (payloadBytes > framePayloadBytesMax) throw tooLong(payloadBytes, requestId);
  return { payloadBytes, kind, method, requestId };
}

function isKind(kind: number): kind is FrameKind {
  return kind >= frameKinds.request && kind <= frameKinds.error;
}

export function tooLong(
  payloadBytes: number,
  requestId: number,
  payloadBytesMax: number = framePayloadBytesMax,
): AetherError<TransferErrorCode> {
  return transferError('FRAME_TOO_LONG', `a frame of ${payloadBytes} bytes, more than the most allowed`, {
    fields: { payloadBytes, payloadBytesMax, requestId },
  });
}

function readUint32(bytes: Bytes, offset: number): number {
  return (
    ((bytes[offset]! << 24) | (bytes[offset + 1]! << 16) | (bytes[offset + 2]! << 8) | bytes[offset + 3]!) >>>
    0
  );
}

function writeUint32(bytes: Bytes, offset: number, value: number): void {
  bytes[offset] = value >>> 24;
  bytes[offset + 1] = value >>> 16;
  bytes[offset + 2] = value >>> 8;
  bytes[offset + 3] = value;
}
