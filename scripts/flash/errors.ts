import { AetherError } from '../../src/base/errors.ts';

export type FlashErrorCode =
  /** No such device; or one that is there without a medium in it. */
  | 'CARD_NOT_FOUND'
  | 'CARD_EMPTY'
  /** Neither a whole disk nor, with `--to-file`, a file. */
  | 'CARD_NOT_A_DISK'
  | 'CARD_IS_PARTITION'
  | 'CARD_IS_FILE'
  /** This computer runs from it. */
  | 'CARD_IS_SYSTEM'
  | 'CARD_IS_INTERNAL'
  /** A disk that is not removable, when nobody is asked. */
  | 'CARD_IS_FIXED'
  /** Mounted, swapped to, or part of an array or a volume group; or the kernel says so when it is opened. */
  | 'CARD_IN_USE'
  | 'CARD_READ_ONLY'
  | 'CARD_TOO_LARGE'
  | 'CARD_TOO_SMALL'
  | 'CARD_SECTORS'
  | 'CARD_DENIED'
  | 'CARD_FAILED'
  /** What was read back is not what was written. Field `offset`: the first byte that differs. */
  | 'CARD_MISMATCH'
  | 'IMAGE_NOT_FOUND'
  | 'IMAGE_INVALID'
  /** It may be the only place where the code of another box stands. */
  | 'LABEL_EXISTS'
  | 'NOT_CONFIRMED'
  | 'SYSTEM_UNSUPPORTED';

export function flashError(
  code: FlashErrorCode,
  message: string,
  help: string,
  cause?: unknown,
): AetherError<FlashErrorCode> {
  return new AetherError(code, message, { help, cause });
}

export function imageInvalid(why: string): AetherError<FlashErrorCode> {
  return flashError(
    'IMAGE_INVALID',
    `this is no image of a box: ${why}`,
    'Make one with `npm run image -- --board rpi`, or name another with --image FILE.',
  );
}

/** What the operating system said of a card, as one of our errors. */
export function cardError(cause: unknown, path: string): AetherError<FlashErrorCode> {
  if (cause instanceof AetherError) return cause as AetherError<FlashErrorCode>;
  const code = (cause as { code?: unknown } | undefined)?.code;
  switch (code) {
    case 'EACCES':
    case 'EPERM':
      return flashError('CARD_DENIED', `you may not write ${path}`, 'Run it again with sudo.', cause);
    case 'EBUSY':
      return flashError('CARD_IN_USE', `${path} is in use`, 'Unmount it, and close what uses it.', cause);
    case 'ENOENT':
    case 'ENXIO':
    case 'ENODEV':
    case 'ENOMEDIUM':
      return flashError('CARD_NOT_FOUND', `${path} is not there`, lookHelp, cause);
    case 'EROFS':
      return flashError('CARD_READ_ONLY', `${path} is read-only`, readOnlyHelp, cause);
    default: {
      const said = cause instanceof Error ? cause.message : String(cause);
      const help = 'Try another card or another reader; a card that fails now will fail in a box.';
      return flashError('CARD_FAILED', `${path} failed: ${said}`, help, cause);
    }
  }
}

const lookHelp = 'Put the card in, and see `npm run flash -- --list`.';
export const readOnlyHelp = 'Slide the lock on the side of the card or its adapter, and put it in again.';
