import type { Bytes } from '../base/bytes.ts';
import type { ApplianceStatus } from '../status/appliance-status.ts';
import type { StatusEvent } from '../status/history.ts';

/**
 * What a person may ask of a box. Every face (button, console, page, MQTT) asks by this one interface, so that they all
 * can do the same and nothing behaves differently from one to the other. Rejections are `AetherError`s with words for a
 * person.
 */
export interface ApplianceControl {
  status(): ApplianceStatus;
  /** Calls `listener` when the status is likely to have changed; the function it returns ends that. */
  onChange(listener: () => void): () => void;
  /** What became of the conditions, the newest last; `historyEventsMax` of them. */
  history(): readonly StatusEvent[];
  /** A person has seen the condition of this key. Errors: `CONDITION_UNKNOWN`. */
  acknowledge(key: string): Promise<void>;
  /** Both lights blink fast for `identifyMs`, or no more. */
  identify(on: boolean): void;
  /** The code with which a desktop can pair now. Errors: `PAIRING_LOCKED`. */
  pair(): PairingCode;
  readonly disks: DiskControl;
  /**
   * Begins to install the update that is staged and whose signature was found good. Errors: `UPDATE_NOT_STAGED`,
   * `UPDATE_BUSY`, `UPDATE_UNPROVEN`, `UPDATE_CHANGED`, `UPDATE_GONE`, `UPDATER_UNAVAILABLE`, `UPDATE_ELSEWHERE`.
   */
  installUpdate(): Promise<void>;
  /**
   * Takes a signed update of so many bytes and stages it; returns its version. Errors: `UPDATE_UNTRUSTED`,
   * `UPDATE_UNREADABLE`, `UPDATE_FOR_OTHER_BOARD`, `UPDATE_DATA_FORMAT`, `UPDATE_OLDER`, `UPDATE_BUSY`,
   * `UPDATE_TOO_LARGE`, `UPDATE_NO_ROOM`, `UPDATE_INCOMPLETE`, `UPDATER_UNAVAILABLE`,
   * `UPDATE_ELSEWHERE`.
   */
  receiveUpdate(totalBytes: number, body: AsyncIterable<Bytes>): Promise<string>;
  /** Sets, or with null takes away, the maintenance PIN. Errors: `PIN_INVALID`. */
  setPin(pin: string | null): Promise<void>;
  /** Whether a PIN is set. */
  readonly hasPin: boolean;
  /** How often it was set or taken away since the start, from wherever. */
  readonly pinChanges: number;
  /** Whether this is the PIN. Errors: `PIN_LOCKED` after too many wrong ones. */
  checkPin(pin: string): Promise<boolean>;
  /** Forgets names and addresses chosen before, and the maintenance PIN, and restarts. No key and no file is touched. */
  resetAccess(): Promise<void>;
  /**
   * Leaves the pool and forgets everything of it, keys included, then restarts as a new box. Errors of this and of the two
   * below: `BOX_ENDING`: it ends, or has begun to, in another way.
   */
  factoryReset(): Promise<void>;
  /** Stops the box; resolves when everything is on disk. */
  shutdown(): Promise<void>;
  /** Stops the box, to be started again by whoever started it. */
  restart(): Promise<void>;
  /** What support needs to see, as text files without secrets, names of files or codes. */
  supportBundle(): Promise<readonly SupportFile[]>;
}

export interface DiskControl {
  /** The lamp of the disk `device` blinks, or no more. Errors: `DISK_UNKNOWN`. */
  locate(device: string, on: boolean): Promise<void>;
  /**
   * Formats a blank disk and takes it into use; one that a box of this pool filled is taken as it is. Errors:
   * `DISK_UNKNOWN`, `DISK_NOT_BLANK`, `DISK_ADOPT_FAILED`.
   */
  adopt(device: string): Promise<void>;
  /** Empties a volume, so that its disk may be pulled when it resolves. Errors: `VOLUME_UNKNOWN`, `RETIRE_NO_ROOM`. */
  retire(volume: string): Promise<void>;
  /** A disk that is missing is not waited for any more. Errors: `VOLUME_UNKNOWN`. */
  forget(volume: string): Promise<void>;
}

export interface PairingCode {
  readonly code: string;
  /** Wall milliseconds; null: until it is used. */
  readonly expiresAtMs: number | null;
}

export interface SupportFile {
  readonly name: string;
  readonly text: string;
}
