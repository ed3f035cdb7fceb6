import type { AetherError } from '../../src/base/errors.ts';
import { type FlashErrorCode, flashError, readOnlyHelp } from './errors.ts';
import { sectorBytes } from './gpt.ts';

/** A disk as the operating system tells of it: everything that decides whether it may be erased. */
export interface Card {
  /** `/dev/sdb`. */
  readonly path: string;
  readonly kind: 'disk' | 'partition' | 'file' | 'other';
  /** What the maker calls it: `SanDisk Ultra`. */
  readonly model: string | null;
  readonly sizeBytes: number;
  /** Of one logical sector. */
  readonly sectorBytes: number;
  /** `usb`, `mmc`, … */
  readonly bus: string | null;
  readonly isRemovable: boolean;
  readonly isReadOnly: boolean;
  /** This computer started from it or runs from it. */
  readonly isSystem: boolean;
  /** Built in, and not meant to be taken out (macOS tells). */
  readonly isInternal: boolean;
  /** Why it is in use, each as what follows "it": `is mounted on /media/you/BOOT`. */
  readonly uses: readonly string[];
  /** Where it is mounted by a system that mounts whatever is plugged in: it is unmounted once a person has said yes. */
  readonly mounts: readonly string[];
  /** The device can make a range read as zeros by itself, faster than zeros can be sent to it. */
  readonly zeroesItself: boolean;
}

/** The disks of a computer: Linux and macOS each have their own. */
export interface CardShelf {
  /** Whole disks with something in them. */
  cards(): Promise<readonly Card[]>;
  /** What `path` is. Throws `CARD_NOT_FOUND`. */
  find(path: string): Promise<Card>;
  /** For writing, by nobody else. macOS unmounts it first: ask the person before. */
  open(card: Card): Promise<OpenCard>;
}

export interface OpenCard {
  /** False when reading back may give what the computer remembers, not what the card holds. */
  readonly readsMedium: boolean;
  /** Makes the first `bytes` read as zeros, fast; false when that cannot be done. */
  zero(bytes: number): Promise<boolean>;
  write(bytes: Buffer, offset: number): Promise<void>;
  read(bytes: Buffer, offset: number): Promise<void>;
  /** Durable on return. */
  flush(): Promise<void>;
  close(): Promise<void>;
}

/** No SD card is larger; the disk with somebody's photographs may well be. */
export const cardBytesMax = 2e12;

export interface Wish {
  readonly imageBytes: number;
  /** A large disk is meant, or where nobody is asked one that is not removable. */
  readonly force: boolean;
  /** A file that plays a card is meant. */
  readonly toFile: boolean;
  /** A person is asked, and sees what is mounted. */
  readonly asks: boolean;
}

/** Why `card` is not written, or undefined when it may be. */
export function refusalOf(card: Card, wish: Wish): AetherError<FlashErrorCode> | undefined {
  return refusalOfKind(card, wish) ?? refusalOfUse(card, wish) ?? refusalOfSize(card, wish);
}

function refusalOfKind({ kind, path }: Card, { toFile }: Wish): AetherError<FlashErrorCode> | undefined {
  if (kind === 'partition') {
    const help = 'Name the whole disk: /dev/sdb, not /dev/sdb1; /dev/mmcblk0, not /dev/mmcblk0p1.';
    return flashError('CARD_IS_PARTITION', `${path} is one partition of a disk`, help);
  }
  if (kind === 'file' && !toFile) {
    const help = 'If a file that an emulator takes for a card is meant, say so with --to-file.';
    return flashError('CARD_IS_FILE', `${path} is a file, not a disk`, help);
  }
  if (kind === 'other' || (kind === 'disk' && toFile)) {
    const message = kind === 'disk' ? `${path} is a disk, not a file` : `${path} is no disk`;
    return flashError('CARD_NOT_A_DISK', message, 'See `npm run flash -- --list` for the disks it takes.');
  }
  return undefined;
}

function refusalOfUse(card: Card, { asks, force }: Wish): AetherError<FlashErrorCode> | undefined {
  const { path } = card;
  if (card.isSystem)
    return flashError('CARD_IS_SYSTEM', `this computer runs from ${path}`, 'Nothing is written there, ever.');
  if (card.isInternal) {
    const help = 'Put the card into a reader; disks that are built in are never written.';
    return flashError('CARD_IS_INTERNAL', `${path} is built into this computer`, help);
  }
  // One letter off may be the disk of another system, which nobody uses at the moment.
  if (card.kind === 'disk' && !asks && !force && !card.isRemovable && card.bus !== 'virtual') {
    const help = 'Leave out --yes to be asked, or say with --force that this disk is meant.';
    return flashError('CARD_IS_FIXED', `${path} is no removable disk, and nobody is asked`, help);
  }
  const uses = asks ? card.uses : [...card.uses, ...card.mounts.map((place) => `is mounted on ${place}`)];
  const [use] = uses;
  if (use !== undefined) {
    const more = uses.length > 1 ? `, and ${uses.length - 1} more` : '';
    return flashError('CARD_IN_USE', `${path} is in use: it ${use}${more}`, 'Unmount it, then try again.');
  }
  if (card.isReadOnly) return flashError('CARD_READ_ONLY', `${path} is read-only`, readOnlyHelp);
  return undefined;
}

function refusalOfSize(card: Card, { imageBytes, force }: Wish): AetherError<FlashErrorCode> | undefined {
  const { path, sizeBytes } = card;
  if (card.kind === 'file') return undefined; // It grows.
  if (sizeBytes === 0) return flashError('CARD_EMPTY', `there is no card in ${path}`, 'Put one in.');
  if (card.sectorBytes !== sectorBytes) {
    const message = `${path} has sectors of ${card.sectorBytes} bytes`;
    return flashError('CARD_SECTORS', message, `An image has sectors of ${sectorBytes}: take another card.`);
  }
  if (sizeBytes < imageBytes) {
    const message = `${path} has ${formatSize(sizeBytes)}, and the image ${formatSize(imageBytes)}`;
    return flashError('CARD_TOO_SMALL', message, 'Take a larger card.');
  }
  if (sizeBytes > cardBytesMax && !force) {
    const message = `${path} has ${formatSize(sizeBytes)}, more than any card`;
    return flashError(
      'CARD_TOO_LARGE',
      message,
      'If it is the right disk all the same, say so with --force.',
    );
  }
  return undefined;
}

/** As it stands on the card, in powers of ten: `32.0 GB`. */
export function formatSize(bytes: number): string {
  if (bytes < 1e9) return `${(bytes / 1e6).toFixed(1)} MB`;
  return bytes < 1e12 ? `${(bytes / 1e9).toFixed(1)} GB` : `${(bytes / 1e12).toFixed(1)} TB`;
}
