import { type Bytes, viewOf } from '../../base/bytes.ts';
import { framePayloadBytesMax } from '../../base/limits.ts';
import { transferError } from './errors.ts';

/**
 * Entries of `chunk.put` (docs/formats.md §6): id (32), length of the sealed chunk (4), zeros (4), the sealed chunk,
 * zeros to a multiple of 8. Who seals chunks where their entries will stand sends them without copying.
 */

export interface ChunkToPut {
  readonly id: Bytes;
  readonly body: Bytes;
  /** The chunk's whole entry, where it is laid out already. */
  readonly entry?: Bytes;
}

export const entryHeaderBytes = 40;
const idBytes = 32;
const alignment = 8;

/** What the entry of a sealed chunk takes. */
export function entryBytes(bodyBytes: number): number {
  return entryHeaderBytes + bodyBytes + (-bodyBytes & (alignment - 1));
}

/** Completes the entry that fills `entry`, in which the body stands already. */
export function layOutEntry(entry: Bytes, id: Bytes, bodyBytes: number): void {
  writeHeader(entry, id, bodyBytes);
  entry.fill(0, entryHeaderBytes + bodyBytes);
}

/** The chunk whose entry fills `entry`. */
export function entryIn(entry: Bytes, bodyBytes: number): ChunkToPut {
  const body = entry.subarray(entryHeaderBytes, entryHeaderBytes + bodyBytes);
  return { id: entry.subarray(0, idBytes), body, entry };
}

/** The payload of one `chunk.put`, in parts; entries that stand end to end in memory are one part. */
export function encodeEntries(chunks: readonly ChunkToPut[]): readonly Bytes[] {
  const parts: Bytes[] = [];
  for (const { id, body, entry } of chunks) {
    if (entry === undefined) {
      const header = new Uint8Array(entryHeaderBytes);
      writeHeader(header, id, body.length);
      parts.push(header, body, new Uint8Array(-body.length & (alignment - 1)));
      continue;
    }
    const last = parts.at(-1);
    const follows = last?.buffer === entry.buffer && last.byteOffset + last.length === entry.byteOffset;
    if (last === undefined || !follows) parts.push(entry);
    else parts[parts.length - 1] = new Uint8Array(last.buffer, last.byteOffset, last.length + entry.length);
  }
  return parts;
}

/** The chunks of a payload, in its memory. Errors: `PAYLOAD_INVALID`. */
export function decodeEntries(payload: Bytes): readonly ChunkToPut[] {
  const view = viewOf(payload);
  const chunks: ChunkToPut[] = [];
  for (let offset = 0; offset < payload.length || chunks.length === 0; ) {
    const start = offset + entryHeaderBytes;
    const bodyBytes = start <= payload.length ? view.getUint32(offset + idBytes) : 0;
    const end = offset + entryBytes(bodyBytes);
    if (bodyBytes === 0 || end > payload.length) {
      throw transferError(
        'PAYLOAD_INVALID',
        'chunk.put takes whole chunks, each with its id and its length',
        {
          fields: { bytes: payload.length, offset },
        },
      );
    }
    chunks.push({
      id: payload.subarray(offset, offset + idBytes),
      body: payload.subarray(start, start + bodyBytes),
    });
    offset = end;
  }
  return chunks;
}

/** Cuts a list into requests, as many chunks in each as fit a frame. */
export function requestsOf<Item>(
  items: readonly Item[],
  chunkOf: (item: Item) => ChunkToPut,
): readonly (readonly Item[])[] {
  const requests: Item[][] = [];
  let bytes = Number.POSITIVE_INFINITY;
  for (const item of items) {
    const more = entryBytes(chunkOf(item).body.length);
    if (bytes + more > framePayloadBytesMax) {
      requests.push([]);
      bytes = 0;
    }
    requests.at(-1)!.push(item);
    bytes += more;
  }
  return requests;
}

function writeHeader(into: Bytes, id: Bytes, bodyBytes: number): void {
  into.set(id);
  const view = viewOf(into);
  view.setUint32(idBytes, bodyBytes);
  view.setUint32(idBytes + 4, 0);
}
