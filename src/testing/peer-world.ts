import { hash } from 'node:crypto';
import { type Bytes, toHex, utf8 } from '../base/bytes.ts';
import { createLog, type LogEntry } from '../base/log.ts';
import type { Member } from '../pool/membership/member-set.ts';
import { PeerConnection } from '../pool/transfer/peer-connection.ts';
import { PeerDispatcher } from '../pool/transfer/peer-dispatcher.ts';
import { PeerServer } from '../pool/transfer/peer-server.ts';
import type { SecureStream } from '../ports/secure-transport.ts';
import { FakeClock } from './fake-clock.ts';
import { type FakeKey, FakeSecureNetwork } from './fake-secure-network.ts';
import { SeededEntropy } from './seeded-entropy.ts';

export const worldPool: Bytes = new Uint8Array(16).fill(7);

export function fakeKey(name: string): FakeKey {
  const publicKey = utf8(`public key of ${name}`);
  return { publicKey, memberId: new Uint8Array(hash('sha256', publicKey, 'buffer')) };
}

/** Hosts on one simulated network, some of them members of one pool. */
export class PeerWorld {
  readonly clock = new FakeClock();
  readonly entropy: SeededEntropy;
  readonly network: FakeSecureNetwork;
  readonly logged: LogEntry[] = [];
  readonly log = createLog(
    'transfer',
    () => this.clock.wallMs(),
    (entry) => this.logged.push(entry),
  );
  readonly #members = new Map<string, Member>();

  constructor(seed = 1) {
    this.entropy = new SeededEntropy(seed);
    this.network = new FakeSecureNetwork({ clock: this.clock, entropy: this.entropy });
  }

  /** Enrols `name` in the pool. */
  admit(name: string, role: 'box' | 'desktop'): void {
    const { memberId, publicKey } = fakeKey(name);
    this.#members.set(toHex(memberId), {
      memberId,
      publicKey,
      role,
      name,
      at: 0,
      issuer: memberId,
      capacityUnits: 1,
    });
  }

  readonly memberOf = (memberId: Bytes): Member | undefined => this.#members.get(toHex(memberId));

  dispatcher(name: string, role: 'box' | 'desktop' = 'box', pool: Bytes | null = worldPool): PeerDispatcher {
    return new PeerDispatcher({
      hello: () => ({ role, name, pool: pool ?? undefined, state: 'ok' }),
      memberOf: this.memberOf,
    });
  }

  /** A box that listens on port 4000 of the host `name`. */
  async serve(
    name: string,
    dispatcher: PeerDispatcher,
    onMember: (connection: PeerConnection) => void = () => {},
  ): Promise<PeerServer> {
    const transport = this.network.transportFor(name, fakeKey(name));
    const server = new PeerServer({ transport, dispatcher, onMember }, { clock: this.clock, log: this.log });
    await server.listen({ host: name, port: 4000 });
    return server;
  }

  /** A raw stream from one host to the box on another: for what no honest peer sends. */
  stream(from: string, to: string): Promise<SecureStream> {
    const transport = this.network.transportFor(from, fakeKey(from));
    return this.clock.runUntil(transport.connect({ host: to, port: 4000 }, { timeoutMs: 1000 }));
  }

  async connect(from: string, to: string, dispatcher: PeerDispatcher): Promise<PeerConnection> {
    const stream = await this.stream(from, to);
    return new PeerConnection(
      stream,
      { direction: 'outgoing', dispatcher },
      { clock: this.clock, log: this.log },
    );
  }
}
