import { assert } from '../base/assert.ts';
import { type Bytes, equalBytes, fromHex, toHex, viewOf } from '../base/bytes.ts';
import type { Vector } from './log/log-store.ts';

/** What a box has of the pool's members and logs, to be compared with what another one has. */
export interface PoolSummary {
  /** SHA-256 of the member set's records. */
  readonly members: Bytes;
  readonly logs: Vector;
}

/** As much of another box's as one packet carries: identifiers cut short, and not every author every time. */
export interface HeardSummary {
  /** First bytes of the digest. */
  readonly members: Bytes;
  /** Number of the next record, by the first bytes of the author's id in hexadecimal. */
  readonly logs: ReadonlyMap<string, number>;
}

const prefixBytes = 8;
const countBytes = 6;
const entryBytes = prefixBytes + countBytes;

/**
 * The bytes of docs/formats.md §10: the digest's first 8 bytes, then for each author the first 8 of its id and the
 * number of its next record (6). `first` (hexadecimal) leads; of the others as many as fit `bytesMax`, and in the next
 * `turn` those after them.
 */
export function encodePoolSummary(
  { members, logs }: PoolSummary,
  { first, turn, bytesMax }: { readonly first: string; readonly turn: number; readonly bytesMax: number },
): Bytes {
  const entriesMax = Math.floor((bytesMax - prefixBytes) / entryBytes);
  assert(entriesMax > 1, 'a summary has room for other authors');
  const own = logs.get(first);
  const others = [...logs].filter(([author]) => author !== first).sort(([a], [b]) => (a < b ? -1 : 1));
  const room = Math.min(others.length, entriesMax - 1);
  const from = (turn * room) % Math.max(1, others.length);
  const chosen = [...others, ...others].slice(from, from + room);
  const entries = own === undefined ? chosen : [[first, own] as const, ...chosen];
  const bytes = new Uint8Array(prefixBytes + entries.length * entryBytes);
  bytes.set(members.subarray(0, prefixBytes));
  for (const [index, [author, count]] of entries.entries()) {
    const at = prefixBytes + index * entryBytes;
    bytes.set(fromHex(author.slice(0, 2 * prefixBytes))!, at);
    const view = viewOf(bytes);
    view.setUint16(at + prefixBytes, Math.floor(count / 2 ** 32));
    view.setUint32(at + prefixBytes + 2, count % 2 ** 32);
  }
  return bytes;
}

/** What {@link encodePoolSummary} wrote, or undefined when it did not write that. */
export function decodePoolSummary(bytes: Bytes): HeardSummary | undefined {
  if (bytes.length < prefixBytes || (bytes.length - prefixBytes) % entryBytes !== 0) return undefined;
  const view = viewOf(bytes);
  const logs = new Map<string, number>();
  for (let at = prefixBytes; at < bytes.length; at += entryBytes) {
    const count = view.getUint16(at + prefixBytes) * 2 ** 32 + view.getUint32(at + prefixBytes + 2);
    logs.set(toHex(bytes.subarray(at, at + prefixBytes)), count);
  }
  return { members: bytes.slice(0, prefixBytes), logs };
}

/** Whether the other's member set is another one; which has more, only an exchange tells. */
export function membersDiffer(ours: PoolSummary, theirs: HeardSummary): boolean {
  return !equalBytes(ours.members.subarray(0, prefixBytes), theirs.members);
}

/** Whether the other has records of any author that we lack. */
export function lacksRecords(ours: PoolSummary, theirs: HeardSummary): boolean {
  const counts = new Map([...ours.logs].map(([author, count]) => [author.slice(0, 2 * prefixBytes), count]));
  return [...theirs.logs].some(([author, count]) => count > (counts.get(author) ?? 0));
}
