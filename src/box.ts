import { type Bytes, emptyBytes, fromHex, toHex } from './base/bytes.ts';
import { encodeCbor } from './base/cbor.ts';
import { hasCode } from './base/errors.ts';
import { identifyMs } from './base/face-limits.ts';
import type { Log } from './base/log.ts';
import { version } from './base/version.ts';
import { BoxDisks } from './box-disks.ts';
import { BoxPool } from './box-pool.ts';
import { AddressBook } from './pool/address-book.ts';
import { type Identity, loadOrCreateIdentity } from './pool/identity.ts';
import { BoxEnrolment, type Enrolled } from './pool/pairing/enrolment.ts';
import { PagePairing } from './pool/pairing/page-pairing.ts';
import { PairingHost, type PairingView } from './pool/pairing/pairing-host.ts';
import type { PoolTime } from './pool/pool-time.ts';
import { handleChunks } from './pool/transfer/chunk-handlers.ts';
import { type Method, methods } from './pool/transfer/methods.ts';
import { PeerDirectory } from './pool/transfer/peer-directory.ts';
import { PeerDispatcher, type RequestHandler } from './pool/transfer/peer-dispatcher.ts';
import { PeerServer } from './pool/transfer/peer-server.ts';
import type { Clock, Timer } from './ports/clock.ts';
import type { Compute } from './ports/compute.ts';
import type { Disk } from './ports/disk.ts';
import type { Entropy } from './ports/entropy.ts';
import type { KeyValueStore } from './ports/key-value-store.ts';
import type { ListenAddress, PeerAddress, SecureTransport } from './ports/secure-transport.ts';
import { type ApplianceStatus, foldStatus } from './status/appliance-status.ts';
import {
  type ApplianceFacts,
  type BoxPhase,
  type NetworkFacts,
  noUpdate,
  unknownHardware,
} from './status/facts.ts';
import { statusToCbor } from './status/status-codec.ts';
import type { Suite } from './store/seal.ts';
import type { VolumeOptions } from './store/volume.ts';

/** Copies of every chunk, on boxes of their own, as far as there are as many. */
export const defaultReplicas = 2;

export interface BoxOptions {
  /** Undefined: `aether-` and the first four digits of the member id. */
  readonly name?: string;
  readonly listen: ListenAddress;
  /** Tried one after the other when the port of `listen` is taken. */
  readonly otherPorts?: readonly number[];
  readonly volumes: readonly VolumeOptions[];
  readonly replicas: number;
  /** What this box seals new chunks with, when it stores files itself. */
  readonly suite: Suite;
  /** The claim code that its label says; undefined: it makes one. */
  readonly claimCode?: string;
}

export interface BoxPorts {
  readonly clock: Clock;
  /** What the clock shows, where it may not know the time. */
  readonly time?: PoolTime;
  readonly entropy: Entropy;
  readonly log: Log;
  readonly compute: Compute;
  readonly stateDisk: Disk;
  readonly openTreeIndex: () => Promise<KeyValueStore>;
  /** Connections under the box's own key. */
  readonly transportFor: (identity: Identity) => SecureTransport;
  /** What the surroundings know of the network. */
  readonly network: () => Omit<NetworkFacts, 'port'>;
  /** What they know of the computer; where nobody looks, nothing. */
  readonly machine?: () => MachineFacts;
}

/** What a box is told of the computer it runs on, and of what people have seen. */
export type MachineFacts = Pick<ApplianceFacts, 'hardware' | 'disks' | 'update' | 'acknowledged'>;

const unknownMachine: MachineFacts = {
  hardware: unknownHardware,
  disks: [],
  update: noUpdate,
  acknowledged: [],
};

/** A whole box over its ports: what `main.ts` runs on a machine, and the simulator in its world. */
export class Box {
  readonly identity: Identity;
  readonly name: string;
  readonly #options: BoxOptions;
  readonly #ports: BoxPorts;
  readonly disks: BoxDisks;
  readonly #enrolment: BoxEnrolment;
  readonly #pairing: PairingHost;
  readonly #dispatcher: PeerDispatcher;
  readonly #directory: PeerDirectory;
  readonly #server: PeerServer;
  readonly #addresses: AddressBook;
  readonly #startedMs: number;
  readonly #listeners = new Set<() => void>();
  #pool: BoxPool | undefined;
  #poolOpening: Promise<void> = Promise.resolve();
  #phase: BoxPhase = 'starting';
  #port: number | undefined;
  #identifying: Timer | undefined;

  private constructor(
    options: BoxOptions,
    ports: BoxPorts,
    parts: {
      readonly identity: Identity;
      readonly disks: BoxDisks;
      readonly enrolment: BoxEnrolment;
      readonly pairing: PairingHost;
      readonly addresses: AddressBook;
    },
  ) {
    this.#options = options;
    this.#ports = ports;
    this.identity = parts.identity;
    this.name = options.name ?? `aether-${toHex(parts.identity.memberId).slice(0, 4)}`;
    this.disks = parts.disks;
    this.#enrolment = parts.enrolment;
    this.#pairing = parts.pairing;
    this.#addresses = parts.addresses;
    this.#startedMs = ports.clock.monotonicMs();
    this.#dispatcher = new PeerDispatcher({
      hello: () => ({
        role: 'box',
        name: this.name,
        pool: this.#enrolment.enrolled?.secrets.pool,
        state: this.claimed ? 'member' : 'unclaimed',
        port: this.#port,
        clock: ports.time?.tell(),
      }),
      memberOf: (memberId) => this.#enrolment.enrolled?.roster.get(memberId),
      onTime: (member, told) => ports.time?.hear(member, told),
    });
    const transport = ports.transportFor(parts.identity);
    const transferPorts = { clock: ports.clock, entropy: ports.entropy, log: ports.log.part('transfer') };
    this.#directory = new PeerDirectory(
      {
        self: parts.identity.memberId,
        transport,
        dispatcher: this.#dispatcher,
        pool: () => this.#enrolment.enrolled?.secrets.pool,
      },
      transferPorts,
    );
    this.#server = new PeerServer(
      {
        transport,
        dispatcher: this.#dispatcher,
        onMember: (connection) => this.#directory.adopt(connection),
      },
      transferPorts,
    );
    this.#handleRequests();
    this.disks.onChange(() => this.#disksChanged());
    this.#pairing.onChange(() => this.#changed());
    this.#directory.onChange(() => this.#changed());
    this.#enrolment.onClaimed((enrolled) => this.#enterPool(enrolled));
  }

  /** Opens the state folder and the volumes, recovering what a crash left. Nothing is served yet. */
  static async open(options: BoxOptions, ports: BoxPorts): Promise<Box> {
    const { stateDisk: disk, clock, entropy, compute } = ports;
    const identity = await loadOrCreateIdentity(disk, ports);
    const log = ports.log.part('pool');
    const enrolment = await BoxEnrolment.open({ disk, identity }, { clock, log });
    const pairing = await PairingHost.open(
      { disk, enrolment, firstCode: options.claimCode },
      { clock, entropy, log },
    );
    const addresses = await AddressBook.open(disk, { log });
    const pool = enrolment.enrolled?.secrets.pool;
    const disks = await BoxDisks.open(
      { volumes: options.volumes, ...(pool === undefined ? {} : { pool }) },
      disk,
      { clock, entropy, compute, log: ports.log.part('store') },
    );
    const box = new Box(options, ports, { identity, disks, enrolment, pairing, addresses });
    try {
      if (enrolment.enrolled !== undefined) await box.#openPool(enrolment.enrolled);
    } catch (error) {
      await disks.store.close();
      throw error;
    }
    return box;
  }

  /** Listens and joins in; resolves with the port. Errors: `LINK_ADDRESS_IN_USE`, `LINK_DENIED`. */
  async start(): Promise<number> {
    this.#port = await this.#listen();
    this.#phase = 'running';
    await this.#pool?.start();
    this.#changed();
    return this.#port;
  }

  async #listen(): Promise<number> {
    const { listen, otherPorts = [] } = this.#options;
    let taken: unknown;
    for (const port of [listen.port, ...otherPorts]) {
      try {
        return await this.#server.listen({ ...listen, port });
      } catch (error) {
        if (!hasCode(error, 'LINK_ADDRESS_IN_USE')) throw error;
        taken = error;
      }
    }
    throw taken;
  }

  get claimed(): boolean {
    return this.#enrolment.enrolled !== undefined;
  }

  /** The pool's id; undefined while unclaimed. */
  get poolId(): Bytes | undefined {
    return this.#enrolment.enrolled?.secrets.pool;
  }

  /** What this box does as a member; undefined while unclaimed. */
  get pool(): BoxPool | undefined {
    return this.#pool;
  }

  /** Pairing by a page that this box serves itself. */
  get page(): PagePairing {
    const { identity, name } = this;
    return new PagePairing({ host: this.#pairing, enrolment: this.#enrolment, identity, name }, this.#ports);
  }

  /** Answers one more method of the members. */
  handle(method: Method, handler: RequestHandler): void {
    this.#dispatcher.handle(method, handler);
  }

  /** Asks another member, by hexadecimal id. Errors: its own, `PEER_UNREACHABLE`. */
  async ask(memberId: string, method: Method, payload: Bytes): Promise<Bytes> {
    const connection = await this.#directory.connection(fromHex(memberId) ?? emptyBytes);
    return connection.request(method, payload);
  }

  /** The code that is valid now, if any, and how pairing stands. */
  pairing(): PairingView {
    return this.#pairing.view();
  }

  /** A fresh code for one more desktop. Errors: `NOT_CLAIMED`, `PAIRING_LOCKED`. */
  requestLoginCode(): string {
    return this.#pairing.requestLoginCode();
  }

  /** Says that a box announced itself at these addresses. Whoever it is has to prove it. */
  hint(memberId: Bytes, addresses: readonly PeerAddress[]): void {
    if (this.#enrolment.enrolled?.roster.get(memberId) !== undefined)
      this.#directory.hint(memberId, addresses);
  }

  /** Says that a member gave a sign of life that only it can give, from where it answers at these addresses. */
  heard(memberId: Bytes, addresses: readonly PeerAddress[]): void {
    this.hint(memberId, addresses);
    this.#directory.heard(memberId);
  }

  /** Both lights blink for a while, or no more. */
  identify(on: boolean): void {
    this.#identifying?.cancel();
    this.#identifying = undefined;
    if (on) {
      this.#identifying = this.#ports.clock.after(identifyMs, () => {
        this.#identifying = undefined;
        this.#changed();
      });
    }
    this.#changed();
  }

  /** Empties a volume, so that its disk may be pulled. Errors: those of {@link BoxDisks.retire}. */
  retireDisk(volume: string): Promise<void> {
    return this.disks.retire(volume, this.#pool?.keepElsewhere);
  }

  status(): ApplianceStatus {
    const { clock } = this.#ports;
    const pool = this.#pool?.facts();
    const pairing = this.#pairing.view();
    const { volumes, work } = this.disks.facts();
    const machine = this.#ports.machine?.() ?? unknownMachine;
    return foldStatus({
      box: {
        name: this.name,
        memberId: toHex(this.identity.memberId),
        version,
        phase: this.#phaseNow(machine.update),
        uptimeMs: clock.monotonicMs() - this.#startedMs,
        identifying: this.#identifying !== undefined,
      },
      pool: pool?.pool ?? null,
      volumes,
      peers: pool?.peers ?? [],
      network: { ...this.#ports.network(), port: this.#port ?? null },
      copies: { missing: pool?.missing ?? 0, copying: false },
      pairing: {
        locked: pairing.lockedForMs !== undefined,
        lockedForMs: pairing.lockedForMs ?? null,
        codeShown: pairing.code !== undefined,
      },
      work,
      ...machine,
    });
  }

  #phaseNow({ state }: MachineFacts['update']): BoxPhase {
    return this.#phase === 'running' && state === 'installing' ? 'updating' : this.#phase;
  }

  /** Calls `listener` when the status is likely to have changed. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Stops serving, lets everything acknowledged reach its disk, and closes. */
  async close(): Promise<void> {
    this.#identifying?.cancel();
    this.#phase = 'stopping';
    this.#changed();
    await this.#server.close();
    this.#directory.close();
    await this.#poolOpening;
    await this.#pool?.close();
    await this.disks.store.close();
    await this.#pairing.close();
    await this.#addresses.settled();
    this.#phase = 'stopped';
    this.#changed();
  }

  #handleRequests(): void {
    const pairing = this.#pairing;
    const dispatcher = this.#dispatcher;
    dispatcher.handle(methods.pairStart, (payload, { peer }) => pairing.start(payload, peer.memberId));
    dispatcher.handle(methods.pairFinish, async (payload, { peer }) => {
      const answer = await pairing.finish(payload, peer.memberId);
      // A desktop that hears it is in finds the pool at work.
      await this.#poolOpening;
      return answer;
    });
    handleChunks(dispatcher, this.disks.store);
    dispatcher.handle(methods.boxStatus, async () => encodeCbor(statusToCbor(this.status())));
  }

  #enterPool(enrolled: Enrolled): void {
    const labelled = this.disks.store.enterPool(enrolled.secrets.pool);
    this.#poolOpening = Promise.all([this.#openPool(enrolled), labelled])
      .then(() => this.#pool?.start())
      .then(
        () => this.#changed(),
        (error: unknown) => this.#ports.log.error('pool cannot be entered', { reason: String(error) }),
      );
  }

  async #openPool(enrolled: Enrolled): Promise<void> {
    enrolled.roster.onChange(() => {
      this.#server.membersChanged();
      this.#changed();
    });
    this.#pool = await BoxPool.open(
      {
        identity: this.identity,
        enrolled,
        replicas: this.#options.replicas,
        suite: this.#options.suite,
        store: this.disks.store,
        dispatcher: this.#dispatcher,
        directory: this.#directory,
        addresses: this.#addresses,
      },
      this.#ports,
    );
  }

  #disksChanged(): void {
    this.#pool?.declareCapacity().catch((error: unknown) => {
      this.#ports.log.warn('capacity not declared', { reason: String(error) });
    });
    this.#changed();
  }

  #changed(): void {
    for (const listener of this.#listeners) listener();
  }
}
