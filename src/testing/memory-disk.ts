import { assert } from '../base/assert.ts';
import { type Bytes, concat, copyOf, sizeOf } from '../base/bytes.ts';
import { AetherError } from '../base/errors.ts';
import type { Disk, DiskErrorCode, DiskFile, DiskOpenMode, DiskSpace } from '../ports/disk.ts';
import { MemoryFile } from './memory-file.ts';
import type { SeededEntropy } from './seeded-entropy.ts';

export type DiskOperation = 'write' | 'truncate' | 'sync' | 'create' | 'rename' | 'remove' | 'syncDirectory';

export interface MemoryDiskOptions {
  /** Decides what a crash keeps. */
  readonly entropy: SeededEntropy;
  /** Capacity; default 1 TiB. */
  readonly totalBytes?: number;
}

type Entries = Map<string, MemoryFile | 'folder'>;

/** A change of names that no `syncDirectory` has made durable yet. */
interface NameChange {
  readonly folders: readonly string[];
  readonly apply: (entries: Entries) => void;
}

/**
 * A disk in memory that keeps what was synced apart from what was not, so that a crash can lose or tear the rest:
 * un-synced bytes at 512-byte borders, un-synced names from any point on.
 */
export class MemoryDisk implements Disk {
  readonly #entropy: SeededEntropy;
  #totalBytes: number;
  #entries: Entries = new Map([['', 'folder']]);
  #durable: Entries = new Map([['', 'folder']]);
  #nameChanges: NameChange[] = [];
  #open = new Set<MemoryDiskFile>();
  #failure: DiskErrorCode | undefined;
  #interceptor: (operation: DiskOperation, path: string) => void = () => {};

  constructor(options: MemoryDiskOptions) {
    this.#entropy = options.entropy;
    this.#totalBytes = options.totalBytes ?? 2 ** 40;
  }

  // -- faults ----------------------------------------------------------------------------------------------

  /** Calls `listener` before each operation that changes the disk; what it throws, the operation throws. */
  intercept(listener: (operation: DiskOperation, path: string) => void): void {
    this.#interceptor = listener;
  }

  /** Until {@link crash}, every operation fails and nothing changes any more. */
  powerOff(): void {
    this.#failure = 'DISK_GONE';
  }

  /** Cuts the power and gives it back: open files are dead, what was not synced is lost or torn. */
  crash(): void {
    for (const file of this.#open) file.kill();
    this.#open = new Set();
    this.#failure = undefined;
    this.#interceptor = () => {};
    const lostFrom = new Map<string, boolean>();
    for (const change of this.#nameChanges) {
      const lost = change.folders.some((folder) => lostFrom.get(folder)) || this.#entropy.chance(0.4);
      if (lost) for (const folder of change.folders) lostFrom.set(folder, true);
      else change.apply(this.#durable);
    }
    this.#nameChanges = [];
    this.#entries = reachable(this.#durable);
    this.#durable = new Map(this.#entries);
    for (const file of new Set(this.#entries.values())) if (file !== 'folder') file.crash(this.#entropy);
  }

  /** The disk is pulled out: everything is `DISK_GONE` from now on. */
  vanish(): void {
    this.#failure = 'DISK_GONE';
  }

  /** Every operation fails with `code` until it is called with undefined. */
  fail(code: DiskErrorCode | undefined): void {
    this.#failure = code;
  }

  /** No byte more fits. */
  fillUp(): void {
    this.#totalBytes = this.#usedBytes();
  }

  resize(totalBytes: number): void {
    this.#totalBytes = totalBytes;
  }

  /** Flips one bit of what is stored, unnoticed, as a decaying disk does. */
  corrupt(path: string, offset: number, bit = 0): void {
    this.#file(path).flip(offset, bit);
  }

  /** All of a file's bytes as a reader would see them now. */
  contents(path: string): Bytes {
    return copyOf(this.#file(path).bytes());
  }

  /** Paths of all files, sorted. */
  paths(): readonly string[] {
    return [...this.#entries].flatMap(([path, entry]) => (entry === 'folder' ? [] : [path])).sort();
  }

  /** How many files are open. */
  get openFiles(): number {
    return this.#open.size;
  }

  // -- Disk ------------------------------------------------------------------------------------------------

  async open(path: string, mode: DiskOpenMode): Promise<DiskFile> {
    this.#check();
    const found = this.#entries.get(path);
    if (found === 'folder') throw failure('DISK_DENIED', path);
    if (found !== undefined && mode === 'exclusive') throw failure('DISK_EXISTS', path);
    const file = found ?? this.#create(path, mode);
    const handle = new MemoryDiskFile(this, file, path, mode !== 'read');
    this.#open.add(handle);
    return handle;
  }

  async list(path: string): Promise<readonly string[]> {
    this.#check();
    if (this.#entries.get(path) !== 'folder') throw failure('DISK_NOT_FOUND', path);
    const prefix = path === '' ? '' : `${path}/`;
    return [...this.#entries.keys()]
      .filter((name) => name !== '' && name.startsWith(prefix) && !name.slice(prefix.length).includes('/'))
      .map((name) => name.slice(prefix.length))
      .sort();
  }

  async makeDirectory(path: string): Promise<void> {
    this.#check();
    for (const folder of foldersTo(path)) {
      const found = this.#entries.get(folder);
      if (found === 'folder') continue;
      if (found !== undefined) throw failure('DISK_EXISTS', folder);
      this.#changeNames([folderOf(folder)], (entries) => entries.set(folder, 'folder'));
    }
  }

  async rename(from: string, to: string): Promise<void> {
    this.#begin('rename', to);
    const file = this.#file(from);
    this.#needFolder(to);
    if (this.#entries.get(to) === 'folder') throw failure('DISK_EXISTS', to);
    this.#changeNames([folderOf(from), folderOf(to)], (entries) => {
      entries.delete(from);
      entries.set(to, file);
    });
  }

  async remove(path: string): Promise<void> {
    this.#begin('remove', path);
    this.#file(path);
    this.#changeNames([folderOf(path)], (entries) => entries.delete(path));
  }

  async syncDirectory(path: string): Promise<void> {
    this.#begin('syncDirectory', path);
    if (this.#entries.get(path) !== 'folder') throw failure('DISK_NOT_FOUND', path);
    const left: NameChange[] = [];
    for (const change of this.#nameChanges) {
      if (change.folders.includes(path)) change.apply(this.#durable);
      else left.push(change);
    }
    this.#nameChanges = left;
  }

  async space(): Promise<DiskSpace> {
    this.#check();
    return { totalBytes: this.#totalBytes, freeBytes: Math.max(0, this.#totalBytes - this.#usedBytes()) };
  }

  // -- for MemoryDiskFile ----------------------------------------------------------------------------------

  #begin(operation: DiskOperation, path: string): void {
    this.#check();
    this.#interceptor(operation, path);
    this.#check();
  }

  /** @internal */
  begin(operation: DiskOperation | 'read', path: string): void {
    if (operation === 'read') this.#check();
    else this.#begin(operation, path);
  }

  /** @internal Fails when a file of this disk cannot grow by `bytes`. */
  needSpace(bytes: number, path: string): void {
    if (bytes > 0 && this.#usedBytes() + bytes > this.#totalBytes) throw failure('DISK_FULL', path);
  }

  /** @internal */
  hasName(file: MemoryFile): boolean {
    for (const entry of this.#entries.values()) if (entry === file) return true;
    return false;
  }

  /** @internal */
  closed(handle: MemoryDiskFile): void {
    this.#open.delete(handle);
  }

  #check(): void {
    if (this.#failure !== undefined) throw failure(this.#failure, '');
  }

  #create(path: string, mode: DiskOpenMode): MemoryFile {
    if (mode === 'read' || mode === 'write') throw failure('DISK_NOT_FOUND', path);
    this.#needFolder(path);
    this.#begin('create', path);
    const file = new MemoryFile();
    this.#changeNames([folderOf(path)], (entries) => entries.set(path, file));
    return file;
  }

  #changeNames(folders: readonly string[], apply: (entries: Entries) => void): void {
    apply(this.#entries);
    this.#nameChanges.push({ folders, apply });
  }

  #needFolder(path: string): void {
    if (this.#entries.get(folderOf(path)) !== 'folder') throw failure('DISK_NOT_FOUND', folderOf(path));
  }

  #file(path: string): MemoryFile {
    const found = this.#entries.get(path);
    if (found === undefined) throw failure('DISK_NOT_FOUND', path);
    if (found === 'folder') throw failure('DISK_DENIED', path);
    return found;
  }

  #usedBytes(): number {
    let used = 0;
    for (const entry of this.#entries.values()) if (entry !== 'folder') used += entry.sizeBytes;
    return used;
  }
}

class MemoryDiskFile implements DiskFile {
  readonly #disk: MemoryDisk;
  readonly #file: MemoryFile;
  readonly #path: string;
  readonly #writable: boolean;
  #state: 'open' | 'closed' | 'dead' = 'open';

  constructor(disk: MemoryDisk, file: MemoryFile, path: string, writable: boolean) {
    this.#disk = disk;
    this.#file = file;
    this.#path = path;
    this.#writable = writable;
  }

  kill(): void {
    this.#state = 'dead';
  }

  async read(into: Bytes, position: number): Promise<number> {
    this.#begin('read');
    const found = this.#file.bytes().subarray(position, position + into.length);
    into.set(found);
    return found.length;
  }

  async write(parts: readonly Bytes[], position: number): Promise<void> {
    this.#begin('write');
    const bytes = copyOf(concat(parts));
    this.#disk.needSpace(position + sizeOf(parts) - this.#file.sizeBytes, this.#path);
    this.#file.write(bytes, position);
  }

  async sync(): Promise<void> {
    this.#begin('sync');
    if (!this.#disk.hasName(this.#file)) throw failure('DISK_GONE', this.#path);
    const synced = this.#file.markSync();
    await Promise.resolve();
    this.#begin('read');
    this.#file.endSync(synced);
  }

  async sizeBytes(): Promise<number> {
    this.#begin('read');
    return this.#file.sizeBytes;
  }

  async truncate(sizeBytes: number): Promise<void> {
    this.#begin('truncate');
    this.#disk.needSpace(sizeBytes - this.#file.sizeBytes, this.#path);
    this.#file.truncate(sizeBytes);
  }

  async close(): Promise<void> {
    if (this.#state === 'open') this.#state = 'closed';
    this.#disk.closed(this);
  }

  #begin(operation: DiskOperation | 'read'): void {
    assert(this.#state !== 'closed', `${this.#path} is used after it was closed`);
    assert(
      operation === 'read' || operation === 'sync' || this.#writable,
      `${this.#path} was opened to read`,
    );
    if (this.#state === 'dead') throw failure('DISK_GONE', this.#path);
    this.#disk.begin(operation, this.#path);
  }
}

function failure(code: DiskErrorCode, path: string): AetherError<DiskErrorCode> {
  return new AetherError(code, `${code} at ${path === '' ? 'the disk' : path}`, { fields: { path } });
}

function folderOf(path: string): string {
  const slash = path.lastIndexOf('/');
  return slash < 0 ? '' : path.slice(0, slash);
}

/** `a/b/c` → `a`, `a/b`, `a/b/c`. */
function foldersTo(path: string): readonly string[] {
  if (path === '') return [];
  const parts = path.split('/');
  return parts.map((_, index) => parts.slice(0, index + 1).join('/'));
}

/** What is left when names inside folders that were themselves lost are gone too. */
function reachable(entries: Entries): Entries {
  const kept: Entries = new Map();
  for (const [path, entry] of [...entries].sort(([a], [b]) => a.length - b.length)) {
    if (path === '' || kept.get(folderOf(path)) === 'folder') kept.set(path, entry);
  }
  return kept;
}
