import { type Bytes, concat, emptyBytes } from '../../base/bytes.ts';
import { chunkIdsPerRequestMax } from '../../base/limits.ts';
import { decodeEntries } from './chunk-entry.ts';
import { transferError } from './errors.ts';
import { methods } from './methods.ts';
import type { PeerDispatcher } from './peer-dispatcher.ts';

/** The chunks of one box, as transfer needs them. */
export interface ChunkHolder {
  /**
   * Resolves when the chunks are durable. Rejects with `STORE_FULL`, `CHUNK_ID_MISMATCH`, and others; some of them may
   * be held then. May not look at ids and bodies after that.
   */
  putMany(chunks: readonly { readonly id: Bytes; readonly body: Bytes }[]): Promise<void>;
  /**
   * Rejects with `CHUNK_NOT_FOUND`, `CHUNK_CORRUPT`. What it resolves with is either its own, which nobody changes, or
   * lies in memory that `allocate` gave for it.
   */
  get(id: Bytes, allocate?: (bytes: number) => Bytes): Promise<Bytes>;
  /** Only durable chunks count, on a disk that is there. */
  holds(id: Bytes): Promise<boolean>;
}

const chunkIdBytes = 32;

/** Serves `chunk.put`, `chunk.get` and `chunk.has` (docs/formats.md §6) from `store`. */
export function handleChunks(dispatcher: PeerDispatcher, store: ChunkHolder): void {
  dispatcher.handle(methods.chunkPut, async (payload) => {
    await store.putMany(decodeEntries(payload));
    return emptyBytes;
  });
  dispatcher.handle(methods.chunkGet, async (payload) => {
    if (payload.length !== chunkIdBytes) throw invalid('chunk.get takes one id', payload);
    // A large chunk is read into memory that is used again: fresh memory for each keeps the collector busy.
    const taken: Bytes[] = [];
    const release = () => {
      for (const memory of taken.splice(0)) dispatcher.payloads.release(memory);
    };
    const allocate = (bytes: number): Bytes => {
      const memory = dispatcher.payloads.take(bytes);
      taken.push(memory);
      return memory;
    };
    try {
      return { lent: await store.get(payload, allocate), release };
    } catch (error) {
      release();
      throw error;
    }
  });
  dispatcher.handle(methods.chunkHas, async (payload) => {
    const count = payload.length / chunkIdBytes;
    if (!Number.isInteger(count) || count > chunkIdsPerRequestMax) {
      throw invalid(`chunk.has takes up to ${chunkIdsPerRequestMax} ids`, payload);
    }
    const answer = new Uint8Array(count);
    for (let index = 0; index < count; index++) {
      const id = payload.subarray(index * chunkIdBytes, (index + 1) * chunkIdBytes);
      answer[index] = (await store.holds(id)) ? 1 : 0;
    }
    return answer;
  });
}

function invalid(message: string, payload: Bytes) {
  return transferError('PAYLOAD_INVALID', message, { fields: { bytes: payload.length } });
}

/** A box that is asked over the network: the asking side of {@link handleChunks}. */
export interface ChunkAsker {
  request(
    method: number,
    payload: readonly Bytes[] | Bytes,
    options?: { readonly timeoutMs?: number },
  ): Promise<Bytes>;
}

/** Which of `ids`, at most `chunkIdsPerRequestMax`, the box holds. */
export async function askHas(
  box: ChunkAsker,
  ids: readonly Bytes[],
  timeoutMs: number,
): Promise<readonly boolean[]> {
  const answer = await box.request(methods.chunkHas, concat(ids), { timeoutMs });
  if (answer.length !== ids.length || answer.some((byte) => byte > 1)) {
    throw invalid('the answer to chunk.has has another length or another content', answer);
  }
  return Array.from(answer, (byte) => byte === 1);
}
