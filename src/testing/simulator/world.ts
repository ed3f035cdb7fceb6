import { hash } from 'node:crypto';
import { type Bytes, viewOf } from '../../base/bytes.ts';
import { createLog, type Log, type LogEntry } from '../../base/log.ts';
import type { SecureTransport } from '../../ports/secure-transport.ts';
import { FakeClock } from '../fake-clock.ts';
import { FakeLan, type FakeMulticastNetwork, fakeInterface } from '../fake-multicast-network.ts';
import { FakeSecureNetwork } from '../fake-secure-network.ts';
import { SeededEntropy } from '../seeded-entropy.ts';
import { Trace } from './trace.ts';

export interface Host {
  readonly name: string;
  /** Its IPv4 address; the secure network knows it by that. */
  readonly address: string;
  readonly multicast: FakeMulticastNetwork;
}

/** Where boxes and desktops live in a run: one clock, one LAN, one trace, all drawn from one seed. */
export class World {
  readonly seed: number;
  readonly clock = new FakeClock();
  readonly trace: Trace;
  readonly network: FakeSecureNetwork;
  readonly lan: FakeLan;
  readonly violations: string[] = [];
  readonly #hosts: Host[] = [];
  readonly #addresses = new Map<string, string>();
  /** Hosts on one side of the cut through the network. */
  #cutOff: ReadonlySet<Host> = new Set();
  /** Goes up with every fault and every repair. */
  disturbances = 0;
  /** Boxes that are down for now, by name. */
  readonly down = new Set<string>();
  /** Disks that are full, or do not answer, for now. */
  troubledDisks = 0;
  #disturbedMs = 0;

  constructor(seed: number, print?: (line: string) => void) {
    this.seed = seed;
    this.trace = new Trace(this.clock, print);
    const entropy = this.stream('network');
    const slowestMs = [1, 5, 30][entropy.below(3)]!;
    this.network = new FakeSecureNetwork({ clock: this.clock, entropy, latencyMs: [0.2, slowestMs] });
    this.lan = new FakeLan({
      clock: this.clock,
      seed: seed * 31 + 1,
      lossRate: entropy.below(25) / 100,
      duplicateRate: entropy.below(20) / 100,
      delayMs: { least: 0.1, most: slowestMs },
    });
  }

  /** Randomness of its own for each purpose, so that more draws for one do not shift the others. */
  stream(purpose: string): SeededEntropy {
    const digest: Bytes = hash('sha256', `${this.seed} ${purpose}`, 'buffer');
    return new SeededEntropy(viewOf(digest).getUint32(0));
  }

  addHost(name: string): Host {
    const one = fakeInterface('eth0', this.#hosts.length + 1);
    const address = one.addresses[0]!.address;
    const host = { name, address, multicast: this.lan.host(name, [one]) };
    this.#hosts.push(host);
    this.#addresses.set(address, address);
    this.#addresses.set(`${one.addresses[1]!.address}%eth0`, address);
    return host;
  }

  /** Streams as a program with that key sees them; any address of a host leads to it. */
  transportFor(host: Host, key: { readonly memberId: Bytes; readonly publicKey: Bytes }): SecureTransport {
    const transport = this.network.transportFor(host.address, key);
    return {
      listen: (address, accept) => transport.listen(address, accept),
      connect: (to, options) =>
        transport.connect({ ...to, host: this.#addresses.get(to.host) ?? to.host }, options),
    };
  }

  log(host: string): Log {
    const sink = (entry: LogEntry) => {
      this.trace.log(host, entry);
      const bug = disguisedBug(entry);
      if (bug !== undefined) this.violate(`${host} logged a bug of ours: ${entry.message}: ${bug}`);
    };
    return createLog('box', () => this.clock.wallMs(), sink);
  }

  /** Cuts the network in two: nothing crosses until {@link heal}, neither streams nor datagrams. */
  partition(cutOff: readonly Host[]): void {
    this.heal();
    this.#cutOff = new Set(cutOff);
    const rest = this.#hosts.filter((host) => !this.#cutOff.has(host));
    for (const a of cutOff) for (const b of rest) this.network.cut(a.address, b.address);
    this.lan.partition(
      cutOff.map(({ name }) => name),
      rest.map(({ name }) => name),
    );
    this.disturb();
  }

  heal(): void {
    if (this.#cutOff.size === 0) return;
    this.#cutOff = new Set();
    this.network.heal();
    this.lan.heal();
    this.disturb();
  }

  /** From now on the switch eats multicast of more than link-local scope: mDNS passes, the pool's group does not. */
  pruneGroups(): void {
    this.lan.eat((group) => /^(239\.|ff05:)/.test(group));
    this.trace.event('network', 'groups pruned');
  }

  /** Whether every host is up and reaches every other, and every disk works, or is gone for good. */
  get isCalm(): boolean {
    return this.#cutOff.size === 0 && this.down.size === 0 && this.troubledDisks === 0;
  }

  disturb(): void {
    this.disturbances++;
    this.#disturbedMs = this.clock.monotonicMs();
  }

  /** For how long nothing was done to anybody. */
  get calmMs(): number {
    return this.clock.monotonicMs() - this.#disturbedMs;
  }

  violate(what: string): void {
    this.trace.event('simulator', 'violation', what);
    this.violations.push(what);
  }
}

/** What an error field of a log says when it is not an error of the world: those begin with their code. */
function disguisedBug({ level, fields }: LogEntry): string | undefined {
  for (const name of ['reason', 'error']) {
    const text = fields[name];
    if (typeof text !== 'string' || /^(AetherError|[A-Z][A-Z0-9]*_[A-Z0-9_]+):/.test(text)) continue;
    if (level !== 'debug' || /^(TypeError|RangeError|ReferenceError)/.test(text)) return text;
  }
  return undefined;
}
