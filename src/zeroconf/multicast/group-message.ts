import { createCipheriv, createDecipheriv, hkdfSync } from 'node:crypto';
import { assert } from '../../base/assert.ts';
import { type Bytes, concat, toHex, utf8, viewOf } from '../../base/bytes.ts';
import { groupPacketBytesMax } from '../../base/discovery-limits.ts';

/*
 * Packets of the group channel, docs/formats.md §10: a header in clear, which is authenticated, and a sealed body.
 *
 *   0  1  version
 *   1  8  sender tag     who sent it, to those who hold the group key
 *   9 16  session        from one start of the sender to its next; its first 6 bytes masked
 *  25  6  counter        one more for each packet of a session, from one that only the sender knows
 *  31  n  body, AES-256-GCM
 *  31+n 16 its tag
 */
const version = 1;
const tagBytes = 8;
export const sessionBytes = 16;
const headerBytes = 31;
const sealBytes = 16;
const orderBytes = 6;
/** A session begins with any counter of so many bytes; at four packets a second it never comes to the last. */
const firstCounterBytes = 5;
const counterMax = 2 ** 48 - 1;

/** Bodies are padded to multiples of this, so that their length tells little of what is in them. */
const bodyStepBytes = 128;
const bodyHeaderBytes = 9;
const bodyBytesMax =
  Math.floor((groupPacketBytesMax - headerBytes - sealBytes) / bodyStepBytes) * bodyStepBytes;
/** What the composition may say in one packet. */
export const groupSummaryBytesMax = bodyBytesMax - bodyHeaderBytes;

/** What is in clear: random numbers to whoever lacks the group key. */
export interface GroupHeader {
  /** 16 hexadecimal digits; see {@link SenderNames}. */
  readonly tag: string;
  /** As it is sent, masked. */
  readonly session: Bytes;
  readonly counter: number;
}

/** `heartbeat`: said now and then. `change`: said because what is in it has changed. */
export type GroupMessageKind = 'heartbeat' | 'change';

export interface GroupMessage {
  readonly kind: GroupMessageKind;
  /** Where the sender listens for members (TCP). */
  readonly port: number;
  /** Free space in GiB. */
  readonly freeGiB: number;
  /** What the sender has, in the composition's own words; at most {@link groupSummaryBytesMax}. */
  readonly summary: Bytes;
}

/** Why a packet counts for nothing. */
export type GroupRefusal =
  /** No packet of ours, or of a version that we do not know. */
  | 'foreign'
  /** By nobody who holds the group key of this epoch, and is a member. */
  | 'stranger'
  /** Our own, come back. */
  | 'own'
  /** Of a session that ended, or older than what the window still knows. */
  | 'stale'
  /** Was here before: another link's copy, or a replay. */
  | 'seen'
  /** More than its sender, or all together, may have looked at. */
  | 'flood'
  /** Says whose it is, and is not. */
  | 'forged'
  /** By a member, of a kind that we do not know. */
  | 'unknown';

/** The receiver's side of {@link openGroupMessage}: the key for what comes with a header, or why not to look at it. */
export type GroupKeyring = (header: GroupHeader) => Bytes | GroupRefusal;

export type OpenedGroupMessage =
  | { readonly header: GroupHeader; readonly message: GroupMessage; readonly refusal?: undefined }
  | { readonly header: GroupHeader; readonly refusal: GroupRefusal }
  | { readonly header: undefined; readonly refusal: 'foreign' };

/** How a member is known in clear: pseudonyms that last for an epoch, and random bytes to who lacks the group key. */
export interface SenderNames {
  /** 16 hexadecimal digits. */
  readonly tag: string;
  /** What hides, in all its packets, when a session began. */
  readonly mask: Bytes;
}

export function senderNamesOf(groupKey: Bytes, memberId: Bytes): SenderNames {
  const bytes = derive(groupKey, [utf8('tag'), memberId], tagBytes + orderBytes);
  return { tag: toHex(bytes.subarray(0, tagBytes)), mask: bytes.slice(tagBytes) };
}

/** A session as it is sent, or one that was sent as it is: then, of one sender, those that began later are greater. */
export function maskSession(session: Bytes, { mask }: Pick<SenderNames, 'mask'>): Bytes {
  return session.map((byte, index) => byte ^ (mask[index] ?? 0));
}

/** The counter that the session with this key begins with: one that does not tell how much has been said since. */
export function firstCounterOf(key: Bytes): number {
  return Number.parseInt(toHex(derive(key, [utf8('counter')], firstCounterBytes)), 16);
}

/** The key of one session (unmasked) of one sender; with the counter as nonce, no nonce comes twice under a key. */
export function sessionKeyOf(groupKey: Bytes, memberId: Bytes, session: Bytes): Bytes {
  assert(session.length === sessionBytes, 'a session has 16 bytes');
  return derive(groupKey, [utf8('session'), memberId, session], 32);
}

/** One packet. `key` is the session's, and `counter` was never used with it. */
export function sealGroupMessage(key: Bytes, header: GroupHeader, message: GroupMessage): Bytes {
  const clear = encodeHeader(header);
  const cipher = createCipheriv('aes-256-gcm', key, nonceOf(header.counter));
  cipher.setAAD(clear);
  const sealed = cipher.update(encodeBody(message));
  return concat([clear, sealed, cipher.final(), cipher.getAuthTag()]);
}

/** What a packet says, or why it is refused. Never throws, whatever the bytes; `keyring` is asked before any crypto. */
export function openGroupMessage(keyring: GroupKeyring, bytes: Bytes): OpenedGroupMessage {
  const header = decodeHeader(bytes);
  if (header === undefined) return { header, refusal: 'foreign' };
  const key = keyring(header);
  if (typeof key === 'string') return { header, refusal: key };
  const body = openBody(key, header, bytes);
  if (body === undefined) return { header, refusal: 'forged' };
  const message = decodeBody(body);
  return message === undefined ? { header, refusal: 'unknown' } : { header, message };
}

function encodeHeader({ tag, session, counter }: GroupHeader): Bytes {
  assert(counter <= counterMax, 'a session has 2^48 packets');
  const bytes = new Uint8Array(headerBytes);
  bytes[0] = version;
  bytes.set(Buffer.from(tag, 'hex'), 1);
  bytes.set(session, 1 + tagBytes);
  writeUint48(bytes, headerBytes - 6, counter);
  return bytes;
}

function decodeHeader(bytes: Bytes): GroupHeader | undefined {
  const bodyBytes = bytes.length - headerBytes - sealBytes;
  if (bodyBytes < bodyStepBytes || bodyBytes > bodyBytesMax || bytes[0] !== version) return undefined;
  const { buffer, byteOffset } = bytes;
  return {
    tag: Buffer.from(buffer, byteOffset + 1, tagBytes).toString('hex'),
    session: bytes.slice(1 + tagBytes, 1 + tagBytes + sessionBytes),
    counter: readUint48(bytes, headerBytes - 6),
  };
}

function openBody(key: Bytes, { counter }: GroupHeader, bytes: Bytes): Bytes | undefined {
  const end = bytes.length - sealBytes;
  const decipher = createDecipheriv('aes-256-gcm', key, nonceOf(counter), { authTagLength: sealBytes });
  decipher.setAAD(bytes.subarray(0, headerBytes));
  decipher.setAuthTag(bytes.subarray(end));
  const body = decipher.update(bytes.subarray(headerBytes, end));
  try {
    return concat([body, decipher.final()]);
  } catch {
    return undefined;
  }
}

function encodeBody({ kind, port, freeGiB, summary }: GroupMessage): Bytes {
  assert(summary.length <= groupSummaryBytesMax, 'a summary fits its packet');
  const usedBytes = bodyHeaderBytes + summary.length;
  const body = new Uint8Array(Math.ceil(usedBytes / bodyStepBytes) * bodyStepBytes);
  const view = viewOf(body);
  view.setUint8(0, kind === 'heartbeat' ? 1 : 2);
  view.setUint16(1, port);
  view.setUint32(3, Math.min(freeGiB, 0xffffffff));
  view.setUint16(7, summary.length);
  body.set(summary, bodyHeaderBytes);
  return body;
}

function decodeBody(body: Bytes): GroupMessage | undefined {
  if (body.length < bodyHeaderBytes) return undefined;
  const view = viewOf(body);
  const kind = view.getUint8(0);
  const summaryEnd = bodyHeaderBytes + view.getUint16(7);
  if ((kind !== 1 && kind !== 2) || summaryEnd > body.length) return undefined;
  return {
    kind: kind === 1 ? 'heartbeat' : 'change',
    port: view.getUint16(1),
    freeGiB: view.getUint32(3),
    summary: body.slice(bodyHeaderBytes, summaryEnd),
  };
}

function nonceOf(counter: number): Bytes {
  const nonce = new Uint8Array(12);
  writeUint48(nonce, 6, counter);
  return nonce;
}

export function writeUint48(bytes: Bytes, offset: number, value: number): void {
  const view = viewOf(bytes);
  view.setUint16(offset, Math.floor(value / 2 ** 32));
  view.setUint32(offset + 2, value % 2 ** 32);
}

export function readUint48(bytes: Bytes, offset: number): number {
  const view = viewOf(bytes);
  return view.getUint16(offset) * 2 ** 32 + view.getUint32(offset + 2);
}

function derive(groupKey: Bytes, info: readonly Bytes[], byteCount: number): Bytes {
  return new Uint8Array(hkdfSync('sha256', groupKey, new Uint8Array(0), concat(info), byteCount));
}
