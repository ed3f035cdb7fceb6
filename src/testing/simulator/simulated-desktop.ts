import { type Bytes, toHex } from '../../base/bytes.ts';
import { CborFields, decodeCbor, encodeCbor } from '../../base/cbor.ts';
import { AetherError, hasCode } from '../../base/errors.ts';
import type { Log } from '../../base/log.ts';
import { defaultReplicas } from '../../box.ts';
import { addressesOf, announcedBoxOf, boxServiceType } from '../../box-announcer.ts';
import { ContentSealer, type SealedContent } from '../../files/contents/content-sealer.ts';
import { newNodeSeed } from '../../files/node-id.ts';
import { type Change, changesToCbor } from '../../files/tree/change.ts';
import { entryFromCbor, type RemoteEntry } from '../../files/tree/remote-entry.ts';
import { chunkKeySecretOf, gearTableOf, type PoolSecrets } from '../../pool/authority.ts';
import { createIdentity, type Identity } from '../../pool/identity.ts';
import { MemberExchange } from '../../pool/membership/member-exchange.ts';
import { Roster } from '../../pool/membership/roster.ts';
import { joinBox, startPool } from '../../pool/pairing/desktop-enrolment.ts';
import { decodeEnrolmentAnswer } from '../../pool/pairing/enrolment-message.ts';
import { loadOpaque } from '../../pool/pairing/opaque.ts';
import { pairWithBox } from '../../pool/pairing/pairing-desktop.ts';
import { computePlacement } from '../../pool/placement/placement.ts';
import { ChunkReplicator, type PutResult } from '../../pool/transfer/chunk-replication.ts';
import { methods } from '../../pool/transfer/methods.ts';
import type { PeerConnection } from '../../pool/transfer/peer-connection.ts';
import { PeerDirectory } from '../../pool/transfer/peer-directory.ts';
import { PeerDispatcher } from '../../pool/transfer/peer-dispatcher.ts';
import { sleep } from '../../ports/clock.ts';
import type { SealedChunk } from '../../store/seal.ts';
import { Browser } from '../../zeroconf/dnssd/browse.ts';
import { fakeCompute } from '../fake-compute.ts';
import { MemoryDisk } from '../memory-disk.ts';
import type { SeededEntropy } from '../seeded-entropy.ts';
import type { SimulatedBox } from './simulated-box.ts';
import type { Host, World } from './world.ts';

const requestTimeoutMs = 60_000;
const goneCodes = ['LINK_CLOSED', 'PEER_UNREACHABLE', 'REQUEST_TIMEOUT', 'PEER_BUSY'] as const;

/** A commit that was acknowledged. */
export interface Committed {
  readonly box: Bytes;
  readonly copies: number;
  /** Boxes that were asked before and went away: what they were asked for may be done, or be done yet. */
  readonly dangling: number;
}

/** A member's computer, made of the parts that `aether` is made of, over the simulated world. */
export class SimulatedDesktop {
  readonly host: Host;
  readonly #identity: Identity;
  readonly #world: World;
  readonly #entropy: SeededEntropy;
  readonly #log: Log;
  readonly #disk: MemoryDisk;
  readonly #stranger: PeerDirectory;
  #directory!: PeerDirectory;
  #browser!: Browser;
  #secrets!: PoolSecrets;
  #roster!: Roster;
  #sealer!: ContentSealer;
  #sealed: SealedChunk[] = [];
  replicator!: ChunkReplicator;

  private constructor(world: World, host: Host, identity: Identity, entropy: SeededEntropy) {
    this.#world = world;
    this.host = host;
    this.#identity = identity;
    this.#entropy = entropy;
    this.#log = world.log(host.name);
    this.#disk = new MemoryDisk({ entropy });
    this.#stranger = this.#newDirectory(undefined, () => undefined);
  }

  /** Call it while the clock stands still, as `SimulatedBox.make`. */
  static async make(world: World, name: string): Promise<SimulatedDesktop> {
    const entropy = world.stream(name);
    const identity = await createIdentity(world.clock, entropy);
    // Compiled before the clock runs, since that happens on threads.
    await loadOpaque();
    return new SimulatedDesktop(world, world.addHost(name), identity, entropy);
  }

  /** Finds the boxes on the LAN, makes a pool of the first and takes the others in with their codes. */
  async makePool(boxes: readonly SimulatedBox[]): Promise<void> {
    this.#browser = await Browser.start(
      { type: boxServiceType },
      { network: this.host.multicast, clock: this.#world.clock, entropy: this.#entropy, log: this.#log },
    );
    for (const box of boxes) await this.#claim(box);
    this.#stranger.close();
    const { pool } = this.#secrets;
    this.#directory = this.#newDirectory(pool, (memberId) => this.#roster.get(memberId));
    this.replicator = new ChunkReplicator(
      {
        placement: () => computePlacement(this.#roster.boxes(), defaultReplicas),
        directory: this.#directory,
        onCorrupt: ({ memberId }) =>
          this.#world.violate(`box ${toHex(memberId).slice(0, 8)} served bytes that are not the chunk's`),
      },
      { compute: fakeCompute, log: this.#log },
    );
    this.#sealer = new ContentSealer(
      {
        chunkKeySecret: chunkKeySecretOf(this.#secrets),
        gearTable: gearTableOf(this.#secrets),
        suite: 'aes-256-gcm',
      },
      (chunk) => this.#sealed.push(chunk),
    );
    this.#directory.onChange(({ memberId, up }) => {
      if (up) void this.#meet(memberId);
    });
    this.#browser.onChange(() => this.#hear());
    this.#hear();
    this.#directory.keep(boxes.map(({ identity }) => identity.memberId));
  }

  /** Boxes it has a connection with. */
  reachable(): readonly Bytes[] {
    return this.#directory.reachable();
  }

  connection(memberId: Bytes): Promise<PeerConnection> {
    return this.#directory.connection(memberId);
  }

  seal(bytes: Bytes): SealedContent & { readonly chunks: readonly SealedChunk[] } {
    for (let offset = 0; offset < bytes.length; ) {
      const space = this.#sealer.space;
      const part = bytes.subarray(offset, offset + space.length);
      space.set(part);
      this.#sealer.advance(part.length);
      offset += part.length;
    }
    const sealed = this.#sealer.finish();
    const chunks = this.#sealed;
    this.#sealed = [];
    return { ...sealed, chunks };
  }

  putChunks(chunks: readonly SealedChunk[]): Promise<readonly PutResult[]> {
    return this.replicator.putMany(chunks);
  }

  /** As `PoolSession.ask` of `aether`: one box; when it goes away, the next. */
  async commit(changes: readonly Change[]): Promise<Committed> {
    const seed = newNodeSeed(this.#world.clock.wallMs(), this.#entropy);
    const payload = encodeCbor({ seed, changes: changesToCbor(changes) });
    let dangling = 0;
    let failure: unknown;
    for (const box of this.#shuffled(this.reachable())) {
      try {
        const answer = await this.ask(box, methods.treeCommit, payload);
        return { box, copies: CborFields.decode(answer).count('copies'), dangling };
      } catch (error) {
        if (!isGone(error)) throw Object.assign(error as Error, { dangling });
        dangling++;
        failure = error;
      }
    }
    const error = new AetherError('POOL_UNREACHABLE', 'no box answers', { cause: failure });
    throw Object.assign(error, { dangling });
  }

  async stat(box: Bytes, path: readonly string[]): Promise<RemoteEntry> {
    return entryFromCbor(decodeCbor(await this.ask(box, methods.treeStat, encodeCbor([...path]))));
  }

  async list(box: Bytes, path: readonly string[]): Promise<readonly RemoteEntry[]> {
    const entries: RemoteEntry[] = [];
    for (let after: string | null = null; ; ) {
      const payload = encodeCbor({ path: [...path], after, limit: 7 });
      const fields: CborFields = CborFields.decode(await this.ask(box, methods.treeList, payload));
      const page = fields.list('entries').map(entryFromCbor);
      entries.push(...page);
      after = page.at(-1)?.name ?? null;
      if (!fields.flag('more') || after === null) return entries;
    }
  }

  async ask(box: Bytes, method: number, payload: Bytes): Promise<Bytes> {
    const connection = await this.#directory.connection(box);
    return connection.request(method, payload, { timeoutMs: requestTimeoutMs });
  }

  async #claim(box: SimulatedBox): Promise<void> {
    const connection = await this.#stranger.dial(await this.#find(box));
    const { memberId, publicKey } = connection.peer;
    const newcomer = { publicKey, name: box.name };
    const ports = { clock: this.#world.clock, entropy: this.#entropy };
    let message: Bytes;
    if (this.#secrets === undefined) {
      const desktop = { publicKey: this.#identity.publicKey, name: this.host.name };
      const started = startPool({ desktop, box: newcomer }, ports);
      await this.#enter(started.secrets, started.records);
      message = started.message;
    } else {
      const records = this.#roster.records();
      message = joinBox(
        { identity: this.#identity, secrets: this.#secrets, records, box: newcomer },
        ports,
      ).message;
    }
    const code = box.box!.pairing().code!;
    const answer = decodeEnrolmentAnswer(
      await pairWithBox({ code, identity: this.#identity, boxMemberId: memberId, message }, (step, payload) =>
        connection.request(step === 'start' ? methods.pairStart : methods.pairFinish, payload),
      ),
    );
    await this.#roster.add(answer.records);
    connection.close();
    this.#world.trace.event(box.name, 'claimed');
  }

  async #enter(secrets: PoolSecrets, records: readonly Bytes[]): Promise<void> {
    const { pool, authorityPublicKey } = secrets;
    this.#secrets = secrets;
    this.#roster = await Roster.open({ disk: this.#disk, pool, authorityPublicKey }, { log: this.#log });
    await this.#roster.add(records);
  }

  async #find(box: SimulatedBox) {
    for (;;) {
      for (const service of this.#browser.found()) {
        const announced = announcedBoxOf(service);
        const address = addressesOf(service)[0];
        if (announced === undefined || address === undefined) continue;
        if (toHex(announced.memberId) === toHex(box.identity.memberId)) return address;
      }
      await sleep(this.#world.clock, 500);
    }
  }

  #hear(): void {
    for (const service of this.#browser.found()) {
      const announced = announcedBoxOf(service);
      if (announced !== undefined) this.#directory.hint(announced.memberId, addressesOf(service));
    }
  }

  async #meet(memberId: Bytes): Promise<void> {
    try {
      const connection = await this.#directory.connection(memberId);
      const exchange = new MemberExchange(this.#roster);
      await exchange.withPeer((payload) => connection.request(methods.membersExchange, payload));
    } catch (error) {
      if (!isGone(error)) throw error;
    }
  }

  #newDirectory(pool: Bytes | undefined, memberOf: PeerMembers): PeerDirectory {
    const state = pool === undefined ? 'pairing' : 'member';
    return new PeerDirectory(
      {
        self: this.#identity.memberId,
        transport: this.#world.transportFor(this.host, this.#identity),
        dispatcher: new PeerDispatcher({
          hello: () => ({ role: 'desktop', name: this.host.name, pool, state }),
          memberOf,
        }),
        pool: () => pool,
      },
      { clock: this.#world.clock, entropy: this.#entropy, log: this.#log },
    );
  }

  #shuffled<T>(items: readonly T[]): readonly T[] {
    const from = this.#entropy.below(Math.max(1, items.length));
    return [...items.slice(from), ...items.slice(0, from)];
  }
}

type PeerMembers = ConstructorParameters<typeof PeerDispatcher>[0]['memberOf'];

/** Nobody answered, so nothing is known of what was asked. */
export function isGone(error: unknown): boolean {
  return goneCodes.some((code) => hasCode(error, code));
}
