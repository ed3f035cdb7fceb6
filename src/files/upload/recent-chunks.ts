import { toHex } from '../../base/bytes.ts';
import { recentChunksMax } from '../../base/limits.ts';
import type { ChunkToPut } from '../../pool/transfer/chunk-entry.ts';
import type { ChunkSink } from '../contents/content-writer.ts';

/** Sends each chunk of one upload once: what is stored, or on its way, is not sent again. */
export class RecentChunks {
  readonly #sink: ChunkSink;
  /** Copies of each chunk, when they are made. */
  readonly #chunks = new Map<string, number | Promise<number>>();

  constructor(sink: ChunkSink) {
    this.#sink = sink;
  }

  /** The least number of copies of `chunks`, infinite when there are none. Errors: those of the sink. */
  async put(chunks: readonly ChunkToPut[]): Promise<number> {
    const fresh = new Map<string, ChunkToPut>();
    const known: (number | Promise<number>)[] = [];
    for (const chunk of chunks) {
      const name = toHex(chunk.id);
      const copies = this.#chunks.get(name);
      if (copies !== undefined) known.push(copies);
      else fresh.set(name, chunk);
    }
    if (fresh.size > 0) known.push(this.#send(fresh));
    // Waits for all, also when one fails: the memory of the chunks serves others afterwards.
    await Promise.allSettled(known);
    return Math.min(Number.POSITIVE_INFINITY, ...(await Promise.all(known)));
  }

  #send(fresh: ReadonlyMap<string, ChunkToPut>): Promise<number> {
    const sent = this.#sink
      .putMany([...fresh.values()])
      .then((results) => Math.min(Number.POSITIVE_INFINITY, ...results.map(({ copies }) => copies)));
    for (const name of fresh.keys()) this.#chunks.set(name, sent);
    sent.then(
      (copies) => {
        for (const name of fresh.keys()) this.#chunks.set(name, copies);
        this.#forgetOldest();
      },
      () => {
        for (const name of fresh.keys()) this.#chunks.delete(name);
      },
    );
    return sent;
  }

  #forgetOldest(): void {
    for (const name of this.#chunks.keys()) {
      if (this.#chunks.size <= recentChunksMax) return;
      this.#chunks.delete(name);
    }
  }
}
