import { type Bytes, viewOf } from '../../base/bytes.ts';
import { CborFields, type CborValue } from '../../base/cbor.ts';
import { contentDepthMax, inlineFileBytesMax, rootReferencesMax } from '../../base/limits.ts';
import { filesError } from '../files-error.ts';

/**
 * Where a file's bytes are (formats.md §9). Depth 0: here. Depth 1: `chunks` are references to the chunks whose
 * plaintexts are the file, end to end. Depth d > 1: to chunks whose plaintexts are the list of depth d − 1.
 */
export type Content =
  | { readonly depth: 0; readonly inline: Bytes }
  | { readonly depth: number; readonly chunks: Bytes };

export interface ChunkReference {
  readonly id: Bytes;
  readonly key: Bytes;
  /** Bytes of the file that this chunk, or the list in it, stands for. */
  readonly fileBytes: number;
}

/** id (32), key (32), bytes of the file it stands for (8). */
const referenceBytes = 72;

export const emptyContent: Content = { depth: 0, inline: new Uint8Array(0) };

export function isInline(content: Content): content is { readonly depth: 0; readonly inline: Bytes } {
  return content.depth === 0;
}

export function contentToCbor(content: Content): CborValue {
  return isInline(content)
    ? { depth: 0, inline: content.inline }
    : { depth: content.depth, chunks: content.chunks };
}

/** Errors: `CBOR_INVALID`, `CONTENT_INVALID` (not one that a file of `sizeBytes` can have). */
export function contentFromCbor(value: CborValue, sizeBytes: number): Content {
  const fields = new CborFields(value);
  const depth = fields.count('depth');
  if (depth === 0) {
    const inline = fields.bytes('inline');
    if (inline.length > inlineFileBytesMax || inline.length !== sizeBytes) throw invalid('inline bytes');
    return { depth, inline };
  }
  const chunks = fields.bytes('chunks');
  if (depth > contentDepthMax) throw invalid(`depth ${depth}`);
  if (chunks.length === 0 || chunks.length > rootReferencesMax * referenceBytes) throw invalid('references');
  if (sumOfFileBytes(chunks) !== sizeBytes) throw invalid('references that do not add up to the size');
  return { depth, chunks };
}

export function encodeReference(reference: ChunkReference): Bytes {
  const bytes = new Uint8Array(referenceBytes);
  bytes.set(reference.id, 0);
  bytes.set(reference.key, 32);
  viewOf(bytes).setBigUint64(64, BigInt(reference.fileBytes));
  return bytes;
}

/** Errors: `CONTENT_INVALID`: not a whole number of references, or one that stands for nothing. */
export function decodeReferences(list: Bytes): readonly ChunkReference[] {
  if (list.length % referenceBytes !== 0) throw invalid('a torn reference');
  const view = viewOf(list);
  const references: ChunkReference[] = [];
  for (let offset = 0; offset < list.length; offset += referenceBytes) {
    const fileBytes = Number(view.getBigUint64(offset + 64));
    if (fileBytes === 0 || !Number.isSafeInteger(fileBytes)) throw invalid('a reference to nothing');
    references.push({
      id: list.slice(offset, offset + 32),
      key: list.slice(offset + 32, offset + 64),
      fileBytes,
    });
  }
  return references;
}

function sumOfFileBytes(list: Bytes): number {
  return decodeReferences(list).reduce((sum, { fileBytes }) => sum + fileBytes, 0);
}

function invalid(what: string) {
  return filesError('CONTENT_INVALID', `content: ${what}`);
}
