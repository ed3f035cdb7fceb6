import type { Bytes } from '../../base/bytes.ts';
import { hasCode } from '../../base/errors.ts';
import type { Signer } from '../identity.ts';
import { parseCode } from './claim-code.ts';
import { codeWrong, pairingError } from './errors.ts';
import { loadOpaque } from './opaque.ts';
import { openMessage, sealMessage } from './sealed-message.ts';
import { decodeFinishAnswer, decodeStartAnswer, encodeFinish, encodeStart } from './wire.ts';

export interface PairingOptions {
  /** As the person typed it. */
  readonly code: string;
  /** The desktop's: the one the connection was made with. */
  readonly identity: Pick<Signer, 'memberId'>;
  /** Whom the connection was made to. */
  readonly boxMemberId: Bytes;
  /** Sealed for the box alone, once the code is proved on both sides. */
  readonly message: Bytes;
}

/** Asks the box `pair.start` or `pair.finish`; rejects with the box's error. */
export type PairingRequest = (method: 'start' | 'finish', payload: Bytes) => Promise<Bytes>;

/**
 * Proves the code to the box and the box's knowledge of it to us, hands over `message`, and returns the box's answer
 * (see `decodeEnrolmentAnswer`). The code itself never leaves this machine. Errors: `PAIRING_CODE_INVALID` (no try
 * spent), `PAIRING_CODE_WRONG` (with `triesLeft` when the box said so), `PAIRING_LOCKED`, `PAIRING_BUSY`,
 * `PAIRING_NO_CODE`, `PAIRING_ANSWER_INVALID`, and whatever the box answers to the message.
 */
export async function pairWithBox(options: PairingOptions, request: PairingRequest): Promise<Bytes> {
  const { identity, boxMemberId, message } = options;
  const code = parseCode(options.code);
  if (code === undefined) {
    const help = 'A code has 8 letters and digits, such as 3F7K-9QXM; the letter U is in none.';
    throw pairingError('PAIRING_CODE_INVALID', 'this is no code of a box', help);
  }
  const desktop = (await loadOpaque()).begin(code);
  const { exchange, message: answer } = decodeStartAnswer(await request('start', encodeStart(desktop.start)));
  const proof = desktop.finish(answer, boxMemberId);
  if (proof === undefined) throw await reportWrongCode(exchange, request);
  const ends = { desktopMemberId: identity.memberId, boxMemberId };
  const sealed = sealMessage(proof.sessionKey, 'to box', ends, message);
  const finish = encodeFinish({ exchange, proven: { message: proof.proof, sealed } });
  const sealedAnswer = decodeFinishAnswer(await request('finish', finish));
  const opened = openMessage(proof.sessionKey, 'to desktop', ends, sealedAnswer);
  if (opened !== undefined) return opened;
  const help = 'Somebody may be between this machine and the box. Try again on a network you trust.';
  throw pairingError('PAIRING_ANSWER_INVALID', "the box's answer was not sealed for this machine", help);
}

/** Tells the box, which then says how many tries are left; the error for the person. */
async function reportWrongCode(exchange: Bytes, request: PairingRequest): Promise<Error> {
  try {
    await request('finish', encodeFinish({ exchange }));
  } catch (error) {
    if (hasCode(error, 'PAIRING_CODE_WRONG') || hasCode(error, 'PAIRING_LOCKED')) return error;
  }
  return codeWrong();
}
