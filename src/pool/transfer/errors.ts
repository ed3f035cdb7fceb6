import { AetherError, type ErrorFields } from '../../base/errors.ts';

export type TransferErrorCode =
  /** A frame of a format this program does not know. */
  | 'FRAME_VERSION_UNKNOWN'
  | 'FRAME_KIND_UNKNOWN'
  | 'FRAME_TOO_LONG'
  /** The stream ended inside a frame. */
  | 'FRAME_TRUNCATED'
  | 'METHOD_UNKNOWN'
  /** The payload of a request or an answer is not what its method says. */
  | 'PAYLOAD_INVALID'
  | 'NOT_A_MEMBER'
  | 'NOT_A_BOX'
  | 'FOREIGN_POOL'
  /** The other side failed in a way it does not explain; its own log does. */
  | 'INTERNAL'
  | 'REQUEST_TIMEOUT'
  /** More requests wait for this peer than we keep. */
  | 'PEER_BUSY'
  | 'PEER_UNREACHABLE'
  /** The address answered, but with another key than the one asked for. */
  | 'PEER_IDENTITY_MISMATCH'
  | 'CONNECTIONS_FULL'
  /** No box took the chunk, or none that may hold it answers. */
  | 'POOL_UNREACHABLE'
  /** Every box that answered has no room left. */
  | 'POOL_FULL'
  | 'CHUNK_NOT_FOUND'
  | 'CHUNK_CORRUPT';

/** What a person can do, by code; codes without a line are explained where they are made. */
const helps: Partial<Record<TransferErrorCode, string>> = {
  FRAME_VERSION_UNKNOWN: 'Update AetherStore on the older of the two machines.',
  FRAME_KIND_UNKNOWN: 'Update AetherStore on the older of the two machines.',
  METHOD_UNKNOWN: 'Update AetherStore on the box that answered.',
  NOT_A_MEMBER: 'Run "aether login BOX" with a code from the console of the box first.',
  NOT_A_BOX: 'Ask a box to do this; a desktop may not.',
  FOREIGN_POOL: 'This machine belongs to another pool; use a desktop that is logged in to the same pool.',
  INTERNAL: 'Look into the log of the box: run "log" on its console.',
  REQUEST_TIMEOUT: 'Check that the box is switched on and its network cable is in, then try again.',
  PEER_BUSY: 'Wait for the transfers under way, then try again.',
  PEER_UNREACHABLE: 'Check that the box is switched on and its network cable is in.',
  PEER_IDENTITY_MISMATCH: 'Run "aether scan": the box has another address now.',
  CONNECTIONS_FULL: 'Try again in a minute, when other connections to this box have ended.',
  POOL_UNREACHABLE: 'Switch on a box of the pool and check its network cable.',
  POOL_FULL: 'Remove files, or add a disk or a box to the pool.',
  CHUNK_NOT_FOUND: 'Switch on the boxes that are off: one of them may hold the missing part.',
  CHUNK_CORRUPT: 'Switch on the boxes that are off: one of them may hold a good copy.',
};

export function transferError(
  code: TransferErrorCode,
  message: string,
  options: { readonly fields?: ErrorFields; readonly cause?: unknown } = {},
): AetherError<TransferErrorCode> {
  return new AetherError(code, message, { help: helps[code] ?? '', ...options });
}
