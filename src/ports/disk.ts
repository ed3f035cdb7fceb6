import type { Bytes } from '../base/bytes.ts';

/**
 * A directory that one part of the box owns: a volume, or the state folder. Paths are relative, separated by `/`,
 * without `..`. Errors are `AetherError<DiskErrorCode>`.
 */
export interface Disk {
  /**
   * Opens a file. `read`: must exist. `write`: must exist, read and write. `create`: made when missing, read and
   * write; `exclusive`: must not exist. A new file's name is durable only after `syncDirectory` of its folder.
   */
  open(path: string, mode: DiskOpenMode): Promise<DiskFile>;
  /** Names in a folder, sorted; an absent folder is `DISK_NOT_FOUND`. */
  list(path: string): Promise<readonly string[]>;
  /** Makes the folder and those above it; one that exists is no error. */
  makeDirectory(path: string): Promise<void>;
  /** Replaces `to` atomically; durable after `syncDirectory`. */
  rename(from: string, to: string): Promise<void>;
  remove(path: string): Promise<void>;
  syncDirectory(path: string): Promise<void>;
  space(): Promise<DiskSpace>;
}

export interface DiskFile {
  /** Reads up to `into.length` bytes at `position`; returns how many there were (fewer only at the end). */
  read(into: Bytes, position: number): Promise<number>;
  /** Writes `parts` end to end at `position`. Nothing is durable before `sync`. */
  write(parts: readonly Bytes[], position: number): Promise<void>;
  /**
   * Makes everything written so far, and the file's length, durable. Fails with `DISK_GONE` when the file is no
   * longer reachable by name (its disk was taken away), so that nothing is acknowledged into the void.
   */
  sync(): Promise<void>;
  sizeBytes(): Promise<number>;
  truncate(sizeBytes: number): Promise<void>;
  close(): Promise<void>;
}

export type DiskOpenMode = 'read' | 'write' | 'create' | 'exclusive';

export interface DiskSpace {
  readonly totalBytes: number;
  readonly freeBytes: number;
}

export type DiskErrorCode =
  | 'DISK_NOT_FOUND'
  | 'DISK_EXISTS'
  /** No space left (ENOSPC, EDQUOT). */
  | 'DISK_FULL'
  | 'DISK_DENIED'
  /** The disk went away: unplugged, unmounted, or its folder deleted. */
  | 'DISK_GONE'
  /** The disk answers with an error (EIO). */
  | 'DISK_IO'
  /** The disk does not answer. */
  | 'DISK_SILENT';
