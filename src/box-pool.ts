import { type Bytes, equalBytes, toHex } from './base/bytes.ts';
import { AetherError, describeError } from './base/errors.ts';
import { memberExchangePeriodMs } from './base/limits.ts';
import type { Log } from './base/log.ts';
import { CatchUp } from './files/catch-up.ts';
import { LogShipping } from './files/log/log-shipping.ts';
import { LogStore } from './files/log/log-store.ts';
import { PoolFiles } from './files/pool-files.ts';
import type { HeardSummary, PoolSummary } from './files/pool-summary.ts';
import { TreeStore } from './files/tree/tree-store.ts';
import { TreeService } from './files/tree-service.ts';
import type { AddressBook } from './pool/address-book.ts';
import {
  chunkKeySecretOf,
  gearTableOf,
  groupKeyOf,
  metadataKeyOf,
  metricsTokenOf,
  nameKeyOf,
} from './pool/authority.ts';
import { type Identity, verifySignature } from './pool/identity.ts';
import { capacityUnitBytes, quantiseUnits } from './pool/membership/capacity.ts';
import { MemberExchange } from './pool/membership/member-exchange.ts';
import type { Member } from './pool/membership/member-set.ts';
import { declareCapacity, timeAfter } from './pool/membership/record.ts';
import type { Enrolled } from './pool/pairing/enrolment.ts';
import { computePlacement } from './pool/placement/placement.ts';
import type { PoolTime } from './pool/pool-time.ts';
import { ChunkReplicator } from './pool/transfer/chunk-replication.ts';
import { methods } from './pool/transfer/methods.ts';
import type { PeerConnection } from './pool/transfer/peer-connection.ts';
import type { PeerChange, PeerDirectory } from './pool/transfer/peer-directory.ts';
import type { PeerDispatcher } from './pool/transfer/peer-dispatcher.ts';
import { type Clock, every, type Timer } from './ports/clock.ts';
import type { Compute } from './ports/compute.ts';
import type { Disk } from './ports/disk.ts';
import type { Entropy } from './ports/entropy.ts';
import type { KeyValueStore } from './ports/key-value-store.ts';
import type { PeerFacts, PoolFacts } from './status/facts.ts';
import type { ChunkStore } from './store/chunk-store.ts';
import type { Suite } from './store/seal.ts';
import type { ChunkBody } from './store/volume.ts';

export interface BoxPoolOptions {
  readonly identity: Identity;
  readonly enrolled: Enrolled;
  readonly replicas: number;
  /** What new chunks are sealed with. */
  readonly suite: Suite;
  readonly store: ChunkStore;
  readonly dispatcher: PeerDispatcher;
  readonly directory: PeerDirectory;
  readonly addresses: AddressBook;
}

export interface BoxPoolPorts {
  readonly compute: Compute;
  readonly clock: Clock;
  readonly time?: PoolTime;
  readonly entropy: Entropy;
  readonly log: Log;
  readonly stateDisk: Disk;
  /** The tree's index; derived, so a new empty one will do. */
  readonly openTreeIndex: () => Promise<KeyValueStore>;
}

const meetAttemptsMax = 5;
const meetPauseMs = 500;

/** What a box does once it belongs to a pool: the tree and its logs, and keeping up with the other members. */
export class BoxPool {
  readonly #options: BoxPoolOptions;
  readonly #ports: BoxPoolPorts;
  readonly #logs: LogStore;
  readonly #shipping: LogShipping;
  readonly #service: TreeService;
  /** What people store and fetch through this box itself. */
  readonly files: PoolFiles;
  readonly #exchange: MemberExchange;
  readonly #catchUp: CatchUp;
  readonly #lastSeenMs = new Map<string, number>();
  readonly #subscriptions: (() => void)[] = [];
  #exchanging: Timer | undefined;

  private constructor(
    options: BoxPoolOptions,
    ports: BoxPoolPorts,
    parts: { readonly logs: LogStore; readonly shipping: LogShipping; readonly service: TreeService },
  ) {
    this.#options = options;
    this.#ports = ports;
    this.#logs = parts.logs;
    this.#shipping = parts.shipping;
    this.#service = parts.service;
    this.files = this.#poolFiles();
    this.#exchange = new MemberExchange(options.enrolled.roster);
    const { directory } = options;
    this.#catchUp = new CatchUp(
      {
        ours: () => this.summary(),
        isReachable: (memberId) => directory.isReachable(memberId),
        exchangeMembers: async (memberId) => this.#exchangeWith(await directory.connection(memberId)),
        pullLogs: (memberId) => this.#shipping.pullFrom(memberId),
      },
      { clock: ports.clock, log: ports.log.part('pool') },
    );
  }

  /** Opens logs and tree, replaying what the tree lacks. Errors: those of {@link TreeService.open}. */
  static async open(options: BoxPoolOptions, ports: BoxPoolPorts): Promise<BoxPool> {
    const { clock, entropy } = ports;
    const log = ports.log.part('files');
    const { secrets, roster } = options.enrolled;
    const logs = await LogStore.open({
      disk: ports.stateDisk,
      clock,
      entropy,
      log,
      signer: options.identity,
      authors: {
        verify: (author, message, signature) => {
          const member = roster.get(author);
          if (member === undefined) return 'unknown';
          return verifySignature(member.publicKey, message, signature) ? 'valid' : 'invalid';
        },
      },
      keys: {
        epoch: secrets.epoch,
        metadataKey: (epoch) => (epoch === secrets.epoch ? metadataKeyOf(secrets) : undefined),
      },
    });
    ports.time?.notBefore(logs.latestMs);
    const tree = await TreeStore.open(
      { metadataKey: metadataKeyOf(secrets), nameKey: nameKeyOf(secrets) },
      { store: await ports.openTreeIndex(), clock, entropy, log, recordsDurable: () => logs.settled() },
    );
    const { directory } = options;
    const shipping = new LogShipping(logs, {
      clock,
      log,
      peers: {
        boxes: () => directory.reachable().filter((memberId) => roster.get(memberId)?.role === 'box'),
        request: async (memberId, method, payload) =>
          (await directory.connection(memberId)).request(method, payload),
      },
    });
    const service = await TreeService.open({ logs, tree, shipping, entropy, log });
    const pool = new BoxPool(options, ports, { logs, shipping, service });
    pool.#handleRequests();
    return pool;
  }

  /** Starts to look for the other members and to keep up with them. */
  async start(): Promise<void> {
    const { directory, enrolled, addresses } = this.#options;
    for (const memberId of addresses.members()) directory.hint(memberId, addresses.addressesOf(memberId));
    this.#subscriptions.push(
      directory.onChange((change) => this.#peerChanged(change)),
      enrolled.roster.onChange(() => this.#membersChanged()),
    );
    this.#shipping.start();
    this.#exchanging = every(this.#ports.clock, memberExchangePeriodMs, () => this.#keepUp());
    this.#keepConnected();
    await this.#tryToDeclareCapacity();
  }

  /** Tells the pool how much this box can hold, when that has changed enough to matter. */
  async declareCapacity(): Promise<void> {
    const { store, enrolled, identity } = this.#options;
    const staying = store.status().volumes.filter(({ state }) => state !== 'retiring');
    const bytes = staying.reduce((sum, volume) => sum + volume.capacityBytes, 0);
    // A box that has any room at all takes part: placement counts whole units.
    const units = bytes === 0 ? 0 : Math.max(1, quantiseUnits(Math.floor(bytes / capacityUnitBytes)));
    const self = enrolled.roster.get(identity.memberId);
    if (self?.capacityUnits === units) return;
    const { pool } = enrolled.secrets;
    const atMs = timeAfter(self?.capacityAt, this.#ports.clock.wallMs());
    await enrolled.roster.add([declareCapacity(identity, { pool, units, atMs })]);
  }

  facts(): { readonly pool: PoolFacts; readonly peers: readonly PeerFacts[]; readonly missing: number } {
    const { enrolled, replicas, directory, addresses } = this.#options;
    const boxes = enrolled.roster.boxes();
    const placement = computePlacement(boxes, replicas);
    const rawUnits = boxes.reduce((sum, { capacityUnits }) => sum + capacityUnits, 0);
    const others = this.others();
    const now = this.#ports.clock.monotonicMs();
    return {
      pool: {
        id: toHex(enrolled.secrets.pool),
        replicas,
        rawBytes: rawUnits * capacityUnitBytes,
        usableBytes: placement.usableUnits * capacityUnitBytes,
      },
      peers: others.map(({ name, memberId }) => {
        const address = addresses.addressesOf(memberId)[0];
        const reachable = directory.isReachable(memberId);
        const seenMs = this.#lastSeenMs.get(toHex(memberId));
        return {
          name,
          memberId: toHex(memberId),
          reachable,
          address: address === undefined ? null : `${address.host}:${address.port}`,
          lastSeenAgoMs: reachable ? 0 : seenMs === undefined ? null : now - seenMs,
        };
      }),
      missing: others.length === 0 ? 0 : this.#shipping.unshared(),
    };
  }

  /**
   * Sees to it that chunks have as many copies on other boxes as the pool wants, for a disk of this one that goes.
   * Errors: `RETIRE_NO_ROOM`.
   */
  readonly keepElsewhere = async (chunks: readonly ChunkBody[]): Promise<void> => {
    const { replicas, directory } = this.#options;
    const replicator = new ChunkReplicator(
      { placement: () => computePlacement(this.others(), replicas), directory },
      { compute: this.#ports.compute, log: this.#ports.log.part('transfer') },
    );
    let copies = 0;
    try {
      const results = await replicator.putMany(chunks);
      copies = Math.min(...results.map((result) => result.copies));
    } catch (cause) {
      if (!(cause instanceof AetherError)) throw cause;
      throw noRoom(cause);
    }
    if (copies < replicas) throw noRoom();
  };

  /** The key that the members' multicast group is sealed with. */
  groupKey(): Bytes {
    return groupKeyOf(this.#options.enrolled.secrets);
  }

  /** What a member gives a program that reads this box's metrics. */
  metricsToken(): string {
    return metricsTokenOf(this.#options.enrolled.secrets);
  }

  /** The pool's other boxes. */
  others(): readonly Member[] {
    const { enrolled, identity } = this.#options;
    return enrolled.roster.boxes().filter(({ memberId }) => !equalBytes(memberId, identity.memberId));
  }

  /** What of the pool's members and logs is durable here. */
  summary(): PoolSummary {
    return { members: this.#options.enrolled.roster.digest(), logs: this.#logs.vector() };
  }

  /** Calls `listener` when this box's own log has grown on disk, or its member set has; the answer ends that. */
  onGrowth(listener: (what: 'log' | 'members') => void): () => void {
    const self = this.#options.identity.memberId;
    const ends = [
      this.#logs.onDurable((author) => {
        if (equalBytes(author, self)) listener('log');
      }),
      this.#options.enrolled.roster.onChange(() => listener('members')),
    ];
    return () => {
      for (const end of ends) end();
    };
  }

  /** Another box says that it has this: when that is more than there is here, it is asked soon. */
  hear(memberId: Bytes, theirs: HeardSummary): void {
    this.#catchUp.hear(memberId, theirs);
  }

  async close(): Promise<void> {
    this.#catchUp.stop();
    for (const unsubscribe of this.#subscriptions) unsubscribe();
    this.#exchanging?.cancel();
    this.#shipping.stop();
    await this.#service.close();
  }

  #poolFiles(): PoolFiles {
    const { enrolled, identity, replicas, directory, store, suite } = this.#options;
    const { secrets, roster } = enrolled;
    const chunks = new ChunkReplicator(
      {
        placement: () => computePlacement(roster.boxes(), replicas),
        directory,
        local: { memberId: identity.memberId, store },
      },
      { compute: this.#ports.compute, log: this.#ports.log.part('transfer') },
    );
    const sealing = { chunkKeySecret: chunkKeySecretOf(secrets), gearTable: gearTableOf(secrets), suite };
    return new PoolFiles({ tree: this.#service, chunks, secrets: sealing }, this.#ports);
  }

  #handleRequests(): void {
    const { dispatcher } = this.#options;
    const service = this.#service;
    dispatcher.handle(methods.membersExchange, (payload) => this.#exchange.answer(payload));
    dispatcher.handle(methods.logAppend, (payload) => service.handleLogAppend(payload));
    dispatcher.handle(methods.logVector, () => service.handleLogVector());
    dispatcher.handle(methods.logRead, (payload) => service.handleLogRead(payload));
    dispatcher.handle(methods.treeCommit, (payload) => service.handleCommit(payload));
    dispatcher.handle(methods.treeStat, (payload) => service.handleStat(payload));
    dispatcher.handle(methods.treeList, (payload) => service.handleList(payload));
  }

  #peerChanged({ memberId, up, address }: PeerChange): void {
    const box = toHex(memberId).slice(0, 8);
    this.#ports.log.part('pool').info(up ? 'box is reachable' : 'box is away', { box });
    this.#lastSeenMs.set(toHex(memberId), this.#ports.clock.monotonicMs());
    if (!up) return;
    if (address !== undefined) this.#options.addresses.seen(memberId, address);
    void this.#meet(memberId);
  }

  /** Members first: a log record counts only when its author is known. */
  async #meet(memberId: Bytes, attempt = 0): Promise<void> {
    try {
      const connection = await this.#options.directory.connection(memberId);
      if (connection.direction === 'incoming') await this.#noteAddress(connection);
      await this.#exchangeWith(connection);
      await this.#shipping.peerUp(memberId);
    } catch (error) {
      this.#ports.log.part('pool').debug('box not met', { reason: describeError(error) });
      // A box that has just joined may be heard of here before the other side knows that it is a member.
      if (attempt >= meetAttemptsMax || !this.#options.directory.isReachable(memberId)) return;
      this.#ports.clock.after(meetPauseMs * 2 ** attempt, () => void this.#meet(memberId, attempt + 1));
    }
  }

  /** A box that came by itself says where it can be dialled. */
  async #noteAddress(connection: PeerConnection): Promise<void> {
    const { port } = await connection.greet();
    if (port === undefined) return;
    const { memberId, remote } = connection.peer;
    const address = { host: remote.slice(0, remote.lastIndexOf(':')).replace(/^\[(.*)\]$/, '$1'), port };
    this.#options.addresses.seen(memberId, address);
    this.#options.directory.hint(memberId, [address]);
  }

  async #keepUp(): Promise<void> {
    await this.#tryToDeclareCapacity();
    await this.#exchangeWithAll();
  }

  /** A box that has no room to say so still serves what it has; it is tried again with every exchange. */
  async #tryToDeclareCapacity(): Promise<void> {
    try {
      await this.declareCapacity();
    } catch (error) {
      this.#ports.log.part('pool').warn('capacity not declared', { reason: describeError(error) });
    }
  }

  #exchangeWith(connection: PeerConnection): Promise<void> {
    return this.#exchange.withPeer((payload) => connection.request(methods.membersExchange, payload));
  }

  async #exchangeWithAll(): Promise<void> {
    const { directory } = this.#options;
    for (const { memberId } of this.others()) {
      if (!directory.isReachable(memberId)) continue;
      try {
        await this.#exchangeWith(await directory.connection(memberId));
      } catch (error) {
        this.#ports.log.part('pool').debug('box went away', { reason: describeError(error) });
      }
    }
  }

  #membersChanged(): void {
    this.#keepConnected();
    void this.#exchangeWithAll();
  }

  #keepConnected(): void {
    this.#options.directory.keep(this.others().map(({ memberId }) => memberId));
  }
}

function noRoom(cause?: unknown): AetherError {
  return new AetherError(
    'RETIRE_NO_ROOM',
    'no other disk and not enough other boxes can hold what this disk holds',
    {
      help: 'Attach another disk, or add a box to the pool; then retire this one.',
      cause,
    },
  );
}
