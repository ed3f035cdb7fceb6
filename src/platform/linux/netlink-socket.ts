import { closeSync, writeSync } from 'node:fs';
import { type Bytes, viewOf } from '../../base/bytes.ts';
import { AetherError } from '../../base/errors.ts';
import type { LinkErrorCode } from '../../ports/link-table.ts';
import { type DescriptorEvents, readNow } from './descriptor-events.ts';
import { errorName, errorNumber, libc } from './libc.ts';
import { type NetlinkMessage, parseNetlink } from './netlink-message.ts';

const netlinkFamily = 16;
const rawNonBlockingCloseOnExec = 3 | 0o4000 | 0o2000000;
/** RTMGRP_LINK, RTMGRP_IPV4_IFADDR, RTMGRP_IPV6_IFADDR. */
const noticeGroups = 0x1 | 0x10 | 0x100;
/** The kernel's parts of a dump are at most 32 KiB; a longer buffer is never cut short. */
const receiveBytes = 64 * 1024;
/** Reads in one turn of the event loop; the rest comes with the next. */
const readsAtOnceMax = 32;

/** A socket that hears the kernel's notices of links and addresses, and sends it requests. */
export class NetlinkSocket {
  readonly #descriptor: number;
  readonly #events: DescriptorEvents;
  readonly #buffer: Bytes = new Uint8Array(receiveBytes);

  private constructor(descriptor: number, events: DescriptorEvents) {
    this.#descriptor = descriptor;
    this.#events = events;
  }

  /**
   * `onMessages` hears what one read gave; `onOverrun` that the kernel had to drop notices, so that everything must
   * be asked for again. Errors: `LINK_UNSUPPORTED`.
   */
  static open(
    events: DescriptorEvents,
    onMessages: (messages: readonly NetlinkMessage[]) => void,
    onOverrun: () => void,
  ): NetlinkSocket {
    const descriptor = libc().socket(netlinkFamily, rawNonBlockingCloseOnExec, 0);
    if (descriptor < 0) throw unsupported();
    const address = new Uint8Array(12);
    viewOf(address).setUint16(0, netlinkFamily, true);
    viewOf(address).setUint32(8, noticeGroups, true);
    if (libc().bind(descriptor, address, address.length) < 0) {
      const error = unsupported();
      closeSync(descriptor);
      throw error;
    }
    const socket = new NetlinkSocket(descriptor, events);
    events.watch(descriptor, () => socket.#read(onMessages, onOverrun));
    return socket;
  }

  /** Hands a request to the kernel, which answers it by messages of the same sequence number. */
  send(request: Bytes): void {
    writeSync(this.#descriptor, request);
  }

  async close(): Promise<void> {
    await this.#events.unwatch(this.#descriptor);
    closeSync(this.#descriptor);
  }

  #read(onMessages: (messages: readonly NetlinkMessage[]) => void, onOverrun: () => void): void {
    for (let count = 0; count < readsAtOnceMax; count++) {
      const read = readNow(this.#descriptor, this.#buffer);
      if (read === 0) return;
      if (typeof read === 'number') onMessages(parseNetlink(this.#buffer.subarray(0, read)));
      else if (read === 'ENOBUFS') onOverrun();
      else throw new Error(`netlink: ${read}`);
    }
  }
}

function unsupported(): AetherError<LinkErrorCode> {
  return new AetherError('LINK_UNSUPPORTED', "the kernel's notices of links cannot be had", {
    fields: { error: errorName(errorNumber()) },
    help: 'Addresses are looked at from time to time instead.',
  });
}
