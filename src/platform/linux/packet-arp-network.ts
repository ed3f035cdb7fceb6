import { closeSync, writeSync } from 'node:fs';
import { type Bytes, viewOf } from '../../base/bytes.ts';
import { AetherError } from '../../base/errors.ts';
import type { ArpErrorCode, ArpLink, ArpNetwork } from '../../ports/arp-network.ts';
import { type DescriptorEvents, readNow } from './descriptor-events.ts';
import { errorName, errorNumber, isError, libc } from './libc.ts';

const packetFamily = 17;
const rawNonBlockingCloseOnExec = 3 | 0o4000 | 0o2000000;
const arpProtocol = 0x0806;
/** SOL_PACKET, PACKET_IGNORE_OUTGOING: since Linux 4.20. */
const packetLevel = 263;
const ignoreOutgoing = 23;
/** No ARP frame is longer than the shortest Ethernet frame; what a stranger adds is cut off. */
const frameBytesMax = 256;
/** Frames in one turn of the event loop, so that a flood leaves time for everything else. */
const framesAtOnceMax = 64;

/** {@link ArpNetwork} over packet(7) sockets. */
export class PacketArpNetwork implements ArpNetwork {
  readonly #events: DescriptorEvents;

  constructor(events: DescriptorEvents) {
    this.#events = events;
  }

  async open(interfaceName: string): Promise<ArpLink> {
    // Protocol 0 hears nothing: no frame of another interface gets in before the socket is bound to its own.
    const descriptor = libc().socket(packetFamily, rawNonBlockingCloseOnExec, 0);
    if (descriptor < 0) throw arpError(interfaceName, errorNumber());
    try {
      bindTo(descriptor, interfaceName);
    } catch (error) {
      closeSync(descriptor);
      throw error;
    }
    return new PacketArpLink(descriptor, this.#events);
  }
}

class PacketArpLink implements ArpLink {
  readonly #descriptor: number;
  readonly #events: DescriptorEvents;
  readonly #buffer: Bytes = new Uint8Array(frameBytesMax);
  readonly #listeners: ((frame: Bytes) => void)[] = [];
  #sendFailures = 0;
  #isClosed = false;

  constructor(descriptor: number, events: DescriptorEvents) {
    this.#descriptor = descriptor;
    this.#events = events;
    events.watch(descriptor, () => this.#read());
  }

  onFrame(listener: (frame: Bytes) => void): void {
    this.#listeners.push(listener);
  }

  send(frame: Bytes): void {
    if (this.#isClosed) return;
    try {
      writeSync(this.#descriptor, frame);
    } catch {
      // The link is down, or its queue full: ARP is repeated anyway.
      this.#sendFailures++;
    }
  }

  get sendFailures(): number {
    return this.#sendFailures;
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#listeners.length = 0;
    await this.#events.unwatch(this.#descriptor);
    closeSync(this.#descriptor);
  }

  #read(): void {
    for (let count = 0; count < framesAtOnceMax && !this.#isClosed; count++) {
      const read = readNow(this.#descriptor, this.#buffer);
      if (read === 0) return;
      // ENETDOWN says once that the link went down; it goes on when the link is back.
      if (typeof read !== 'number') continue;
      for (const listener of this.#listeners) listener(this.#buffer.slice(0, read));
    }
  }
}

/** `struct sockaddr_ll`: family, protocol in network order, interface. */
function bindTo(descriptor: number, interfaceName: string): void {
  const index = libc().if_nametoindex(interfaceName);
  if (index === 0) throw arpError(interfaceName, errorNumber());
  const on = new Uint8Array(new Int32Array([1]).buffer);
  if (libc().setsockopt(descriptor, packetLevel, ignoreOutgoing, on, on.length) < 0)
    throw arpError(interfaceName, errorNumber());
  const address = new Uint8Array(20);
  const view = viewOf(address);
  view.setUint16(0, packetFamily, true);
  view.setUint16(2, arpProtocol);
  view.setInt32(4, index, true);
  if (libc().bind(descriptor, address, address.length) < 0) throw arpError(interfaceName, errorNumber());
}

function arpError(interfaceName: string, error: number): AetherError<ArpErrorCode> {
  const fields = { interfaceName, error: errorName(error) };
  if (isError(error, 'EPERM', 'EACCES')) {
    return new AetherError('ARP_NOT_PERMITTED', `ARP on ${interfaceName} takes the right to raw sockets`, {
      fields,
      help: 'Give the box CAP_NET_RAW, or run it as root.',
    });
  }
  if (isError(error, 'ENODEV', 'ENXIO'))
    return new AetherError('ARP_LINK_GONE', `there is no ARP on ${interfaceName}`, { fields });
  return new AetherError('ARP_UNSUPPORTED', `this kernel has no ARP sockets for ${interfaceName}`, {
    fields,
  });
}
