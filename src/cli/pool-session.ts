import { type Bytes, equalBytes, toHex } from '../base/bytes.ts';
import { AetherError, hasCode } from '../base/errors.ts';
import { defaultReplicas } from '../box.ts';
import { nodeCompute } from '../platform/node-compute.ts';
import { MemberExchange } from '../pool/membership/member-exchange.ts';
import type { Member } from '../pool/membership/member-set.ts';
import { computePlacement } from '../pool/placement/placement.ts';
import { tellTime } from '../pool/pool-time.ts';
import { ChunkReplicator } from '../pool/transfer/chunk-replication.ts';
import { methods } from '../pool/transfer/methods.ts';
import type { PeerConnection } from '../pool/transfer/peer-connection.ts';
import { type PeerChange, PeerDirectory } from '../pool/transfer/peer-directory.ts';
import { PeerDispatcher } from '../pool/transfer/peer-dispatcher.ts';
import { type Desktop, type DesktopPool, desktopPorts, desktopTransport } from './desktop.ts';
import { BoxFinder } from './find-boxes.ts';
import { within } from './within.ts';

export interface SessionOptions {
  /** Name of the box to ask; any that answers when undefined. */
  readonly box?: string | undefined;
  /** `all`: wait (a little) for every box of the pool; `one`: the first that answers will do. */
  readonly wait: 'all' | 'one';
  readonly signal: AbortSignal;
}

/** With one box there, the others get this long; a box that is off must not hold up everything. */
const restWaitMs = 1500;
const firstWaitMs = 6000;
/** A commit waits for a second box's disk; both are given time. */
const requestTimeoutMs = 60_000;

const goneCodes = ['LINK_CLOSED', 'PEER_UNREACHABLE', 'REQUEST_TIMEOUT'] as const;

/** Troubles of one box: another one may do what this one cannot. */
const boxCodes = new Set([
  'LOG_CORRUPT',
  'LOG_FAILED',
  'LOG_FORKED',
  // Its clock is wrong; another box's may be right.
  'CLOCK_SKEW',
  'TREE_CORRUPT',
  'DISK_FULL',
  'DISK_GONE',
  'DISK_IO',
  'DISK_SILENT',
  'CONNECTIONS_FULL',
  'PEER_BUSY',
  // It has not heard yet that this desktop is a member.
  'NOT_A_MEMBER',
  'INTERNAL',
]);

/** This desktop's connections with the boxes of its pool, for one run of a command. */
export class PoolSession {
  readonly replicator: ChunkReplicator;
  readonly pool: DesktopPool;
  readonly #desktop: Desktop;
  readonly #options: SessionOptions;
  readonly #directory: PeerDirectory;
  readonly #meetings = new Set<Promise<void>>();
  #finder: BoxFinder | undefined;
  #box: Member | undefined;

  private constructor(desktop: Desktop, options: SessionOptions) {
    const { identity } = desktop;
    this.pool = desktop.requirePool();
    this.#desktop = desktop;
    this.#options = options;
    const { secrets, roster } = this.pool;
    const dispatcher = new PeerDispatcher({
      hello: () => ({
        role: 'desktop',
        name: 'aether',
        pool: secrets.pool,
        state: 'member',
        clock: tellTime(desktopPorts.clock),
      }),
      memberOf: (memberId) => roster.get(memberId),
    });
    this.#directory = new PeerDirectory(
      {
        self: identity.memberId,
        transport: desktopTransport(identity),
        dispatcher,
        pool: () => secrets.pool,
      },
      desktopPorts,
    );
    this.replicator = new ChunkReplicator(
      { placement: () => computePlacement(roster.boxes(), defaultReplicas), directory: this.#directory },
      { compute: nodeCompute, log: desktopPorts.log },
    );
  }

  /** Finds the boxes by where they were last and by asking the LAN. Errors: `NO_POOL`, `POOL_UNREACHABLE`. */
  static async open(desktop: Desktop, options: SessionOptions): Promise<PoolSession> {
    const session = new PoolSession(desktop, options);
    try {
      await session.#connect();
    } catch (error) {
      await session.close();
      throw error;
    }
    return session;
  }

  /** Name of the box that answered last, or is asked next. */
  get boxName(): string {
    return this.#box?.name ?? '';
  }

  /** Boxes that answer now. */
  reachable(): readonly Member[] {
    return this.pool.roster.boxes().filter(({ memberId }) => this.#directory.isReachable(memberId));
  }

  /** The box of the pool that `wanted` names, by name or the first digits of its id. Errors: `BOX_NOT_FOUND`. */
  member(wanted: string): Member {
    return this.#named(wanted)[0]!;
  }

  connection(memberId: Bytes): Promise<PeerConnection> {
    return this.#directory.connection(memberId);
  }

  /**
   * Asks one box of the pool; when it goes away or is in trouble, the next one, so `method` must do no harm twice.
   * Errors: the box's own, `POOL_UNREACHABLE`.
   */
  async ask(method: number, payload: Bytes): Promise<Bytes> {
    let failure: unknown;
    let trouble: unknown;
    for (const box of this.#candidates()) {
      try {
        const connection = await this.#directory.connection(box.memberId);
        const answer = await connection.request(method, payload, { timeoutMs: requestTimeoutMs });
        this.#box = box;
        return answer;
      } catch (error) {
        if (error instanceof AetherError && boxCodes.has(error.code)) trouble ??= error;
        else if (!goneCodes.some((code) => hasCode(error, code))) throw error;
        failure = error;
      }
    }
    throw trouble ?? unreachable(failure);
  }

  async close(): Promise<void> {
    await Promise.allSettled(this.#meetings);
    this.#directory.close();
    await this.#finder?.close();
    await this.#desktop.addresses.settled();
  }

  /** The box asked for alone, or: the one that answered last, then the others that answer. */
  #candidates(): readonly Member[] {
    const wanted = this.#options.box;
    if (wanted !== undefined) return this.#named(wanted);
    const reachable = this.reachable();
    const last = this.#box;
    if (last === undefined) return reachable;
    return [last, ...reachable.filter(({ memberId }) => !equalBytes(memberId, last.memberId))];
  }

  #named(wanted: string): readonly Member[] {
    const lower = wanted.toLowerCase();
    const boxes = this.pool.roster.boxes();
    const named = boxes.filter(
      ({ name, memberId }) =>
        name.toLowerCase() === lower || (lower.length >= 4 && toHex(memberId).startsWith(lower)),
    );
    if (named.length === 1) return named;
    throw new AetherError('BOX_NOT_FOUND', `the pool has no box called ${wanted}`, {
      help: `Its boxes: ${boxes.map(({ name }) => name).join(', ')}.`,
    });
  }

  async #connect(): Promise<void> {
    const { addresses } = this.#desktop;
    const first = Promise.withResolvers<void>();
    const all = Promise.withResolvers<void>();
    const check = () => {
      if (this.#isEnough()) first.resolve();
      if (this.reachable().length === this.pool.roster.boxes().length) all.resolve();
    };
    this.#directory.onChange((change) => {
      if (!change.up) return;
      const meeting = this.#meet(change).then(check);
      this.#meetings.add(meeting);
      meeting.finally(() => this.#meetings.delete(meeting));
    });
    for (const memberId of addresses.members())
      this.#directory.hint(memberId, addresses.addressesOf(memberId));
    this.#directory.keep(this.pool.roster.boxes().map(({ memberId }) => memberId));
    await this.#listen();
    const { signal, wait } = this.#options;
    await within(first.promise, firstWaitMs, signal);
    if (!this.#isEnough()) throw unreachable();
    if (wait === 'all') await within(all.promise, restWaitMs, signal);
  }

  /** Hints about boxes that are not where they were. */
  async #listen(): Promise<void> {
    const finder = await BoxFinder.start();
    this.#finder = finder;
    const hear = () => {
      for (const { memberId, addresses } of finder.found()) {
        if (this.pool.roster.get(memberId) !== undefined) this.#directory.hint(memberId, addresses);
      }
    };
    finder.onFound(hear);
    hear();
  }

  #isEnough(): boolean {
    const wanted = this.#options.box;
    if (wanted === undefined) return this.reachable().length > 0;
    return this.#named(wanted).some(({ memberId }) => this.#directory.isReachable(memberId));
  }

  /** Learns from a box who else is a member. */
  async #meet({ memberId, address }: PeerChange): Promise<void> {
    if (address !== undefined) this.#desktop.addresses.seen(memberId, address);
    try {
      const connection = await this.#directory.connection(memberId);
      const exchange = new MemberExchange(this.pool.roster);
      await exchange.withPeer((payload) => connection.request(methods.membersExchange, payload));
      this.#directory.keep(this.pool.roster.boxes().map((box) => box.memberId));
    } catch (error) {
      desktopPorts.log.debug('members not exchanged', { reason: String(error) });
    }
  }
}

/** The box of the first claim first. */
export function byAdmission(members: readonly Member[]): readonly Member[] {
  return [...members].sort((a, b) => a.at - b.at);
}

function unreachable(cause?: unknown): AetherError {
  return new AetherError('POOL_UNREACHABLE', 'no box of the pool answers', {
    help: 'See that a box is on and on the same network; `aether scan` shows who is there.',
    cause,
  });
}
