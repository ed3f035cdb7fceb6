import { AetherError } from '../base/errors.ts';

/** What `aether` tells a script by its exit status; documented in `aether --help`. */
export const exitCodes = {
  done: 0,
  /** Something went wrong that no other number names. */
  failed: 1,
  /** The command line makes no sense. */
  usage: 2,
  /** The rest was done, but some files were left out; each was named. */
  partly: 3,
  /** No such file, folder or box. */
  notFound: 4,
  /** No box answers. */
  unreachable: 5,
  /** The box refuses: wrong code, locked, not a member, already claimed. */
  refused: 6,
  /** No space: in the pool, or on this computer. */
  full: 7,
  /** Stopped by Ctrl-C. */
  interrupted: 130,
} as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

const byErrorCode: Readonly<Record<string, ExitCode>> = {
  USAGE: exitCodes.usage,
  PATH_INVALID: exitCodes.usage,
  CONFIG_INVALID: exitCodes.usage,
  CONFIG_UNKNOWN_KEY: exitCodes.usage,
  INTERRUPTED: exitCodes.interrupted,
  PATH_NOT_FOUND: exitCodes.notFound,
  LOCAL_NOT_FOUND: exitCodes.notFound,
  BOX_NOT_FOUND: exitCodes.notFound,
  BOX_AMBIGUOUS: exitCodes.usage,
  NO_POOL: exitCodes.refused,
  UPDATE_UNTRUSTED: exitCodes.refused,
  UPDATE_UNREADABLE: exitCodes.refused,
  UPDATE_FOR_OTHER_BOARD: exitCodes.refused,
  UPDATE_DATA_FORMAT: exitCodes.refused,
  UPDATE_OLDER: exitCodes.refused,
  UPDATE_BUSY: exitCodes.refused,
  UPDATE_UNPROVEN: exitCodes.refused,
  UPDATE_CHANGED: exitCodes.refused,
  UPDATE_CLOCK_UNSET: exitCodes.refused,
  UPDATE_TOO_LARGE: exitCodes.refused,
  UPDATE_GONE: exitCodes.notFound,
  UPDATE_NOT_STAGED: exitCodes.notFound,
  UPDATER_UNAVAILABLE: exitCodes.refused,
  UPDATE_NO_ROOM: exitCodes.full,
  POOL_UNREACHABLE: exitCodes.unreachable,
  PEER_UNREACHABLE: exitCodes.unreachable,
  LINK_REFUSED: exitCodes.unreachable,
  LINK_TIMEOUT: exitCodes.unreachable,
  LINK_UNREACHABLE: exitCodes.unreachable,
  LINK_CLOSED: exitCodes.unreachable,
  REQUEST_TIMEOUT: exitCodes.unreachable,
  LINK_HANDSHAKE: exitCodes.refused,
  PEER_IDENTITY_MISMATCH: exitCodes.refused,
  CONNECTIONS_FULL: exitCodes.refused,
  PAIRING_CODE_WRONG: exitCodes.refused,
  PAIRING_CODE_INVALID: exitCodes.usage,
  PAIRING_LOCKED: exitCodes.refused,
  PAIRING_BUSY: exitCodes.refused,
  PAIRING_NO_CODE: exitCodes.refused,
  ENROLMENT_INVALID: exitCodes.refused,
  ALREADY_MEMBER: exitCodes.refused,
  NOT_A_MEMBER: exitCodes.refused,
  NOT_A_BOX: exitCodes.refused,
  FOREIGN_POOL: exitCodes.refused,
  ALREADY_CLAIMED: exitCodes.refused,
  NOT_CLAIMED: exitCodes.refused,
  STORE_FULL: exitCodes.full,
  POOL_FULL: exitCodes.full,
  DISK_FULL: exitCodes.full,
  LOCAL_FULL: exitCodes.full,
};

/** The exit status that stands for `error`. */
export function exitCodeOf(error: unknown): ExitCode {
  if (!(error instanceof AetherError)) return exitCodes.failed;
  return byErrorCode[error.code] ?? exitCodes.failed;
}
