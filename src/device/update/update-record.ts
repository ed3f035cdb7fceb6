import { fromUtf8, utf8 } from '../../base/bytes.ts';
import {
  type ConfigOf,
  choiceField,
  countField,
  flagField,
  nullable,
  objectField,
  parseConfig,
  textField,
  withDefault,
} from '../../base/config.ts';
import { hasCode } from '../../base/errors.ts';
import { stateFileBytesMax } from '../../base/limits.ts';
import type { Log } from '../../base/log.ts';
import type { Disk } from '../../ports/disk.ts';
import { readFile, replaceFile } from '../../ports/replace-file.ts';

const text = textField({ charactersMax: 200 });

const schema = objectField({
  v: countField({ min: 1, max: 1 }),
  /**
   * `staged`: it may be installed; `installing`: that has begun; `installed`: the next start is into it; `rolled-back`: it
   * was tried, and the version before runs again.
   */
  phase: choiceField(['staged', 'installing', 'installed', 'rolled-back']),
  version: text,
  /** The box of the pool that has it, by member id; null: it is in the folder for updates. */
  from: nullable(textField({ charactersMax: 64, pattern: /^[0-9a-f]+$/ })),
  /** When a person wants it installed, in milliseconds since 1970; null: when a person says so. */
  atMs: nullable(countField({ max: Number.MAX_SAFE_INTEGER })),
  /** The system and the start of the kernel from which it was installed; null before. */
  slot: nullable(textField({ charactersMax: 64 })),
  bootId: nullable(textField({ charactersMax: 64 })),
  /** Whether another box of the pool answered then. */
  hadPeers: withDefault(flagField(), false),
  /** What it lacked when it was given up, or why it was not installed. */
  reason: nullable(text),
});

/** What a box remembers of an update over its starts; it has one at most. */
export type UpdateRecord = ConfigOf<typeof schema>;

/**
 * JSON in the state folder, written for people too, and for `after-crashes`, which looks for a trial when the program of
 * a new version does not even start (overlays/rootfs/usr/lib/aetherstore).
 */
const updateRecordPath = 'update.json';

/** Durable on return. Errors: those of the disk. */
export async function saveUpdateRecord(disk: Disk, record: UpdateRecord | undefined): Promise<void> {
  if (record !== undefined) return replaceFile(disk, updateRecordPath, utf8(`${JSON.stringify(record)}\n`));
  try {
    await disk.remove(updateRecordPath);
    await disk.syncDirectory('');
  } catch (error) {
    if (!hasCode(error, 'DISK_NOT_FOUND')) throw error;
  }
}

/** Undefined: there is none, or none that can be read: RAUC itself knows which system to start. Errors: those of the disk. */
export async function loadUpdateRecord(disk: Disk, log: Log): Promise<UpdateRecord | undefined> {
  const bytes = await readFile(disk, updateRecordPath, stateFileBytesMax);
  if (bytes === undefined) return undefined;
  try {
    return parseConfig(fromUtf8(bytes) ?? '', schema, updateRecordPath);
  } catch (error) {
    if (!hasCode(error, 'CONFIG_INVALID') && !hasCode(error, 'CONFIG_UNKNOWN_KEY')) throw error;
    log.warn('what was known of an update is damaged');
    return undefined;
  }
}
