import type { Bytes } from '../base/bytes.ts';

/**
 * The files of the person at the desktop. Paths are the operating system's own. Errors are
 * `AetherError<LocalFilesErrorCode>`.
 */
export interface LocalFiles {
  /** What `path` itself is; links are not followed. */
  stat(path: string): Promise<LocalStat>;
  /** Entries of a directory, in batches of at most some hundreds, in no order. */
  list(directory: string): AsyncIterable<readonly LocalEntry[]>;
  /** What a symbolic link says. */
  readLink(path: string): Promise<string>;

  /** Makes a directory that its owner can write to; one that exists (and is no link) is no error. */
  makeDirectory(path: string): Promise<void>;
  /** Makes a file that must not exist, for its owner only. */
  create(path: string): Promise<LocalWriter>;
  /** Makes a link that must not exist. */
  makeLink(path: string, target: string): Promise<void>;
  /** Puts `from` in the place of `to`, which may be a file or link, not a directory. */
  replace(from: string, to: string): Promise<void>;
  remove(path: string): Promise<void>;
  /** Permission bits and time of last change of a directory. */
  setAttributes(directory: string, attributes: LocalAttributes): Promise<void>;

  join(directory: string, name: string): string;
  parentOf(path: string): string;
  /** The name that `path` ends with once it is made absolute; empty for a root. */
  nameOf(path: string): string;
  /** Whether a file of this system can be called so: no separator of its own in it, no reserved name. */
  acceptsName(name: string): boolean;
  /** Whether this system takes names for one that differ in case or Unicode form only. */
  readonly foldsNames: boolean;
}

export interface LocalWriter {
  write(bytes: Bytes): Promise<void>;
  /** Sets the attributes and closes. */
  finish(attributes: LocalAttributes): Promise<void>;
  /** Closes, leaving what was written. */
  abandon(): Promise<void>;
}

export interface LocalAttributes {
  /** Permission bits. */
  readonly mode: number;
  readonly mtimeMs: number;
}

export type LocalKind = 'file' | 'directory' | 'symlink' | 'other';

export interface LocalStat extends LocalAttributes {
  readonly kind: LocalKind;
  /** Of files. */
  readonly sizeBytes: number;
}

export interface LocalEntry {
  /** As the system gives it; undefined when it is no Unicode. */
  readonly name: string | undefined;
  /** The name for people. */
  readonly shownName: string;
  /** Undefined when it could not be read, or is gone since. */
  readonly stat: LocalStat | undefined;
}

/** Reads files on a thread that may wait for the disk. */
export interface BlockingFiles {
  /** A regular file; a link is not followed, a pipe is not waited for. */
  open(path: string): BlockingFile;
}

export interface BlockingFile {
  stat(): BlockingStat;
  /** Fills `into` from where the last read ended; returns how many bytes there were, 0 at the end. */
  read(into: Bytes): number;
  /** The next read begins at the beginning again. */
  rewind(): void;
  close(): void;
}

export interface BlockingStat extends LocalStat {
  /** Differs when the file was changed in between. */
  readonly changeToken: string;
}

export type LocalFilesErrorCode =
  | 'LOCAL_NOT_FOUND'
  | 'LOCAL_EXISTS'
  /** No permission. */
  | 'LOCAL_DENIED'
  /** The disk answers with an error, or something else came in between. */
  | 'LOCAL_UNREADABLE'
  /** No space left. */
  | 'LOCAL_FULL'
  /** The name, or its path, cannot be on this system. */
  | 'LOCAL_NAME_INVALID';
