import { type Bytes, compareBytes, equalBytes } from '../../base/bytes.ts';
import { CborFields, type CborValue, decodeCbor, encodeCbor } from '../../base/cbor.ts';
import { basisStampsMax, linkTargetBytesMax, logOperationsMax } from '../../base/limits.ts';
import { type Content, contentFromCbor, contentToCbor } from '../contents/content.ts';
import { filesError } from '../files-error.ts';
import { nodeIdBytes, rootNode, trashNode } from '../node-id.ts';
import { nameProblem } from '../remote-path.ts';
import { compareTimes, decodeTime, encodeTime, type HybridTime } from './hybrid-clock.ts';

export type EntryKind = 'file' | 'directory' | 'symlink';

/** The node is now in `parent` under `name`. Into the trash is removal. */
export interface PlaceOperation {
  readonly op: 'place';
  readonly clock: HybridTime;
  readonly node: Bytes;
  readonly parent: Bytes;
  readonly name: string;
}

/** A new version of what the node is. */
export interface ContentOperation extends Version {
  readonly op: 'content';
  readonly clock: HybridTime;
  readonly node: Bytes;
  /** The versions that this one replaces. */
  readonly basis: readonly Stamp[];
}

export interface Version {
  readonly kind: EntryKind;
  /** Permission bits, 12 of them. */
  readonly mode: number;
  readonly mtimeMs: number;
  readonly size: number;
  /** Of files. */
  readonly content?: Content;
  /** Of symbolic links. */
  readonly target?: string;
}

export type Operation = PlaceOperation | ContentOperation;

/** Names one operation of the pool, and orders all of them. */
export interface Stamp {
  readonly clock: HybridTime;
  readonly author: Bytes;
}

export function compareStamps(a: Stamp, b: Stamp): number {
  return compareTimes(a.clock, b.clock) || compareBytes(a.author, b.author);
}

/** The CBOR list of operations that a log record seals. */
export function encodeOperations(operations: readonly Operation[]): Bytes {
  return encodeCbor(operations.map(operationToCbor));
}

/** Errors: `LOG_RECORD_INVALID`, `CBOR_INVALID`, `CONTENT_INVALID`. */
export function decodeOperations(bytes: Bytes): readonly Operation[] {
  const list = decodeCbor(bytes);
  if (!Array.isArray(list) || list.length === 0 || list.length > logOperationsMax) {
    throw invalid('a list of operations was expected');
  }
  return list.map((value) => operationFromCbor(value));
}

export function versionToCbor(version: Version): { [key: string]: CborValue } {
  return {
    kind: version.kind,
    mode: version.mode,
    mtime: version.mtimeMs,
    size: version.size,
    content: version.content === undefined ? null : contentToCbor(version.content),
    target: version.target ?? null,
  };
}

/** Errors: `LOG_RECORD_INVALID`, `CBOR_INVALID`, `CONTENT_INVALID`. */
export function versionFromCbor(fields: CborFields): Version {
  const kind = fields.text('kind');
  const mode = fields.count('mode');
  const mtimeMs = fields.value('mtime');
  const size = fields.count('size');
  if (mode > 0o7777) throw invalid('mode');
  if (typeof mtimeMs !== 'number' || !Number.isSafeInteger(mtimeMs)) throw invalid('mtime');
  if (kind === 'file') {
    return { kind, mode, mtimeMs, size, content: contentFromCbor(fields.value('content'), size) };
  }
  if (fields.has('content') || size !== 0) throw invalid('contents of what is no file');
  if (kind === 'directory') return { kind, mode, mtimeMs, size };
  if (kind !== 'symlink') throw invalid('kind');
  const target = fields.text('target');
  if (target === '' || target.includes('\0') || target.length > linkTargetBytesMax) throw invalid('target');
  return { kind, mode, mtimeMs, size, target };
}

export function stampToCbor(stamp: Stamp): CborValue {
  return [encodeTime(stamp.clock), stamp.author];
}

export function stampFromCbor(value: CborValue | undefined): Stamp {
  if (!Array.isArray(value) || value.length !== 2) throw invalid('stamp');
  const [clock, author] = value as readonly CborValue[];
  if (!(clock instanceof Uint8Array) || !(author instanceof Uint8Array) || author.length !== 32) {
    throw invalid('stamp');
  }
  return { clock: decodeTime(clock), author: new Uint8Array(author) };
}

function operationToCbor(operation: Operation): CborValue {
  const head = { op: operation.op, clock: encodeTime(operation.clock), node: operation.node };
  if (operation.op === 'place') return { ...head, parent: operation.parent, name: operation.name };
  return { ...head, ...versionToCbor(operation), basis: operation.basis.map(stampToCbor) };
}

function operationFromCbor(value: CborValue): Operation {
  const fields = new CborFields(value);
  const op = fields.text('op');
  const clock = decodeTime(fields.bytes('clock'));
  const node = fields.bytes('node', nodeIdBytes);
  // These two are everywhere the same without an operation: no record may move them or give them a version.
  if (equalBytes(node, rootNode) || equalBytes(node, trashNode)) throw invalid('the root or the trash');
  if (op === 'place') {
    const name = fields.text('name');
    if (nameProblem(name) !== undefined) throw invalid('name');
    return { op, clock, node, parent: fields.bytes('parent', nodeIdBytes), name };
  }
  if (op !== 'content') throw invalid('op');
  const basis = fields.list('basis');
  if (basis.length > basisStampsMax) throw invalid('basis');
  return { op, clock, node, ...versionFromCbor(fields), basis: basis.map(stampFromCbor) };
}

function invalid(what: string) {
  return filesError('LOG_RECORD_INVALID', `operation: ${what}`);
}
