import { type Bytes, equalBytes, toHex } from '../../base/bytes.ts';
import {
  addressesPerMemberMax,
  membersMax,
  provenAddressesMax,
  reconnectDelayMsMax,
  reconnectDelayMsMin,
} from '../../base/limits.ts';
import type { Log } from '../../base/log.ts';
import type { Clock, Timer } from '../../ports/clock.ts';
import { type Entropy, uniform } from '../../ports/entropy.ts';
import type { PeerAddress } from '../../ports/secure-transport.ts';
import { type Dialled, type DialOptions, dial, dialAny } from './dial.ts';
import { transferError } from './errors.ts';
import type { PeerConnection } from './peer-connection.ts';

export interface PeerDirectoryOptions extends DialOptions {
  /** The own member id: hints about it are ignored. */
  readonly self: Bytes;
}

export interface PeerDirectoryPorts {
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly log: Log;
}

export interface PeerChange {
  readonly memberId: Bytes;
  /** The first connection with it opened, or the last one closed. */
  readonly up: boolean;
  /** Where it was dialled; absent when it came by itself. */
  readonly address?: PeerAddress;
}

interface Peer {
  readonly memberId: Bytes;
  /** Where it has answered with its own key, the newest first; nobody's announcement takes these away. */
  proven: readonly PeerAddress[];
  /** Where it is said to be, the newest first: anybody on the LAN can say so. */
  hinted: readonly PeerAddress[];
  /** Open ones, the oldest first; more than one when both sides dialled at once. */
  readonly connections: Set<PeerConnection>;
  dialling: Promise<PeerConnection> | undefined;
  failures: number;
  dialledMs: number;
  /** Something came while it was dialled that makes another try worth while. */
  hasNews: boolean;
  notBeforeMs: number;
  lastError: unknown;
}

/**
 * Where peers are, and the connections with them: one each where possible, used by both sides whoever opened it. A
 * peer that does not answer is dialled again with growing pauses.
 */
export class PeerDirectory {
  readonly #options: PeerDirectoryOptions;
  readonly #ports: PeerDirectoryPorts;
  readonly #peers = new Map<string, Peer>();
  readonly #listeners = new Set<(change: PeerChange) => void>();
  #kept: readonly Bytes[] = [];
  #redial: Timer | undefined;
  #closed = false;

  constructor(options: PeerDirectoryOptions, ports: PeerDirectoryPorts) {
    this.#options = options;
    this.#ports = ports;
  }

  /**
   * Learns addresses of a peer, the newest first. A new one is tried soon, however the last attempt went; hints that
   * keep coming bring no more attempts than one in `reconnectDelayMsMin`. At most `addressesPerMemberMax` stay.
   */
  hint(memberId: Bytes, addresses: readonly PeerAddress[]): void {
    const peer = this.#peer(memberId);
    if (peer === undefined) return;
    const known = (address: PeerAddress) => addressesOf(peer).some((old) => isSame(old, address));
    if (!addresses.every(known)) dialSoon(peer);
    const fresh = addresses.filter((address) => !peer.proven.some((old) => isSame(old, address)));
    peer.hinted = newestFirst(fresh, peer.hinted);
    this.#dialKept();
  }

  /**
   * Says that a peer gave a sign of life that nobody else can give: it is dialled now, however often it did not answer
   * before, unless it just was.
   */
  heard(memberId: Bytes): void {
    const peer = this.#peer(memberId);
    if (peer === undefined) return;
    dialSoon(peer);
    this.#dialKept();
  }

  /** Those where it has answered first. */
  addresses(memberId: Bytes): readonly PeerAddress[] {
    const peer = this.#peers.get(toHex(memberId));
    return peer === undefined ? [] : addressesOf(peer);
  }

  /** Uses a connection that a box of the pool opened to us as the one with it. */
  adopt(connection: PeerConnection): void {
    if (this.#closed || this.#options.dispatcher.memberOf(connection.peer.memberId)?.role !== 'box') return;
    const peer = this.#peer(connection.peer.memberId);
    if (peer !== undefined) this.#add(peer, connection);
  }

  /**
   * The connection with a peer; dials when there is none. Rejects with `PEER_UNREACHABLE` when no address is known
   * or none answers, and at once while a peer that did not answer is left alone.
   */
  async connection(memberId: Bytes): Promise<PeerConnection> {
    const peer = this.#peer(memberId);
    if (peer === undefined || this.#closed) throw unreachable('there is no connecting to this peer');
    for (const connection of peer.connections) if (connection.open) return connection;
    if (peer.dialling !== undefined) return peer.dialling;
    if (addressesOf(peer).length === 0) throw unreachable('no address of the peer is known');
    if (this.#ports.clock.monotonicMs() < peer.notBeforeMs) {
      throw unreachable('the peer did not answer a moment ago', peer.lastError);
    }
    peer.dialling = this.#dial(peer).finally(() => {
      peer.dialling = undefined;
    });
    return peer.dialling;
  }

  /** Connects to whoever is at an address: first contact with a box that is no member yet. Errors as `dial`'s. */
  dial(address: PeerAddress): Promise<PeerConnection> {
    return dial(address, undefined, this.#options, this.#ports);
  }

  /** Stays connected to these from now on, as far as they answer (instead of those named before). */
  keep(memberIds: readonly Bytes[]): void {
    this.#kept = memberIds;
    this.#dialKept();
  }

  /** Peers with an open connection. */
  reachable(): readonly Bytes[] {
    return [...this.#peers.values()].flatMap((peer) => (isUp(peer) ? [peer.memberId] : []));
  }

  isReachable(memberId: Bytes): boolean {
    const peer = this.#peers.get(toHex(memberId));
    return peer !== undefined && isUp(peer);
  }

  /** Calls `listener` at each change from now on; the function it returns ends that. */
  onChange(listener: (change: PeerChange) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Closes all connections and dials no more. */
  close(): void {
    this.#closed = true;
    this.#redial?.cancel();
    for (const peer of this.#peers.values()) for (const connection of peer.connections) connection.close();
  }

  /** What we know of a peer; undefined for ourselves, and when as many are known as a pool may have. */
  #peer(memberId: Bytes): Peer | undefined {
    const name = toHex(memberId);
    const known = this.#peers.get(name);
    if (known !== undefined) return known;
    if (equalBytes(memberId, this.#options.self) || this.#peers.size >= membersMax) return undefined;
    const peer: Peer = {
      memberId,
      proven: [],
      hinted: [],
      connections: new Set(),
      dialling: undefined,
      failures: 0,
      dialledMs: Number.NEGATIVE_INFINITY,
      hasNews: false,
      notBeforeMs: 0,
      lastError: undefined,
    };
    this.#peers.set(name, peer);
    return peer;
  }

  async #dial(peer: Peer): Promise<PeerConnection> {
    let dialled: Dialled;
    peer.dialledMs = this.#ports.clock.monotonicMs();
    peer.hasNews = false;
    try {
      dialled = await dialAny(addressesOf(peer), peer.memberId, this.#options, this.#ports);
    } catch (cause) {
      this.#postpone(peer, cause);
      throw unreachable('the peer does not answer', cause);
    }
    if (this.#closed) {
      dialled.connection.close();
      throw unreachable('this side is closing');
    }
    this.#add(peer, dialled.connection, dialled.address);
    return dialled.connection;
  }

  #postpone(peer: Peer, cause: unknown): void {
    const { clock, entropy } = this.#ports;
    const longestMs = Math.min(reconnectDelayMsMin * 2 ** peer.failures, reconnectDelayMsMax);
    peer.failures = Math.min(peer.failures + 1, 30);
    peer.notBeforeMs = clock.monotonicMs() + longestMs * (0.5 + uniform(entropy) / 2);
    if (peer.hasNews) dialSoon(peer);
    peer.lastError = cause;
    clock.after(0, () => this.#dialKept());
  }

  #add(peer: Peer, connection: PeerConnection, address?: PeerAddress): void {
    const wasUp = isUp(peer);
    peer.connections.add(connection);
    peer.failures = 0;
    peer.hasNews = false;
    peer.notBeforeMs = 0;
    if (address !== undefined) {
      peer.proven = newestFirst([address], peer.proven).slice(0, provenAddressesMax);
      peer.hinted = peer.hinted.filter((old) => !isSame(old, address));
    }
    connection.closed.then(() => {
      peer.connections.delete(connection);
      if (isUp(peer)) return;
      this.#tell({ memberId: peer.memberId, up: false });
      this.#postpone(peer, undefined);
    });
    if (!wasUp)
      this.#tell({ memberId: peer.memberId, up: true, ...(address === undefined ? {} : { address }) });
  }

  #tell(change: PeerChange): void {
    for (const listener of this.#listeners) listener(change);
  }

  /** Dials every kept peer whose pause is over, and comes back when the next one's is. */
  #dialKept(): void {
    this.#redial?.cancel();
    this.#redial = undefined;
    if (this.#closed) return;
    const nowMs = this.#ports.clock.monotonicMs();
    let nextMs = Number.POSITIVE_INFINITY;
    for (const memberId of this.#kept) {
      const peer = this.#peer(memberId);
      if (peer === undefined || isUp(peer) || peer.dialling !== undefined || addressesOf(peer).length === 0)
        continue;
      if (peer.notBeforeMs > nowMs) nextMs = Math.min(nextMs, peer.notBeforeMs);
      // A failure has set the next attempt's time and brings us here again.
      else this.connection(memberId).catch(() => {});
    }
    if (nextMs === Number.POSITIVE_INFINITY) return;
    this.#redial = this.#ports.clock.after(nextMs - nowMs, () => this.#dialKept());
  }
}

/** However the last attempt went, or goes that is under way; not more often than every `reconnectDelayMsMin`. */
function dialSoon(peer: Peer): void {
  peer.hasNews = peer.dialling !== undefined;
  peer.notBeforeMs = Math.min(peer.notBeforeMs, peer.dialledMs + reconnectDelayMsMin);
}

function isUp({ connections }: Peer): boolean {
  for (const connection of connections) if (connection.open) return true;
  return false;
}

function addressesOf({ proven, hinted }: Peer): readonly PeerAddress[] {
  return [...proven, ...hinted];
}

function newestFirst(fresh: readonly PeerAddress[], older: readonly PeerAddress[]): readonly PeerAddress[] {
  const others = older.filter((old) => !fresh.some((address) => isSame(old, address)));
  return [...fresh, ...others].slice(0, addressesPerMemberMax);
}

function isSame(a: PeerAddress, b: PeerAddress): boolean {
  return a.host === b.host && a.port === b.port;
}

function unreachable(message: string, cause?: unknown) {
  return transferError('PEER_UNREACHABLE', message, { cause });
}
