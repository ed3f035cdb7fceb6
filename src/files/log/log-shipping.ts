import { type Bytes, fromHex, toHex } from '../../base/bytes.ts';
import { CborFields, type CborValue, decodeCbor, encodeCbor } from '../../base/cbor.ts';
import { describeError } from '../../base/errors.ts';
import { logPullPeriodMs, logShipTimeoutMs, membersMax } from '../../base/limits.ts';
import type { Log } from '../../base/log.ts';
import { methods } from '../../pool/transfer/methods.ts';
import { type Clock, every, type Timer } from '../../ports/clock.ts';
import { filesError } from '../files-error.ts';
import type { LogStore, Vector } from './log-store.ts';

/** The other boxes of the pool that can be reached now. */
export interface LogPeers {
  boxes(): readonly Bytes[];
  request(memberId: Bytes, method: number, payload: Bytes): Promise<Bytes>;
}

export interface LogShippingPorts {
  readonly clock: Clock;
  readonly log: Log;
  readonly peers: LogPeers;
}

interface Peer {
  readonly memberId: Bytes;
  /** How many of our own records it has said are durable there; undefined: not asked yet. */
  ownCount: number | undefined;
  sending: Promise<void> | undefined;
  pulling: Promise<void> | undefined;
  /** The last attempt failed; tried again at the next pull. */
  failed: boolean;
}

interface Waiting {
  readonly count: number;
  readonly resolve: (copies: number) => void;
}

/** Half a frame: records are sent in pages of this, each at least one record. */
const pageBytes = 512 * 1024;

/**
 * Copies logs between boxes: our own records are pushed to every reachable box as they become durable here, and
 * every 10 s, or when a box comes up, what we lack of anybody's is pulled from it.
 */
export class LogShipping {
  readonly #logs: LogStore;
  readonly #ports: LogShippingPorts;
  readonly #peers = new Map<string, Peer>();
  #waiting: Waiting[] = [];
  #timer: Timer | undefined;
  readonly #unsubscribe: () => void;

  constructor(logs: LogStore, ports: LogShippingPorts) {
    this.#logs = logs;
    this.#ports = ports;
    this.#unsubscribe = logs.onDurable((author) => {
      if (toHex(author) === toHex(logs.self)) this.#pushAll();
    });
  }

  start(): void {
    this.#timer ??= every(this.#ports.clock, logPullPeriodMs, () => this.pullAll());
  }

  stop(): void {
    this.#timer?.cancel();
    this.#unsubscribe();
    for (const { resolve, count } of this.#waiting) resolve(1 + this.#holders(count));
    this.#waiting = [];
  }

  /** Exchanges with a box that has just come up. */
  async peerUp(memberId: Bytes): Promise<void> {
    const peer = this.#peer(memberId);
    peer.failed = false;
    await this.#pull(peer);
  }

  async pullAll(): Promise<void> {
    await Promise.all(this.#ports.peers.boxes().map((memberId) => this.peerUp(memberId)));
  }

  /**
   * How many boxes have our first `count` records durable, this one included: resolves when another one has, or
   * when no other answers (at the latest after {@link logShipTimeoutMs}).
   */
  copies(count: number): Promise<number> {
    return new Promise((resolve) => {
      const timer = this.#ports.clock.after(logShipTimeoutMs, () =>
        waiting.resolve(1 + this.#holders(count)),
      );
      const waiting: Waiting = {
        count,
        resolve: (copies) => {
          timer.cancel();
          this.#waiting = this.#waiting.filter((other) => other !== waiting);
          resolve(copies);
        },
      };
      this.#waiting.push(waiting);
      this.#pushAll();
      this.#settle();
    });
  }

  /** How many of our own durable records no other box is known to have. */
  unshared(): number {
    const counts = [...this.#peers.values()].map(({ ownCount }) => ownCount ?? 0);
    return Math.max(0, this.#ownDurable() - Math.max(0, ...counts));
  }

  #pushAll(): void {
    for (const memberId of this.#ports.peers.boxes()) {
      const peer = this.#peer(memberId);
      if (!peer.failed) this.#push(peer);
    }
  }

  /** One request to a box at a time; records that come meanwhile go together in the next. */
  #push(peer: Peer): void {
    peer.sending ??= this.#send(peer)
      .catch((error) => this.#failed(peer, error))
      .finally(() => {
        peer.sending = undefined;
        if (!peer.failed && (peer.ownCount ?? 0) < this.#ownDurable()) this.#push(peer);
        this.#settle();
      });
  }

  async #send(peer: Peer): Promise<void> {
    peer.ownCount ??= this.#noteOwn(await this.#vectorOf(peer));
    while (peer.ownCount < this.#ownDurable()) {
      const bodies = await this.#logs.read(this.#logs.self, peer.ownCount, pageBytes);
      const answer = await this.#request(peer, methods.logAppend, encodeCbor(bodies));
      const before: number = peer.ownCount;
      peer.ownCount = this.#noteOwn(decodeVector(decodeCbor(answer)));
      if (peer.ownCount <= before) throw filesError('LOG_RECORD_INVALID', 'a box does not take our records');
      this.#settle();
    }
  }

  async #pull(peer: Peer): Promise<void> {
    peer.pulling ??= this.#fetch(peer)
      .catch((error) => this.#failed(peer, error))
      .finally(() => {
        peer.pulling = undefined;
      });
    await peer.pulling;
  }

  async #fetch(peer: Peer): Promise<void> {
    const theirs = await this.#vectorOf(peer);
    peer.ownCount = this.#noteOwn(theirs);
    this.#push(peer);
    for (const [name, count] of theirs) {
      const author = fromHex(name)!;
      for (let from = this.#logs.vector().get(name) ?? 0; from < count; ) {
        const answer = await this.#request(peer, methods.logRead, encodeCbor({ author, from }));
        const { refused } = await this.#logs.receive(bodiesFromCbor(decodeCbor(answer)));
        const next = this.#logs.vector().get(name) ?? 0;
        if (refused.length > 0 || next <= from) break;
        from = next;
      }
    }
  }

  /** How many of our own records a vector shows; more than we have means that we have lost some. */
  #noteOwn(vector: Vector): number {
    const count = vector.get(toHex(this.#logs.self)) ?? 0;
    this.#logs.expectOwn(count);
    return count;
  }

  async #vectorOf(peer: Peer): Promise<Vector> {
    return decodeVector(decodeCbor(await this.#request(peer, methods.logVector, new Uint8Array(0))));
  }

  #request(peer: Peer, method: number, payload: Bytes): Promise<Bytes> {
    return this.#ports.peers.request(peer.memberId, method, payload);
  }

  #failed(peer: Peer, error: unknown): void {
    peer.failed = true;
    peer.ownCount = undefined;
    this.#ports.log.info('log not exchanged', {
      peer: toHex(peer.memberId).slice(0, 8),
      reason: describeError(error),
    });
  }

  /** Answers those who wait for a copy that is there, or that nobody is left to make. */
  #settle(): void {
    const reachable = this.#ports.peers.boxes().map((memberId) => this.#peer(memberId));
    const hopeless = reachable.every((peer) => peer.failed);
    for (const waiting of [...this.#waiting]) {
      const holders = this.#holders(waiting.count);
      if (holders > 0 || hopeless) waiting.resolve(1 + holders);
    }
  }

  #holders(count: number): number {
    let holders = 0;
    for (const { ownCount } of this.#peers.values()) if ((ownCount ?? -1) >= count) holders++;
    return holders;
  }

  #ownDurable(): number {
    return this.#logs.vector().get(toHex(this.#logs.self)) ?? 0;
  }

  #peer(memberId: Bytes): Peer {
    const name = toHex(memberId);
    let peer = this.#peers.get(name);
    if (peer === undefined) {
      peer = { memberId, ownCount: undefined, sending: undefined, pulling: undefined, failed: false };
      this.#peers.set(name, peer);
    }
    return peer;
  }
}

/** CBOR map of author (hexadecimal) to the number of its next record. */
export function encodeVector(vector: Vector): Bytes {
  return encodeCbor(Object.fromEntries(vector));
}

/** Errors: `CBOR_INVALID`, `LOG_RECORD_INVALID`. */
function decodeVector(value: CborValue): Vector {
  const fields = new CborFields(value);
  const names = fields.names();
  const valid = names.length <= membersMax && names.every((name) => /^[0-9a-f]{64}$/.test(name));
  if (!valid) throw filesError('LOG_RECORD_INVALID', 'a vector of authors was expected');
  return new Map(names.map((name) => [name, fields.count(name)]));
}

/** Errors: `LOG_RECORD_INVALID`. */
export function bodiesFromCbor(value: CborValue): readonly Bytes[] {
  const isList = Array.isArray(value) && value.every((body) => body instanceof Uint8Array);
  if (!isList) throw filesError('LOG_RECORD_INVALID', 'a list of log records was expected');
  return (value as readonly Bytes[]).map((body) => new Uint8Array(body));
}
