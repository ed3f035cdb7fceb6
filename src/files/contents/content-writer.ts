import type { Bytes } from '../../base/bytes.ts';
import { sealBatchBytes, sealBatchesInFlightMax } from '../../base/limits.ts';
import { Semaphore } from '../../base/semaphore.ts';
import type { ChunkToPut } from '../../pool/transfer/chunk-entry.ts';
import type { SealedChunk } from '../../store/seal.ts';
import { ContentSealer, type SealedContent, type SealSecrets } from './content-sealer.ts';

/** Where sealed chunks go. Resolves when they are acknowledged; one result for each chunk. */
export interface ChunkSink {
  /** Resolves when the chunks are durable. Afterwards the memory of their bodies serves others: keep none of it. */
  putMany(chunks: readonly ChunkToPut[]): Promise<readonly { readonly copies: number }[]>;
}

/**
 * Stores a stream of bytes as one file's content; resolves when every chunk is acknowledged. Seals on the calling
 * thread: for single files that come over the network. Errors: those of `source` and `sink`.
 */
export async function writeContent(
  source: AsyncIterable<Bytes>,
  secrets: SealSecrets,
  sink: ChunkSink,
): Promise<SealedContent> {
  let batch: SealedChunk[] = [];
  let batchBytes = 0;
  const sealer = new ContentSealer(secrets, (chunk) => {
    batch.push(chunk);
    batchBytes += chunk.body.length;
  });
  const places = new Semaphore(sealBatchesInFlightMax);
  let failure: { readonly error: unknown } | undefined;
  const flush = async () => {
    const chunks = batch;
    batch = [];
    batchBytes = 0;
    await places.acquire(1);
    sink
      .putMany(chunks)
      .catch((error) => {
        failure ??= { error };
      })
      .finally(() => places.release(1));
  };
  for await (const bytes of source) {
    for (let offset = 0; offset < bytes.length; ) {
      const space = sealer.space;
      const part = bytes.subarray(offset, offset + space.length);
      space.set(part);
      sealer.advance(part.length);
      offset += part.length;
      if (batchBytes >= sealBatchBytes) await flush();
      if (failure !== undefined) throw failure.error;
    }
  }
  const sealed = sealer.finish();
  if (batch.length > 0) await flush();
  // All places free: all batches have been answered.
  await places.acquire(sealBatchesInFlightMax);
  if (failure !== undefined) throw failure.error;
  return sealed;
}
