import { AetherError, type ErrorFields } from '../base/errors.ts';

/** What can go wrong with names, trees, logs and contents. */
export type FilesErrorCode =
  /** A path or a name that no desktop could show, or that would lead elsewhere. */
  | 'PATH_INVALID'
  | 'PATH_NOT_FOUND'
  | 'NOT_A_DIRECTORY'
  | 'IS_A_DIRECTORY'
  | 'NOT_EMPTY'
  /** A commit whose operations do not fit one log record. */
  | 'COMMIT_TOO_LARGE'
  | 'COMMIT_INVALID'
  /** A record that is not what formats.md §9 says. */
  | 'LOG_RECORD_INVALID'
  | 'LOG_VERSION_UNKNOWN'
  | 'LOG_SIGNATURE_INVALID'
  /** The author is no member of this pool (yet). */
  | 'LOG_AUTHOR_UNKNOWN'
  /** Records in between are missing; they have to come first. */
  | 'LOG_GAP'
  /** Two different records of one author have one number. */
  | 'LOG_FORKED'
  /** A log has lost records that were durable; it takes none until they have come back from a peer. */
  | 'LOG_CORRUPT'
  /** The disk refused a sync; nothing more is appended until the box restarts. */
  | 'LOG_FAILED'
  /** A time more than an hour ahead of ours. */
  | 'CLOCK_SKEW'
  /** No key of that epoch. */
  | 'EPOCH_UNKNOWN'
  | 'CONTENT_INVALID'
  /** A stored value of the tree does not open; the tree can be deleted and is made again from the logs. */
  | 'TREE_CORRUPT'
  | 'TREE_VERSION_UNKNOWN'
  /** A file changed while it was read, twice. */
  | 'SOURCE_CHANGED'
  /** A put was ended before this file was done. */
  | 'SOURCE_ABANDONED'
  /** A socket, pipe or device: it has no contents to keep. */
  | 'SOURCE_UNSUPPORTED';

const help: Partial<Record<FilesErrorCode, string>> = {
  PATH_INVALID: 'Use a path such as /photos/2026, without empty names, . or .. in it.',
  PATH_NOT_FOUND: 'Look at what is there with `aether ls`.',
  NOT_A_DIRECTORY: 'Choose another name: a file is where a directory is needed.',
  IS_A_DIRECTORY: 'Choose another name: a directory is where a file is needed.',
  NOT_EMPTY: 'Remove it with everything in it: `aether rm --recursive`.',
  COMMIT_TOO_LARGE: 'Send fewer changes at once.',
  LOG_CORRUPT: 'Switch on another box of the pool; the lost records are fetched from it.',
  LOG_FAILED: "Check the box's system disk, then restart the box.",
  LOG_FORKED:
    'Store through another box, and have this one set up anew: an old state of its disk was put back.',
  LOG_AUTHOR_UNKNOWN: 'Wait until the members of the pool have been exchanged.',
  CLOCK_SKEW:
    'The clocks of the boxes are more than an hour apart. Connect them to a network with a time server.',
  EPOCH_UNKNOWN: 'Wait until the box has met another member of the pool.',
  TREE_CORRUPT: 'Delete the tree folder of the box and restart it; the tree is made again from the logs.',
  TREE_VERSION_UNKNOWN: 'Run the newer version of AetherStore that wrote it, or delete the tree folder.',
  SOURCE_CHANGED: 'Store it again when nothing writes to it.',
};

export function filesError(
  code: FilesErrorCode,
  message: string,
  options: { readonly fields?: ErrorFields; readonly cause?: unknown } = {},
): AetherError<FilesErrorCode> {
  return new AetherError(code, message, { ...options, help: help[code] ?? '' });
}
