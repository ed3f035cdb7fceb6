import type { Bytes } from '../../base/bytes.ts';
import { contentReadAheadBytes } from '../../base/limits.ts';
import { openChunk } from '../../store/seal.ts';
import { filesError } from '../files-error.ts';
import { type ChunkReference, type Content, decodeReferences, isInline } from './content.ts';

/** Where sealed chunks come from, verified against their id. */
export interface ChunkSource {
  get(id: Bytes): Promise<Bytes>;
}

export interface ReadOptions {
  /** First byte of the file to read; default 0. */
  readonly offset?: number;
  /** How many at most; default to the end. */
  readonly length?: number;
  /** How much of the file is fetched before it is asked for; default {@link contentReadAheadBytes}. */
  readonly readAheadBytes?: number;
}

interface Leaf {
  readonly reference: ChunkReference;
  /** Offset of the chunk in the file. */
  readonly start: number;
}

/**
 * The bytes of a file, in order, in parts that belong to the caller. Errors: those of `source`; `CHUNK_CORRUPT`;
 * `CONTENT_INVALID` for lists that are not what they should be.
 */
export async function* readContent(
  content: Content,
  source: ChunkSource,
  options: ReadOptions = {},
): AsyncGenerator<Bytes> {
  const from = options.offset ?? 0;
  const to = from + (options.length ?? Number.MAX_SAFE_INTEGER - from);
  if (isInline(content)) {
    const part = content.inline.subarray(from, to);
    if (part.length > 0) yield part;
    return;
  }
  const leaves = leavesOf({ list: content.chunks, depth: content.depth, start: 0 }, { from, to }, source);
  const readAheadBytes = options.readAheadBytes ?? contentReadAheadBytes;
  const ahead: { readonly leaf: Leaf; readonly plaintext: Promise<Bytes> }[] = [];
  let aheadBytes = 0;
  for (let ended = false; ; ) {
    while (!ended && (ahead.length === 0 || aheadBytes < readAheadBytes)) {
      const next = await leaves.next();
      ended = next.done === true;
      if (next.done) break;
      const plaintext = openReference(next.value.reference, source);
      plaintext.catch(() => {});
      ahead.push({ leaf: next.value, plaintext });
      aheadBytes += next.value.reference.fileBytes;
    }
    const first = ahead.shift();
    if (first === undefined) return;
    const { reference, start } = first.leaf;
    const plaintext = await first.plaintext;
    aheadBytes -= reference.fileBytes;
    if (plaintext.length !== reference.fileBytes) throw invalid('a chunk of another length');
    yield plaintext.subarray(Math.max(0, from - start), Math.min(plaintext.length, to - start));
  }
}

/** References to the chunks of the file that lie in the range. Lists are read when they are come to. */
async function* leavesOf(
  node: { readonly list: Bytes; readonly depth: number; readonly start: number },
  range: { readonly from: number; readonly to: number },
  source: ChunkSource,
): AsyncGenerator<Leaf> {
  let start = node.start;
  for (const reference of decodeReferences(node.list)) {
    const end = start + reference.fileBytes;
    if (start >= range.to) return;
    if (end > range.from) {
      if (node.depth === 1) yield { reference, start };
      else {
        const list = await openReference(reference, source);
        const sum = decodeReferences(list).reduce((total, { fileBytes }) => total + fileBytes, 0);
        if (sum !== reference.fileBytes) throw invalid('a list that stands for another length');
        yield* leavesOf({ list, depth: node.depth - 1, start }, range, source);
      }
    }
    start = end;
  }
}

async function openReference(reference: ChunkReference, source: ChunkSource): Promise<Bytes> {
  return openChunk(await source.get(reference.id), reference.key);
}

function invalid(what: string) {
  return filesError('CONTENT_INVALID', `content: ${what}`);
}
