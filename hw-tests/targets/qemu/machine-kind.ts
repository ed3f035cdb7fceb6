import type { Board } from '../../../firmware/board.ts';
import type { ImageTools } from '../../../firmware/stages/tools.ts';
import type { Tap } from '../../../scripts/lan/network.ts';
import type { BoardPins } from '../../../src/device/pins.ts';
import type { Capabilities, Target } from '../../target.ts';
import type { Machine } from './machine.ts';

/** A disk that the machine has beside its card. */
export interface Drive {
  readonly id: string;
  readonly file: string;
}

/** The card file and the disks beside it. */
export interface Storage {
  readonly card: string;
  readonly drives: readonly Drive[];
}

/** A wire to the switch, and the address on it that its maker gave the box. */
export interface Wire {
  readonly tap: Tap;
  readonly mac: string;
}

/** What `npm run image` made, copied: it may be made anew while tests run. */
export interface ImageFiles {
  readonly folder: string;
  /** Raw. */
  readonly card: string;
  readonly board: Board;
  /** How many the machine is to have, where its kind leaves that open. */
  readonly processors: number;
  readonly tools: ImageTools;
}

/** Where the words of a machine find what it is made of. */
export interface MachineParts {
  /** Of {@link ImageFiles}. */
  readonly folder: string;
  readonly board: Board;
  /** Of {@link ImageFiles}. */
  readonly processors: number;
  readonly storage: Storage;
  readonly wire: Wire;
}

/** A register of the GPIO controller that has the level of each line as a bit. */
export interface LevelRegister {
  /** Physical. */
  readonly address: number;
  readonly bytes: 1 | 4;
}

/** A device, as `device_add` takes it. */
export type DeviceWords = Readonly<Record<string, string>>;

/** One of QEMU's machines as a box: all in which one differs from another. */
export interface MachineKind {
  /** Folder of `board/`, and what the image is of. */
  readonly board: string;
  readonly capabilities: Capabilities;
  /** As a {@link Target} has it. */
  readonly slowness: number;
  readonly levels: LevelRegister;
  /** Its clock goes on without power. */
  readonly keepsTime: boolean;
  /** Of the card's file; a snapshot needs `qcow2`. */
  readonly cardFormat: 'qcow2' | 'raw';
  /** Makes what it starts with of the files that the build left beside the card; may change the card. */
  prepare(files: ImageFiles): void;
  /**
   * Its words for QEMU; the character devices `serial` (console) and `root`, the nodes of the disks, and of the card
   * (`card`) where that is not raw, are there already.
   */
  words(parts: MachineParts): readonly string[];
  /** What is done from outside when the machine starts, or starts again. Rejects when that start is over before. */
  onReset?(machine: Machine, pins: BoardPins, wire: Wire): Promise<void>;
  /** The words of `device_add` for a disk whose file is there by the name of `id`. */
  disk(id: string): DeviceWords;
  plugCable?(machine: Machine, plugged: boolean): Promise<void>;
  pressButton?(machine: Machine, pins: BoardPins, pressed: boolean): Promise<void>;
}
