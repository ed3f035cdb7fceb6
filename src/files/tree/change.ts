import { CborFields, type CborValue } from '../../base/cbor.ts';
import { commitChangesMax } from '../../base/limits.ts';
import { filesError } from '../files-error.ts';
import { type Version, versionFromCbor, versionToCbor } from '../log/operations.ts';
import { checkNames, type RemotePath } from '../remote-path.ts';

/** Puts a file, directory or link at a path, over what is there; missing parents are made. */
export interface PutChange extends Version {
  readonly op: 'put';
  readonly path: RemotePath;
}

/** Removes what is at a path; a directory with something in it only when `recursive`. */
export interface RemoveChange {
  readonly op: 'remove';
  readonly path: RemotePath;
  readonly recursive: boolean;
}

export type Change = PutChange | RemoveChange;

export function changesToCbor(changes: readonly Change[]): CborValue {
  return changes.map((change): CborValue => {
    const { op, path } = change;
    return op === 'put' ? { op, path, ...versionToCbor(change) } : { op, path, recursive: change.recursive };
  });
}

/** Errors: `COMMIT_INVALID`, `COMMIT_TOO_LARGE`; `PATH_INVALID` with the field `change` (index). */
export function changesFromCbor(value: CborValue): readonly Change[] {
  if (!Array.isArray(value)) throw filesError('COMMIT_INVALID', 'a list of changes was expected');
  if (value.length > commitChangesMax) throw filesError('COMMIT_TOO_LARGE', 'too many changes in one commit');
  return value.map((item: CborValue, change) => atChange(change, () => changeFromCbor(new CborFields(item))));
}

/** Runs `action`; an error it throws gets the index of the change as a field. */
export function atChange<T>(change: number, action: () => T): T {
  try {
    return action();
  } catch (error) {
    const { code, message, fields } = error as { code?: string; message: string; fields?: object };
    if (code === undefined) throw error;
    const known = code === 'CBOR_INVALID' || code === 'LOG_RECORD_INVALID' ? 'COMMIT_INVALID' : code;
    throw filesError(known as 'COMMIT_INVALID', message, { fields: { ...fields, change }, cause: error });
  }
}

function changeFromCbor(fields: CborFields): Change {
  const op = fields.text('op');
  const path = pathFromCbor(fields.list('path'));
  if (op === 'put') return { op, path, ...versionFromCbor(fields) };
  if (op !== 'remove') throw filesError('COMMIT_INVALID', 'an unknown change');
  return { op, path, recursive: fields.flag('recursive') };
}

/** Errors: `PATH_INVALID`. */
export function pathFromCbor(names: readonly CborValue[]): RemotePath {
  return checkNames(names.map((name) => (typeof name === 'string' ? name : '')));
}
