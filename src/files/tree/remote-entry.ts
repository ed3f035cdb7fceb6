import type { Bytes } from '../../base/bytes.ts';
import { CborFields, type CborValue } from '../../base/cbor.ts';
import { type Version, versionFromCbor, versionToCbor } from '../log/operations.ts';
import { nodeIdBytes } from '../node-id.ts';

/** What is at a path, as `tree.stat` and `tree.list` answer. */
export interface RemoteEntry extends Version {
  /** As it is shown; empty for the root. */
  readonly name: string;
  readonly node: Bytes;
}

export function entryToCbor(entry: RemoteEntry): CborValue {
  return { name: entry.name, node: entry.node, ...versionToCbor(entry) };
}

/** Errors: `CBOR_INVALID`, `LOG_RECORD_INVALID`, `CONTENT_INVALID`. The name is not checked. */
export function entryFromCbor(value: CborValue): RemoteEntry {
  const fields = new CborFields(value);
  return { name: fields.text('name'), node: fields.bytes('node', nodeIdBytes), ...versionFromCbor(fields) };
}
