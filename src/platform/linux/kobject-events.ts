import { closeSync } from 'node:fs';
import { type Bytes, viewOf } from '../../base/bytes.ts';
import { AetherError } from '../../base/errors.ts';
import { type DescriptorEvents, readNow } from './descriptor-events.ts';
import { errorName, errorNumber, libc } from './libc.ts';

/** AF_NETLINK, SOCK_RAW, NETLINK_KOBJECT_UEVENT. */
const netlinkFamily = 16;
const rawNonBlockingCloseOnExec = 3 | 0o4000 | 0o2000000;
const kobjectProtocol = 15;
/** The kernel itself, and udev, which says it again when it has given the device to those who may open it. */
const groups = 1 | 2;
/** lib/kobject_uevent.c: UEVENT_BUFFER_SIZE is 2048. */
/** Header of udev's notices: this prefix, and where in the notice the keys begin, of 32 bits. */
const udevPrefix = 'libudev\0';
const udevHeaderBytes = 40;
const udevKeysOffset = 16;
const receiveBytes = 8 * 1024;
const readsAtOnceMax = 64;

/**
 * Tells when a block device appears, vanishes or changes, as the kernel says it (Documentation/ABI, lib/kobject_uevent.c):
 * `remove@/devices/…` and then `KEY=value`, each ended by a zero byte; and as udev says it after that, with a header of its
 * own before the first key (systemd, sd-device/device-monitor.c). Only root may send to these groups.
 */
export class KobjectEvents {
  readonly #descriptor: number;
  readonly #events: DescriptorEvents;

  private constructor(descriptor: number, events: DescriptorEvents) {
    this.#descriptor = descriptor;
    this.#events = events;
  }

  /** `onBlockDevice` is called for each notice, and when some were lost. Errors: `DISK_EVENTS_UNSUPPORTED`. */
  static open(events: DescriptorEvents, onBlockDevice: () => void): KobjectEvents {
    const descriptor = libc().socket(netlinkFamily, rawNonBlockingCloseOnExec, kobjectProtocol);
    if (descriptor < 0) throw unsupported();
    const address = new Uint8Array(12);
    viewOf(address).setUint16(0, netlinkFamily, true);
    viewOf(address).setUint32(8, groups, true);
    if (libc().bind(descriptor, address, address.length) < 0) {
      const error = unsupported();
      closeSync(descriptor);
      throw error;
    }
    const socket = new KobjectEvents(descriptor, events);
    events.watch(descriptor, () => socket.#read(onBlockDevice));
    return socket;
  }

  async close(): Promise<void> {
    await this.#events.unwatch(this.#descriptor);
    closeSync(this.#descriptor);
  }

  #read(onBlockDevice: () => void): void {
    const buffer = new Uint8Array(receiveBytes);
    let heard = false;
    for (let count = 0; count < readsAtOnceMax; count++) {
      const read = readNow(this.#descriptor, buffer);
      if (read === 0) break;
      if (typeof read === 'number') heard ||= isBlockDevice(buffer.subarray(0, read));
      else if (read === 'ENOBUFS') heard = true;
      else throw new Error(`uevents: ${read}`);
    }
    if (heard) onBlockDevice();
  }
}

/** Whether a notice of the kernel, or of udev, is about a block device. */
export function isBlockDevice(notice: Bytes): boolean {
  const text = Buffer.from(notice.buffer, notice.byteOffset, notice.length).toString('latin1');
  const isOfUdev = text.startsWith(udevPrefix) && notice.length >= udevHeaderBytes;
  const start = isOfUdev ? viewOf(notice).getUint32(udevKeysOffset, true) : 0;
  return text.slice(start).split('\0').includes('SUBSYSTEM=block');
}

function unsupported(): AetherError {
  return new AetherError('DISK_EVENTS_UNSUPPORTED', "the kernel's notices of disks cannot be had", {
    fields: { error: errorName(errorNumber()) },
    help: 'Disks are looked at from time to time instead.',
  });
}
