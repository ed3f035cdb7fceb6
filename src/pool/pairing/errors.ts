import { AetherError } from '../../base/errors.ts';
import { pairingTriesMax } from '../../base/limits.ts';
import type { PairingRefusal } from './pairing-policy.ts';

export type PairingErrorCode =
  | PairingRefusal['code']
  /** The typed text cannot be a code at all; no try was spent. */
  | 'PAIRING_CODE_INVALID'
  /** A payload is malformed or of another version. */
  | 'PAIRING_MESSAGE_INVALID'
  /** The box proved the code but its answer cannot be opened or read. */
  | 'PAIRING_ANSWER_INVALID'
  /** A claim for a box that belongs to a pool already. */
  | 'ALREADY_CLAIMED'
  /** A login at a box that belongs to no pool. */
  | 'NOT_CLAIMED'
  /** What the desktop asks for does not hold together: it does not admit this box, or names another key. */
  | 'ENROLMENT_INVALID';

export function pairingError(
  code: PairingErrorCode,
  message: string,
  help: string,
  options: { readonly fields?: Readonly<Record<string, number>>; readonly cause?: unknown } = {},
): AetherError<PairingErrorCode> {
  return new AetherError(code, message, { help, ...options });
}

/** What the desktop is told when the box does not let it go on. */
export function refusalError(refusal: PairingRefusal): AetherError<PairingErrorCode> {
  const { code } = refusal;
  switch (code) {
    case 'PAIRING_CODE_WRONG':
      return codeWrong(refusal.triesLeft);
    case 'PAIRING_LOCKED': {
      const { lockedForMs } = refusal;
      const minutes = Math.ceil(lockedForMs / 60_000);
      const message = `${pairingTriesMax} wrong codes: pairing is locked for ${minutes} min`;
      const help = 'Wait, then use the new code that the box shows on its console.';
      return pairingError(code, message, help, { fields: { lockedForMs } });
    }
    case 'PAIRING_BUSY':
      return pairingError(code, 'others are pairing with the box', 'Try again in a minute.');
    case 'PAIRING_NO_CODE':
      return pairingError(
        code,
        'the box has no code at the moment',
        "Ask for a login code on the box's console.",
      );
    case 'PAIRING_EXCHANGE_UNKNOWN':
      return pairingError(code, 'this pairing was not begun, or is over', 'Start again.');
  }
}

export function codeWrong(triesLeft?: number): AetherError<PairingErrorCode> {
  const help = 'Compare the code with the one on the console of this very box.';
  const options = triesLeft === undefined ? {} : { fields: { triesLeft } };
  return pairingError('PAIRING_CODE_WRONG', 'the code is not the code of this box', help, options);
}

export function messageInvalid(cause?: unknown): AetherError<PairingErrorCode> {
  const help = 'Update the older of the two programs.';
  return pairingError('PAIRING_MESSAGE_INVALID', 'the other side sent what is no pairing message', help, {
    cause,
  });
}
