import { type Bytes, equalBytes, toHex } from '../../base/bytes.ts';
import { AetherError, hasCode } from '../../base/errors.ts';
import { chunkIdsPerRequestMax, chunkRequestTimeoutMs, chunksReplicatingMax } from '../../base/limits.ts';
import type { Log } from '../../base/log.ts';
import type { Compute } from '../../ports/compute.ts';
import type { Placement } from '../placement/placement.ts';
import { askHas, type ChunkAsker, type ChunkHolder } from './chunk-handlers.ts';
import { transferError } from './errors.ts';
import { methods } from './methods.ts';

export interface ChunkReplicatorOptions {
  /** The placement as it is now; of boxes only. */
  readonly placement: () => Placement;
  readonly directory: {
    connection(memberId: Bytes): Promise<ChunkAsker>;
    isReachable(memberId: Bytes): boolean;
  };
  /** The own store, on a box; it counts as the holder that it is. */
  readonly local?: { readonly memberId: Bytes; readonly store: ChunkHolder };
  /** Hears of each box that gave a chunk whose bytes are not those its id names. */
  readonly onCorrupt?: (report: { readonly chunkId: Bytes; readonly memberId: Bytes }) => void;
}

export interface ChunkToPut {
  readonly id: Bytes;
  readonly body: Bytes;
}

export interface PutResult {
  /** Boxes that have the chunk durable. */
  readonly copies: number;
  readonly holders: readonly Bytes[];
}

/**
 * Chunks in the pool: written to as many boxes as the placement says, alternates standing in for those that fail,
 * and read from whoever has them whole.
 */
export class ChunkReplicator {
  readonly #options: ChunkReplicatorOptions;
  readonly #compute: Compute;
  readonly #log: Log;

  constructor(
    options: ChunkReplicatorOptions,
    { compute, log }: { readonly compute: Compute; readonly log: Log },
  ) {
    this.#options = options;
    this.#compute = compute;
    this.#log = log;
  }

  /**
   * Resolves when as many boxes as the placement says, or all that answer where those are fewer, have the chunk
   * durable. Rejects with `POOL_FULL` when every box that answered is full, with `POOL_UNREACHABLE` when none took
   * it. `body` must not change before.
   */
  put(id: Bytes, body: Bytes): Promise<PutResult> {
    return this.#spread({ id, body }, []);
  }

  /**
   * As `put`, for many at once: asks the holders first which they have already, and sends only the others. In the
   * order given; rejects with the first failure, when all have ended.
   */
  async putMany(chunks: readonly ChunkToPut[]): Promise<readonly PutResult[]> {
    const held = await this.#heldBy(chunks.map(({ id }) => id));
    const results: PutResult[] = new Array(chunks.length);
    const failures: unknown[] = [];
    let next = 0;
    const work = async () => {
      while (next < chunks.length) {
        const index = next++;
        try {
          results[index] = await this.#spread(chunks[index]!, held[index]!);
        } catch (error) {
          failures.push(error);
        }
      }
    };
    await Promise.all(Array.from({ length: Math.min(chunksReplicatingMax, chunks.length) }, work));
    if (failures.length > 0) throw failures[0];
    return results;
  }

  /** Those of `ids` that fewer boxes hold than the placement says and answer: what `putMany` would have to send. */
  async missing(ids: readonly Bytes[]): Promise<readonly Bytes[]> {
    const held = await this.#heldBy(ids);
    const placement = this.#options.placement();
    return ids.filter((id, index) => held[index]!.length < this.#targets(placement, id).length);
  }

  /**
   * The chunk, whole and checked against its id. Asks those who answer before those who may not, in the order of
   * the placement. Rejects with `CHUNK_CORRUPT` when only damaged copies were found, `CHUNK_NOT_FOUND` when every
   * box of the pool answered that it has none, `POOL_UNREACHABLE` when those that answered have none.
   */
  async get(id: Bytes): Promise<Bytes> {
    const preference = this.#options.placement().preference(id);
    const near = preference.filter((memberId) => this.#answers(memberId));
    const far = preference.filter((memberId) => !this.#answers(memberId));
    let corrupt = false;
    let silent = 0;
    let lastError: unknown;
    for (const memberId of [...near, ...far]) {
      try {
        const body = await this.#getFrom(memberId, id);
        if (equalBytes(await this.#compute.sha256(body), id)) return body;
        corrupt = true;
        this.#reportCorrupt(id, memberId);
      } catch (error) {
        lastError = error;
        if (hasCode(error, 'CHUNK_CORRUPT')) corrupt = true;
        else if (!hasCode(error, 'CHUNK_NOT_FOUND')) silent++;
      }
    }
    const fields = { chunkId: toHex(id), boxes: preference.length, silent };
    const options = { fields, cause: lastError };
    if (corrupt) throw transferError('CHUNK_CORRUPT', 'no box that answers has a good copy', options);
    if (silent > 0 || preference.length === 0) {
      throw transferError('POOL_UNREACHABLE', 'no box that answers has the chunk', options);
    }
    throw transferError('CHUNK_NOT_FOUND', 'no box of the pool has the chunk', options);
  }

  /** Writes to the members in the order of preference, as many at a time as copies are still missing. */
  async #spread({ id, body }: ChunkToPut, held: readonly Bytes[]): Promise<PutResult> {
    const { replicas, preference } = this.#plan(id);
    const holders = [...held];
    const candidates = preference.filter((memberId) => !held.some((other) => equalBytes(other, memberId)));
    const failures: unknown[] = [];
    const work = async () => {
      for (let memberId = candidates.shift(); memberId !== undefined; memberId = candidates.shift()) {
        try {
          await this.#putTo(memberId, id, body);
          holders.push(memberId);
          return;
        } catch (error) {
          failures.push(error);
        }
      }
    };
    await Promise.all(Array.from({ length: Math.max(0, replicas - held.length) }, work));
    if (holders.length > 0) return { copies: holders.length, holders };
    const full = failures.filter((error) => hasCode(error, 'STORE_FULL')).length;
    const answered = failures.filter((error) => error instanceof AetherError && !isSilence(error)).length;
    const options = { fields: { boxes: preference.length, full }, cause: failures.at(-1) };
    if (full > 0 && full === answered)
      throw transferError('POOL_FULL', 'every box that answers is full', options);
    throw transferError('POOL_UNREACHABLE', 'no box took the chunk', options);
  }

  #plan(id: Bytes): { readonly replicas: number; readonly preference: readonly Bytes[] } {
    const placement = this.#options.placement();
    return { replicas: placement.replicas, preference: placement.preference(id) };
  }

  /** For each id, which of its targets have it. A target that does not answer counts as having none. */
  async #heldBy(ids: readonly Bytes[]): Promise<readonly (readonly Bytes[])[]> {
    const placement = this.#options.placement();
    const held: Bytes[][] = ids.map(() => []);
    const questions = new Map<string, { readonly memberId: Bytes; readonly indexes: number[] }>();
    ids.forEach((id, index) => {
      for (const memberId of this.#targets(placement, id)) {
        const name = toHex(memberId);
        const question = questions.get(name);
        if (question === undefined) questions.set(name, { memberId, indexes: [index] });
        else question.indexes.push(index);
      }
    });
    const ask = async ({
      memberId,
      indexes,
    }: {
      readonly memberId: Bytes;
      readonly indexes: readonly number[];
    }) => {
      for (let from = 0; from < indexes.length; from += chunkIdsPerRequestMax) {
        const page = indexes.slice(from, from + chunkIdsPerRequestMax);
        const has = await this.#hasAt(
          memberId,
          page.map((index) => ids[index]!),
        );
        page.forEach((index, position) => {
          if (has[position] === true) held[index]!.push(memberId);
        });
      }
    };
    await Promise.allSettled([...questions.values()].map(ask));
    return held;
  }

  /** Who should have a chunk now: the first members in the order of preference that answer, if any does. */
  #targets(placement: Placement, id: Bytes): readonly Bytes[] {
    const preference = placement.preference(id);
    const near = preference.filter((memberId) => this.#answers(memberId));
    return (near.length > 0 ? near : preference).slice(0, placement.replicas);
  }

  #answers(memberId: Bytes): boolean {
    return this.#isLocal(memberId) || this.#options.directory.isReachable(memberId);
  }

  #isLocal(memberId: Bytes): boolean {
    const { local } = this.#options;
    return local !== undefined && equalBytes(local.memberId, memberId);
  }

  async #putTo(memberId: Bytes, id: Bytes, body: Bytes): Promise<void> {
    const { local, directory } = this.#options;
    if (local !== undefined && this.#isLocal(memberId)) return local.store.put(id, body);
    const connection = await directory.connection(memberId);
    await connection.request(methods.chunkPut, [id, body], { timeoutMs: chunkRequestTimeoutMs });
  }

  async #getFrom(memberId: Bytes, id: Bytes): Promise<Bytes> {
    const { local, directory } = this.#options;
    if (local !== undefined && this.#isLocal(memberId)) return local.store.get(id);
    const connection = await directory.connection(memberId);
    return connection.request(methods.chunkGet, id, { timeoutMs: chunkRequestTimeoutMs });
  }

  async #hasAt(memberId: Bytes, ids: readonly Bytes[]): Promise<readonly boolean[]> {
    const { local, directory } = this.#options;
    if (local !== undefined && this.#isLocal(memberId)) {
      return Promise.all(ids.map((id) => local.store.holds(id)));
    }
    return askHas(await directory.connection(memberId), ids, chunkRequestTimeoutMs);
  }

  #reportCorrupt(chunkId: Bytes, memberId: Bytes): void {
    this.#log.warn('a box gave a corrupt chunk', { chunkId: toHex(chunkId), memberId: toHex(memberId) });
    this.#options.onCorrupt?.({ chunkId, memberId });
  }
}

const silences = new Set(['PEER_UNREACHABLE', 'LINK_CLOSED', 'REQUEST_TIMEOUT', 'PEER_BUSY']);

function isSilence(error: AetherError): boolean {
  return silences.has(error.code);
}
