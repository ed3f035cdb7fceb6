import { fromUtf8, utf8 } from '../../base/bytes.ts';
import {
  type ConfigField,
  type ConfigOf,
  type ConfigShape,
  choiceField,
  countField,
  flagField,
  listField,
  nullable,
  objectField,
  parseConfig,
  textField,
  withDefault,
} from '../../base/config.ts';
import { AetherError, describeError, hasCode } from '../../base/errors.ts';
import { stateFileBytesMax, volumesMax } from '../../base/limits.ts';
import type { Log } from '../../base/log.ts';
import type { Disk } from '../../ports/disk.ts';
import { readFile, replaceFile } from '../../ports/replace-file.ts';

/** The last moment that a date can show. */
export const hourMsMax = 8_640_000_000_000_000;

const text = textField({ charactersMax: 200 });
const volumeNames = listField(textField({ charactersMax: 255 }), { itemsMax: volumesMax });
const slotName = textField({ charactersMax: 64 });

/** A newer version may have noted more: what comes back from it reads what it knows. */
function recordField<Shape extends ConfigShape>(shape: Shape) {
  const whole = objectField(shape);
  const known = ([key]: readonly [string, unknown]) => Object.hasOwn(shape, key);
  const isObject = (value: unknown) => typeof value === 'object' && value !== null && !Array.isArray(value);
  return {
    read: (value: unknown, path: string) =>
      whole.read(
        isObject(value) ? Object.fromEntries(Object.entries(value as object).filter(known)) : value,
        path,
      ),
  };
}

const recordSchema = recordField({
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
  atMs: nullable(countField({ max: hourMsMax })),
  /** A person wants it though it is older than what ran then. */
  older: withDefault(flagField(), false),
  /** The system and the start of the kernel from which it was installed; null before. */
  slot: nullable(slotName),
  bootId: nullable(textField({ charactersMax: 64 })),
  /** Whether another box of the pool answered then. */
  hadPeers: withDefault(flagField(), false),
  /** How the box was then; null: nobody noted it (`BoxBefore`). Absent when null: versions from before do not know it. */
  before: nullable(
    recordField({
      servedVolumes: volumeNames,
      unreadableVolumes: volumeNames,
      network: flagField(),
    }),
  ),
  /** What it lacked when it was given up, or why it was not installed. */
  reason: nullable(text),
});

const provenSchema = recordField({ v: countField({ min: 1, max: 1 }), slot: slotName, version: text });

/** What a box remembers of an update over its starts; it has one at most. */
export type UpdateRecord = ConfigOf<typeof recordSchema>;

/** The system that has last shown that it works. */
export interface ProvenSlot {
  readonly slot: string;
  readonly version: string;
}

/** What a box knows of its systems when it starts. */
export interface UpdateMemory {
  /** `damaged`: there is one that cannot be read. */
  readonly record: UpdateRecord | 'damaged' | undefined;
  /** Undefined: none has shown that it works, or nobody knows any more. */
  readonly proven: ProvenSlot | undefined;
}

/**
 * JSON in the folder for updates, which a factory reset leaves as it is: it is about what is on the card, not about whose
 * the box is. Also read by `on-trial`, for a new version whose program does not even start (overlays/rootfs).
 */
const recordPath = 'update.json';
const provenPath = 'proven.json';

/** Durable on return. Errors: those of the disk. */
export function saveUpdateRecord(disk: Disk, record: UpdateRecord | undefined): Promise<void> {
  return save(
    disk,
    recordPath,
    record === undefined ? undefined : { ...record, before: record.before ?? undefined },
  );
}

/** Durable on return. Errors: those of the disk. */
export function saveProvenSlot(disk: Disk, proven: ProvenSlot | undefined): Promise<void> {
  return save(disk, provenPath, proven === undefined ? undefined : { v: 1, ...proven });
}

/** A card that cannot be read is a damaged memory: the box goes on without, and whoever reads it hears of it in the log. */
export async function loadUpdateMemory(disk: Disk, log: Log): Promise<UpdateMemory> {
  const record = await load(disk, recordPath, recordSchema, log);
  const proven = await load(disk, provenPath, provenSchema, log);
  if (proven === undefined || proven === 'damaged') return { record, proven: undefined };
  return { record, proven: { slot: proven.slot, version: proven.version } };
}

async function save(disk: Disk, path: string, value: object | undefined): Promise<void> {
  if (value !== undefined) return replaceFile(disk, path, utf8(`${JSON.stringify(value)}\n`));
  try {
    await disk.remove(path);
    await disk.syncDirectory('');
  } catch (error) {
    if (!hasCode(error, 'DISK_NOT_FOUND')) throw error;
  }
}

async function load<T>(
  disk: Disk,
  path: string,
  schema: ConfigField<T>,
  log: Log,
): Promise<T | 'damaged' | undefined> {
  try {
    const bytes = await readFile(disk, path, stateFileBytesMax);
    return bytes === undefined ? undefined : parseConfig(fromUtf8(bytes) ?? '', schema, path);
  } catch (error) {
    if (!(error instanceof AetherError)) throw error;
    log.warn('what was known of an update is damaged', { path, reason: describeError(error) });
    return 'damaged';
  }
}
