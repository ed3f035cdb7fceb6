import { type Bytes, equalBytes, toHex } from '../../base/bytes.ts';
import { AetherError, hasCode } from '../../base/errors.ts';
import { chunkIdsPerRequestMax, chunkRequestTimeoutMs } from '../../base/limits.ts';
import type { Log } from '../../base/log.ts';
import type { Compute } from '../../ports/compute.ts';
import type { Placement } from '../placement/placement.ts';
import { type ChunkToPut, encodeEntries, requestsOf } from './chunk-entry.ts';
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
   * Resolves when of each chunk as many boxes as the placement says, or all that answer where those are fewer, have
   * it durable; with one result for each. Asks the holders first which they have already, and sends only the others,
   * many in a request. Rejects, when everything has ended, with `POOL_FULL` when of some chunk every box that answered
   * is full, with `POOL_UNREACHABLE` when none took it. The bodies must not change before.
   */
  async putMany(chunks: readonly ChunkToPut[]): Promise<readonly PutResult[]> {
    const placement = this.#options.placement();
    const spreads = chunks.map((chunk) => this.#spreadOf(chunk, placement));
    await this.#askHolders(spreads);
    for (;;) {
      const sends = this.#nextSends(spreads, placement.replicas);
      if (sends.size === 0) break;
      await Promise.all([...sends.values()].map((send) => this.#send(send)));
    }
    return spreads.map((spread) => {
      const { holders } = spread;
      if (holders.length === 0) throw notStored(spread);
      return { copies: holders.length, holders };
    });
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

  #spreadOf(chunk: ChunkToPut, placement: Placement): Spread {
    const preference = placement.preference(chunk.id);
    return {
      chunk,
      boxes: preference.length,
      targets: this.#targets(placement, preference),
      holders: [],
      candidates: [...preference],
      failures: [],
    };
  }

  /** Notes which targets have which chunks already. One that does not answer counts as having none. */
  async #askHolders(spreads: readonly Spread[]): Promise<void> {
    const questions = new Map<string, Send>();
    for (const spread of spreads) {
      for (const memberId of spread.targets) add(questions, memberId, spread);
    }
    const ask = async ({ memberId, spreads: asked }: Send) => {
      for (let from = 0; from < asked.length; from += chunkIdsPerRequestMax) {
        const page = asked.slice(from, from + chunkIdsPerRequestMax);
        const has = await this.#hasAt(
          memberId,
          page.map(({ chunk }) => chunk.id),
        );
        page.forEach((spread, index) => {
          if (has[index] !== true) return;
          spread.holders.push(memberId);
          spread.candidates = spread.candidates.filter((candidate) => candidate !== memberId);
        });
      }
    };
    await Promise.allSettled([...questions.values()].map(ask));
  }

  /** For each chunk of which copies are missing as many of its next candidates, gathered by member. */
  #nextSends(spreads: readonly Spread[], replicas: number): ReadonlyMap<string, Send> {
    const sends = new Map<string, Send>();
    for (const spread of spreads) {
      const missing = Math.max(0, replicas - spread.holders.length);
      for (const memberId of spread.candidates.splice(0, missing)) add(sends, memberId, spread);
    }
    return sends;
  }

  async #send({ memberId, spreads }: Send): Promise<void> {
    const sendOne = async (some: readonly Spread[]) => {
      try {
        await this.#putTo(
          memberId,
          some.map(({ chunk }) => chunk),
        );
        for (const { holders } of some) holders.push(memberId);
      } catch (error) {
        for (const { failures } of some) failures.push(error);
      }
    };
    await Promise.all(requestsOf(spreads, ({ chunk }) => chunk).map(sendOne));
  }

  /** Who should have a chunk now: the first members in the order of preference that answer, if any does. */
  #targets(placement: Placement, preference: readonly Bytes[]): readonly Bytes[] {
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

  async #putTo(memberId: Bytes, chunks: readonly ChunkToPut[]): Promise<void> {
    const { local, directory } = this.#options;
    if (local !== undefined && this.#isLocal(memberId)) return local.store.putMany(chunks);
    const connection = await directory.connection(memberId);
    await connection.request(methods.chunkPut, encodeEntries(chunks), { timeoutMs: chunkRequestTimeoutMs });
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

/** One chunk on its way to its holders. */
interface Spread {
  readonly chunk: ChunkToPut;
  /** How many there are to choose from. */
  readonly boxes: number;
  /** Who should have it now. */
  readonly targets: readonly Bytes[];
  /** Who has it. */
  readonly holders: Bytes[];
  /** Who may take it, the first choice first. */
  candidates: Bytes[];
  readonly failures: unknown[];
}

/** Chunks that one member is asked about, or sent. */
interface Send {
  readonly memberId: Bytes;
  readonly spreads: Spread[];
}

function add(sends: Map<string, Send>, memberId: Bytes, spread: Spread): void {
  const name = toHex(memberId);
  const send = sends.get(name);
  if (send === undefined) sends.set(name, { memberId, spreads: [spread] });
  else send.spreads.push(spread);
}

function notStored({ boxes, failures }: Spread): AetherError {
  const full = failures.filter((error) => hasCode(error, 'STORE_FULL')).length;
  const answered = failures.filter((error) => error instanceof AetherError && !isSilence(error)).length;
  const options = { fields: { boxes, full }, cause: failures.at(-1) };
  if (full > 0 && full === answered) {
    return transferError('POOL_FULL', 'every box that answers is full', options);
  }
  return transferError('POOL_UNREACHABLE', 'no box took the chunk', options);
}

const silences = new Set(['PEER_UNREACHABLE', 'LINK_CLOSED', 'REQUEST_TIMEOUT', 'PEER_BUSY']);

function isSilence(error: AetherError): boolean {
  return silences.has(error.code);
}
