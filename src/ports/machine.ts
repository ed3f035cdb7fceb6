import { AetherError } from '../base/errors.ts';

/** What a computer tells of itself at one moment. Null wherever it does not. */
export interface MachineReading {
  readonly model: string | null;
  readonly temperatureCelsius: number | null;
  readonly throttled: boolean | null;
  /** Whether the voltage is too low now, and whether it was at some time since the start. */
  readonly underVoltage: { readonly now: boolean; readonly before: boolean } | null;
  readonly memory: { readonly totalBytes: number; readonly availableBytes: number } | null;
  readonly loadPercent: number | null;
  /** Whether a time server has set the clock. */
  readonly clockSynchronised: boolean | null;
  /** Damaged packets that each interface has received since it was there. */
  readonly networkErrors: ReadonlyMap<string, number>;
  /** Whether what the box keeps its records on takes no more writing. */
  readonly recordsReadOnly: boolean | null;
}

export interface Machine {
  /** Never rejects: what cannot be read is null. */
  read(): Promise<MachineReading>;
}

export type DiskBus = 'usb' | 'sata' | 'nvme' | 'mmc' | 'virtual';

/** A whole disk, as the kernel shows it. */
export interface DiskReading {
  /** The kernel's name: `sda`. */
  readonly device: string;
  readonly model: string | null;
  readonly serial: string | null;
  /** 0 when there is nothing behind the name any more. */
  readonly sizeBytes: number;
  readonly bus: DiskBus | null;
  /** The computer runs from it. */
  readonly isSystem: boolean;
  /** What is on it, in words; null when nothing is; undefined when it cannot be told. */
  readonly content: string | null | undefined;
  /** Those of the paths that were asked about which lie on it. */
  readonly paths: readonly string[];
  /** Reads and writes that failed since it was attached. */
  readonly errors: number;
}

export type DiskDeedErrorCode =
  /** No such disk is attached. */
  | 'DISK_UNKNOWN'
  /** Something is on it, or nobody can tell. */
  | 'DISK_NOT_BLANK'
  /** The system's tools could not make a file system on it, or not mount it. */
  | 'DISK_ADOPT_FAILED';

export function diskUnknown(device: string): AetherError<DiskDeedErrorCode> {
  return new AetherError('DISK_UNKNOWN', `no disk ${device} is attached`, {
    help: 'Look at the list of disks.',
  });
}

/** `content`: what is on it; undefined when nobody can tell. */
export function diskNotBlank(
  device: string,
  content: string | null | undefined,
): AetherError<DiskDeedErrorCode> {
  return new AetherError('DISK_NOT_BLANK', `disk ${device} is not blank: ${content ?? 'it cannot be read'}`, {
    help: 'Save what is on it elsewhere and erase it with the tools that made it; this box never does.',
  });
}

/** The disks of the computer. */
export interface DiskShelf {
  /** All disks; `paths` are folders of which it is wanted on which disk they lie. */
  disks(paths: readonly string[]): Promise<readonly DiskReading[]>;
  /** Calls `listener` when a disk appears, vanishes or changes; the function it returns ends that. */
  onChange(listener: () => void): () => void;
  /** What `smartctl --json` says of a disk, parsed; undefined when it says nothing. Does not wake a sleeping disk. */
  smart(device: string): Promise<unknown>;
  /**
   * Lets the lamp of a disk blink until `signal` aborts; resolves when it has begun. `onEnd` is called when it has ended.
   * Errors: `DISK_UNKNOWN`, `DiskErrorCode`.
   */
  blink(device: string, signal: AbortSignal, onEnd: () => void): Promise<void>;
  /**
   * Makes an ext4 file system of this label on a disk. Looks right before whether the disk is blank, and takes none that
   * somebody else has open. Errors: `DISK_UNKNOWN`, `DISK_NOT_BLANK`, `DISK_ADOPT_FAILED`.
   */
  format(device: string, label: string): Promise<void>;
  /**
   * Mounts the file system of this label in `folder`, which is made; one that is mounted there is left so, unless its disk
   * is gone. False: no disk of this label is attached, or it is not known yet whether it can be mounted. Errors:
   * `DISK_ADOPT_FAILED`, it is attached and cannot be mounted; the message is why.
   */
  mount(label: string, folder: string): Promise<boolean>;
  /** Takes it off `folder`; what is open there goes on until it is closed. Never rejects. */
  unmount(folder: string): Promise<void>;
}
