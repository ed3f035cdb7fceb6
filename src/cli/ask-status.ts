import { decodeCbor } from '../base/cbor.ts';
import { AetherError, hasCode } from '../base/errors.ts';
import { methods } from '../pool/transfer/methods.ts';
import type { PeerConnection } from '../pool/transfer/peer-connection.ts';
import type { ApplianceStatus } from '../status/appliance-status.ts';
import { statusFromCbor } from '../status/status-codec.ts';

export type AskStatusErrorCode =
  /** The box answers, and what it says has words or parts that this program does not know. */
  'STATUS_UNREADABLE';

/** How a box is. Errors: those of a request, `STATUS_UNREADABLE`. */
export async function askStatus(connection: PeerConnection, timeoutMs: number): Promise<ApplianceStatus> {
  const answer = await connection.request(methods.boxStatus, [], { timeoutMs });
  try {
    return statusFromCbor(decodeCbor(answer));
  } catch (cause) {
    if (!hasCode(cause, 'CBOR_INVALID') && !hasCode(cause, 'STATUS_VERSION_UNKNOWN')) throw cause;
    const message = 'this program cannot read what the box says of itself';
    throw new AetherError<AskStatusErrorCode>('STATUS_UNREADABLE', message, {
      help: 'They are of different versions: update this program, or the box. What the box was doing goes on.',
      cause,
    });
  }
}
