import { scrypt, timingSafeEqual } from 'node:crypto';
import { type Bytes, utf8 } from '../base/bytes.ts';
import { CborFields, encodeCbor } from '../base/cbor.ts';
import { AetherError, hasCode } from '../base/errors.ts';
import { pinLockMs, pinLockMsMax, pinTriesMax } from '../base/face-limits.ts';
import { formatDuration } from '../base/format.ts';
import { stateFileBytesMax } from '../base/limits.ts';
import type { Log } from '../base/log.ts';
import type { Clock } from '../ports/clock.ts';
import type { Disk } from '../ports/disk.ts';
import type { Entropy } from '../ports/entropy.ts';
import { readFile, replaceFile } from '../ports/replace-file.ts';

export type PinErrorCode =
  /** Too short, too long, or with control characters. */
  | 'PIN_INVALID'
  /** Too many wrong ones were tried. */
  | 'PIN_LOCKED';

export interface PinPorts {
  /** The box's state folder. */
  readonly disk: Disk;
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly log: Log;
}

interface StoredPin {
  readonly salt: Bytes;
  readonly hash: Bytes;
}

/** CBOR `{v: 1, salt, hash}` in the state folder; absent while no PIN is set. */
const path = 'pin.cbor';
const saltBytes = 16;
const hashBytes = 32;

/** 32 MiB and about a tenth of a second: the file alone does not give away a short PIN in a moment. */
const cost = { N: 2 ** 15, r: 8, p: 1, maxmem: 64 * 1024 * 1024 };

/**
 * The maintenance PIN, which the console and the web page ask for. There is none until a person sets one. It guards
 * against a passer-by at the keyboard, not against who carries the box away: a long press of the button takes it off.
 */
export class MaintenancePin {
  readonly #ports: PinPorts;
  #stored: StoredPin | undefined;
  #changes = 0;
  #failed = 0;
  #lockedUntilMs = 0;
  #turn: Promise<unknown> = Promise.resolve();

  private constructor(ports: PinPorts, stored: StoredPin | undefined) {
    this.#ports = ports;
    this.#stored = stored;
  }

  /** A damaged file is none: whoever can damage it can press the button. Errors: those of the disk. */
  static async open(ports: PinPorts): Promise<MaintenancePin> {
    const bytes = await readFile(ports.disk, path, stateFileBytesMax);
    if (bytes === undefined) return new MaintenancePin(ports, undefined);
    try {
      const fields = CborFields.decode(bytes);
      return new MaintenancePin(ports, {
        salt: fields.bytes('salt', saltBytes),
        hash: fields.bytes('hash', hashBytes),
      });
    } catch (error) {
      if (!hasCode(error, 'CBOR_INVALID')) throw error;
      ports.log.warn('maintenance PIN unreadable, there is none now');
      return new MaintenancePin(ports, undefined);
    }
  }

  get isSet(): boolean {
    return this.#stored !== undefined;
  }

  /** How often it was set or taken away since the start. */
  get changes(): number {
    return this.#changes;
  }

  /**
   * Sets it, or with null takes it away; durable on return. Takes turns with tries: what was called last holds.
   * Errors: `PIN_INVALID`, those of the disk.
   */
  set(pin: string | null): Promise<void> {
    return this.#inTurn(() => this.#set(pin));
  }

  /** Whether this is the PIN; without one nothing is. Tries take turns. Errors: `PIN_LOCKED`. */
  check(pin: string): Promise<boolean> {
    return this.#inTurn(() => this.#check(pin));
  }

  #inTurn<T>(act: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(act);
    this.#turn = turn.catch(() => {});
    return turn;
  }

  async #set(pin: string | null): Promise<void> {
    const { disk, entropy } = this.#ports;
    if (pin === null) {
      await disk.remove(path).catch((error: unknown) => {
        if (!hasCode(error, 'DISK_NOT_FOUND')) throw error;
      });
      await disk.syncDirectory('');
      this.#stored = undefined;
    } else {
      if (!isPin(pin)) throw pinInvalid();
      const salt = entropy.bytes(saltBytes);
      const stored = { salt, hash: await hashOf(pin, salt) };
      await replaceFile(disk, path, encodeCbor({ v: 1, ...stored }));
      this.#stored = stored;
    }
    this.#changes++;
    this.#failed = 0;
    this.#lockedUntilMs = 0;
  }

  async #check(pin: string): Promise<boolean> {
    const now = this.#ports.clock.monotonicMs();
    if (now < this.#lockedUntilMs) throw pinLocked(this.#lockedUntilMs - now);
    const stored = this.#stored;
    if (stored === undefined || !isPin(pin)) return false;
    const right = timingSafeEqual(await hashOf(pin, stored.salt), stored.hash);
    if (right) this.#failed = 0;
    else this.#fail();
    return right;
  }

  /** After the fifth wrong one it locks for a minute, then twice as long each time. */
  #fail(): void {
    this.#failed++;
    if (this.#failed < pinTriesMax) return;
    const lockMs = Math.min(pinLockMsMax, pinLockMs * 2 ** (this.#failed - pinTriesMax));
    this.#lockedUntilMs = this.#ports.clock.monotonicMs() + lockMs;
    this.#ports.log.warn('maintenance PIN locked after wrong ones', { lockMs });
  }
}

function hashOf(pin: string, salt: Bytes): Promise<Bytes> {
  return new Promise((resolve, reject) => {
    scrypt(utf8(pin.normalize('NFC')), salt, hashBytes, cost, (error, hash) => {
      if (error === null) resolve(new Uint8Array(hash));
      else reject(error);
    });
  });
}

function isPin(pin: string): boolean {
  return pin.length >= 4 && pin.length <= 64 && !/\p{Cc}/u.test(pin);
}

function pinInvalid(): AetherError<PinErrorCode> {
  return new AetherError('PIN_INVALID', 'a PIN has 4 to 64 characters', { help: 'Choose another one.' });
}

function pinLocked(lockedForMs: number): AetherError<PinErrorCode> {
  return new AetherError('PIN_LOCKED', 'too many wrong PINs were tried', {
    help: `Try again in ${formatDuration(lockedForMs)}, or hold the button of the box for ten seconds.`,
    fields: { lockedForMs: Math.ceil(lockedForMs) },
  });
}
