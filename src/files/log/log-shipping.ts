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
  /** What it last said is durable there; undefined: not asked yet. */
  vector: Vector | undefined;
  /** It has said so since it was last reachable: before, it may have lost what it had. */
  answered: boolean;
  asking: number;
  sending: Promise<void> | undefined;
  pulling: Promise<void> | undefined;
  /** The last attempt failed; tried again at the next pull. */
  failed: boolean;
}

interface Waiting {
  /** What another box has to have durable. */
  readonly wanted: Vector;
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
    for (const { resolve, wanted } of this.#waiting) resolve(1 + this.#holders(wanted));
    this.#waiting = [];
  }

  /** Exchanges with a box that has just come up. */
  async peerUp(memberId: Bytes): Promise<void> {
    const peer = this.#peer(memberId);
    peer.answered = false;
    await this.#pull(peer);
  }

  /** Fetches what a box has and we lack, now; and pushes again what it did not take before. */
  async pullFrom(memberId: Bytes): Promise<void> {
    await this.#pull(this.#peer(memberId));
  }

  async pullAll(): Promise<void> {
    await Promise.all(this.#reachable().map((peer) => this.#pull(peer)));
  }

  /**
   * How many boxes have our first `count` records durable, this one included: resolves when another one has, or
   * when no other answers (at the latest after {@link logShipTimeoutMs}). Only boxes that can be reached count.
   */
  copies(count: number): Promise<number> {
    const copies = this.#wait(new Map([[toHex(this.#logs.self), count]]));
    this.#pushAll();
    this.#settle();
    return copies;
  }

  /** The same for all that is durable here, whoever wrote it: a box that lacks any of it does not count. */
  copiesOfAll(): Promise<number> {
    const copies = this.#wait(this.#logs.vector());
    this.#pushAll();
    for (const peer of this.#reachable()) if (!peer.failed) this.#ask(peer);
    this.#settle();
    return copies;
  }

  /** How many of our own durable records no other box is known to have. */
  unshared(): number {
    const counts = [...this.#peers.values()].map(({ vector }) => this.#ownIn(vector));
    return Math.max(0, this.#ownDurable() - Math.max(0, ...counts));
  }

  #wait(wanted: Vector): Promise<number> {
    return new Promise((resolve) => {
      const timer = this.#ports.clock.after(logShipTimeoutMs, () =>
        waiting.resolve(1 + this.#holders(wanted)),
      );
      const waiting: Waiting = {
        wanted,
        resolve: (copies) => {
          timer.cancel();
          this.#waiting = this.#waiting.filter((other) => other !== waiting);
          resolve(copies);
        },
      };
      this.#waiting.push(waiting);
    });
  }

  #pushAll(): void {
    for (const peer of this.#reachable()) if (!peer.failed) this.#push(peer);
  }

  /** Asks a box what it has now. */
  #ask(peer: Peer): void {
    peer.asking++;
    this.#learn(peer)
      .catch((error) => this.#failed(peer, error))
      .finally(() => {
        peer.asking--;
        this.#settle();
      });
  }

  /** One request to a box at a time; records that come meanwhile go together in the next. */
  #push(peer: Peer): void {
    peer.sending ??= this.#send(peer)
      .catch((error) => this.#failed(peer, error))
      .finally(() => {
        peer.sending = undefined;
        if (!peer.failed && this.#ownIn(peer.vector) < this.#ownDurable()) this.#push(peer);
        this.#settle();
      });
  }

  async #send(peer: Peer): Promise<void> {
    let count = this.#ownIn(peer.answered ? peer.vector : await this.#learn(peer));
    while (count < this.#ownDurable()) {
      const before = count;
      const bodies = await this.#logs.read(this.#logs.self, before, pageBytes);
      const answer = await this.#request(peer, methods.logAppend, encodeCbor(bodies));
      count = this.#ownIn(await this.#note(peer, decodeVector(decodeCbor(answer))));
      if (count <= before) throw filesError('LOG_RECORD_INVALID', 'a box does not take our records');
      this.#settle();
    }
  }

  async #pull(peer: Peer): Promise<void> {
    peer.failed = false;
    peer.pulling ??= this.#fetch(peer)
      .catch((error) => this.#failed(peer, error))
      .finally(() => {
        peer.pulling = undefined;
      });
    await peer.pulling;
  }

  async #fetch(peer: Peer): Promise<void> {
    const theirs = await this.#learn(peer);
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

  async #learn(peer: Peer): Promise<Vector> {
    const answer = await this.#request(peer, methods.logVector, new Uint8Array(0));
    return this.#note(peer, decodeVector(decodeCbor(answer)));
  }

  /** Takes a box at its word, but for records of our own that we lack: it must show the last of them. */
  async #note(peer: Peer, vector: Vector): Promise<Vector> {
    const claimed = this.#ownIn(vector);
    if (claimed > this.#logs.ownCount) {
      const body = await this.#ownFrom(peer, claimed - 1);
      if (body === undefined || !this.#logs.expectOwnRecord(body, claimed - 1)) {
        throw filesError('LOG_RECORD_INVALID', 'a box claims records of ours that we never signed');
      }
    }
    if (!peer.answered) await this.#compareOwn(peer, Math.min(claimed, this.#ownDurable()));
    peer.vector = vector;
    peer.answered = true;
    return vector;
  }

  /** Our first `count` records have to be the same on both sides: the last of them carries the hashes of all. */
  async #compareOwn(peer: Peer, count: number): Promise<void> {
    if (count === 0) return;
    const theirs = await this.#ownFrom(peer, count - 1);
    if (theirs === undefined) throw filesError('LOG_RECORD_INVALID', 'a box lacks a record that it claims');
    await this.#logs.compareOwnRecord(theirs, count - 1);
  }

  /** What a box has as our record number `seq`. */
  async #ownFrom(peer: Peer, seq: number): Promise<Bytes | undefined> {
    const payload = encodeCbor({ author: this.#logs.self, from: seq });
    return bodiesFromCbor(decodeCbor(await this.#request(peer, methods.logRead, payload)))[0];
  }

  #request(peer: Peer, method: number, payload: Bytes): Promise<Bytes> {
    return this.#ports.peers.request(peer.memberId, method, payload);
  }

  #failed(peer: Peer, error: unknown): void {
    peer.failed = true;
    peer.vector = undefined;
    peer.answered = false;
    this.#ports.log.info('log not exchanged', {
      peer: toHex(peer.memberId).slice(0, 8),
      reason: describeError(error),
    });
  }

  /** Answers those who wait for a copy that is there, or that nobody is left to make. */
  #settle(): void {
    const busy = (peer: Peer) => !peer.failed && (peer.sending !== undefined || peer.asking > 0);
    const hopeless = !this.#reachable().some(busy);
    for (const waiting of [...this.#waiting]) {
      const holders = this.#holders(waiting.wanted);
      if (holders > 0 || hopeless) waiting.resolve(1 + holders);
    }
  }

  #holders(wanted: Vector): number {
    return this.#reachable().filter(({ answered, vector }) => answered && covers(vector, wanted)).length;
  }

  #reachable(): readonly Peer[] {
    return this.#ports.peers.boxes().map((memberId) => this.#peer(memberId));
  }

  #ownIn(vector: Vector | undefined): number {
    return vector?.get(toHex(this.#logs.self)) ?? 0;
  }

  #ownDurable(): number {
    return this.#ownIn(this.#logs.vector());
  }

  #peer(memberId: Bytes): Peer {
    const name = toHex(memberId);
    let peer = this.#peers.get(name);
    if (peer === undefined) {
      const idle = { sending: undefined, pulling: undefined, asking: 0 };
      peer = { memberId, vector: undefined, answered: false, failed: false, ...idle };
      this.#peers.set(name, peer);
    }
    return peer;
  }
}

function covers(vector: Vector | undefined, wanted: Vector): boolean {
  return [...wanted].every(([name, count]) => (vector?.get(name) ?? 0) >= count);
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
