import { Socket } from 'node:dgram';
import { setTimeout as delay } from 'node:timers/promises';
import type { Bytes } from '../base/bytes.ts';

/** What `mdns-js` makes of one packet about a service. */
export interface MdnsJsSighting {
  /** The instance with type and domain, labels joined by dots. */
  readonly fullName: string;
  readonly host: string | null;
  readonly port: number | null;
  readonly text: readonly string[];
  /** Where the packet came from. */
  readonly address: string;
}

export interface MdnsJsOptions {
  /** `_aetherstore._tcp`. */
  readonly type: string;
  readonly durationMs: number;
  /** Judges every packet before the package sees it. */
  readonly isSound: (packet: Bytes) => boolean;
  readonly onSighting: (sighting: MdnsJsSighting) => void;
}

const questionsAsked = 2;

/**
 * Asks once, as a simple client would (RFC 6762 §5.1: from a port of its own, IPv4, answers by unicast), by the
 * package `mdns-js`. For a process that may be killed: its decoder loops for ever on a name that points at itself,
 * which is why it is only given what `isSound`.
 */
export async function browseByMdnsJs({
  type,
  durationMs,
  isSound,
  onSighting,
}: MdnsJsOptions): Promise<void> {
  guardSockets(isSound);
  const { default: mdns } = await import('mdns-js');
  // Without this it listens on 5353 as well, for which some systems need a route for multicast.
  mdns.excludeInterface('0.0.0.0');
  const browser = mdns.createBrowser(type);
  browser.on('update', ({ fullname, host, port, txt, addresses }) => {
    const address = addresses.at(-1);
    if (fullname === undefined || address === undefined || !fullname.endsWith(`.${type}.local`)) return;
    onSighting({ fullName: fullname, host: host ?? null, port: port ?? null, text: txt ?? [], address });
  });
  await new Promise<void>((resolve) => browser.on('ready', resolve));
  for (let question = 0; question < questionsAsked; question++) {
    browser.discover();
    await delay(durationMs / questionsAsked);
  }
  browser.stop();
}

/** Stands between every socket of this process and whoever listens on it; sends from the socket's own interface. */
function guardSockets(isSound: (packet: Bytes) => boolean): void {
  const emit = Socket.prototype.emit as (this: Socket, event: string, ...words: unknown[]) => boolean;
  Socket.prototype.emit = function (this: Socket, event: string, ...words: unknown[]): boolean {
    if (event === 'message' && !isSound(new Uint8Array(words[0] as Buffer))) return false;
    if (event === 'listening') this.setMulticastInterface(this.address().address);
    return emit.call(this, event, ...words);
  } as typeof Socket.prototype.emit;
}
