import { sealChunk } from '../src/store/seal.ts';
import { type Corpus, chunksOf, encodeNumbers, photographs, sourceText } from './corpus.ts';
import { type BenchContext, type Benchmark, measure, type Row } from './harness.ts';

const dataBytes = 64 * 1024 * 1024;

/** Sealing of bytes in memory, one thread each. */
export const sealBenchmark: Benchmark = {
  name: 'seal',
  about: 'compress, encrypt and hash a chunk against the same through libcrypto and libzstd in C',
  async run(context: BenchContext): Promise<readonly Row[]> {
    const text = sourceText(dataBytes);
    const photos = photographs(dataBytes);
    return [await compareSeal(context, 'text', text), await compareSeal(context, 'photos', photos)];
  },
};

async function compareSeal(context: BenchContext, what: string, corpus: Corpus): Promise<Row> {
  const data = context.file(`seal-${what}.data`, corpus.data);
  const ends = context.file(`seal-${what}.ends`, encodeNumbers(corpus.ends));
  const chunks = chunksOf(corpus);
  const secret = new Uint8Array(32);
  let sealedBytes = 0;
  return context.compare({
    name: `seal ${what}`,
    peer: 'C over OpenSSL and zstd',
    unit: 'bytes',
    per: 'second',
    rounds: 5,
    runOurs: () =>
      measure(corpus.data.length, () => {
        sealedBytes = 0;
        for (const chunk of chunks) sealedBytes += sealChunk(chunk, secret, 'aes-256-gcm').body.length;
      }),
    runPeer: async () => {
      const answer = await context.runPeer('seal', [data, ends], ['crypto', 'zstd']);
      // Another version of zstd may save a little more or less; other work would differ by far more.
      if (Math.abs(answer.units / sealedBytes - 1) > 0.02) {
        throw new Error(`the C sealer makes ${answer.units} bytes where ours makes ${sealedBytes}`);
      }
      return { ...answer, units: corpus.data.length };
    },
  });
}
