import type { Bytes } from '../base/bytes.ts';
import { AetherError } from '../base/errors.ts';
import { type Clock, sleep } from '../ports/clock.ts';
import type {
  LinkErrorCode,
  PeerAddress,
  SecureListener,
  SecureStream,
  SecureTransport,
} from '../ports/secure-transport.ts';
import { FakeSecureStream } from './fake-secure-stream.ts';
import type { SeededEntropy } from './seeded-entropy.ts';

export interface FakeNetworkOptions {
  readonly clock: Clock;
  /** Draws the delay of each piece and where streams are split, so that a seed replays a run. */
  readonly entropy: SeededEntropy;
  /** One way, drawn for each piece between the two. Default 0.2 to 1 ms. */
  readonly latencyMs?: readonly [least: number, most: number];
  /** What one stream carries each way; without it, as much as there is. */
  readonly bytesPerSecond?: number;
}

export interface FakeKey {
  readonly memberId: Bytes;
  readonly publicKey: Bytes;
}

interface Listener {
  readonly key: FakeKey;
  readonly accept: (stream: SecureStream) => void;
}

interface Host {
  readonly listeners: Map<number, Listener>;
  nextPort: number;
  /** A host without power answers nothing; one whose program died refuses. */
  powered: boolean;
}

interface Link {
  readonly ends: readonly FakeSecureStream[];
  readonly hosts: readonly [near: string, far: string];
}

/** Pieces that a stream is delivered in are at most this long: a TLS record. */
const pieceBytesMax = 16 * 1024;

/**
 * Secure streams between named hosts on a virtual clock. A cut holds back what is under way, as TCP does, and lets
 * it go on when healed; a crash resets, or silences, every stream of a host.
 */
export class FakeSecureNetwork {
  readonly #clock: Clock;
  readonly #entropy: SeededEntropy;
  readonly #latencyMs: readonly [number, number];
  readonly #bytesPerMs: number;
  readonly #hosts = new Map<string, Host>();
  readonly #cuts = new Set<string>();
  #links: Link[] = [];

  constructor({ clock, entropy, latencyMs = [0.2, 1], bytesPerSecond }: FakeNetworkOptions) {
    this.#clock = clock;
    this.#entropy = entropy;
    this.#latencyMs = latencyMs;
    this.#bytesPerMs = (bytesPerSecond ?? Number.POSITIVE_INFINITY) / 1000;
  }

  /** The network as the program on `hostName` sees it, holding `key`. Its addresses are `{ host: hostName, port }`. */
  transportFor(hostName: string, key: FakeKey): SecureTransport {
    return {
      listen: async (address, accept) => this.#listen(hostName, address.port, { key, accept }),
      connect: (address, { timeoutMs }) => this.#connect(hostName, key, address, timeoutMs),
    };
  }

  /** Nothing crosses between the two hosts until `heal`; streams stay open and wait. */
  cut(hostA: string, hostB: string): void {
    this.#cuts.add(pairKey(hostA, hostB));
  }

  /** Ends one cut, or all. */
  heal(hostA?: string, hostB?: string): void {
    if (hostA === undefined || hostB === undefined) this.#cuts.clear();
    else this.#cuts.delete(pairKey(hostA, hostB));
    for (const { ends, hosts } of this.#links) {
      if (!this.#isCut(...hosts)) for (const end of ends) end.release();
    }
  }

  /**
   * The program on the host dies. `reset`: its kernel lives and closes its streams, and refuses new ones. `silent`:
   * the power went, and nobody hears anything until `restart`.
   */
  crash(hostName: string, how: 'reset' | 'silent' = 'reset'): void {
    const host = this.#host(hostName);
    host.listeners.clear();
    host.powered = how === 'reset';
    for (const end of this.#endsOn(hostName)) end.kill(how === 'reset');
  }

  /** The host has power again: it refuses what it knows nothing of, until a program listens. */
  restart(hostName: string): void {
    this.#host(hostName).powered = true;
    for (const end of this.#endsOn(hostName)) if (!end.open) end.resetOther();
    this.#links = this.#links.filter(({ ends }) => ends.some((end) => end.open));
  }

  #host(name: string): Host {
    const known = this.#hosts.get(name);
    if (known !== undefined) return known;
    const host: Host = { listeners: new Map(), nextPort: 40_000, powered: true };
    this.#hosts.set(name, host);
    return host;
  }

  #endsOn(hostName: string): readonly FakeSecureStream[] {
    return this.#links.flatMap(({ ends, hosts }) => ends.filter((_, index) => hosts[index] === hostName));
  }

  #listen(hostName: string, port: number, listener: Listener): SecureListener {
    const host = this.#host(hostName);
    const chosen = port === 0 ? host.nextPort++ : port;
    if (host.listeners.has(chosen)) {
      throw linkError('LINK_ADDRESS_IN_USE', `port ${chosen} of ${hostName} is in use`);
    }
    host.listeners.set(chosen, listener);
    return {
      port: chosen,
      close: async () => {
        if (host.listeners.get(chosen) === listener) host.listeners.delete(chosen);
      },
    };
  }

  async #connect(from: string, key: FakeKey, to: PeerAddress, timeoutMs: number): Promise<SecureStream> {
    const startMs = this.#clock.monotonicMs();
    await sleep(this.#clock, this.#delayMs());
    const host = this.#hosts.get(to.host);
    if (host?.powered !== true || this.#isCut(from, to.host)) {
      await sleep(this.#clock, timeoutMs - (this.#clock.monotonicMs() - startMs));
      throw linkError('LINK_TIMEOUT', `no answer from ${to.host} in ${timeoutMs} ms`);
    }
    const listener = host.listeners.get(to.port);
    if (listener === undefined) {
      await sleep(this.#clock, this.#delayMs());
      throw linkError('LINK_REFUSED', `nobody listens on port ${to.port} of ${to.host}`);
    }
    const near = this.#join(from, key, to, listener);
    await sleep(this.#clock, this.#delayMs());
    return near;
  }

  #join(from: string, key: FakeKey, to: PeerAddress, listener: Listener): SecureStream {
    const route = {
      clock: this.#clock,
      delayMs: () => this.#delayMs(),
      occupiedMs: (bytes: number) => bytes / this.#bytesPerMs,
      split: (bytes: number) => 1 + this.#entropy.below(Math.min(bytes, pieceBytesMax)),
      cut: () => this.#isCut(from, to.host),
    };
    const port = this.#host(from).nextPort++;
    const ends = FakeSecureStream.pair(
      route,
      { publicKey: key.publicKey, address: `${from}:${port}` },
      { publicKey: listener.key.publicKey, address: `${to.host}:${to.port}` },
    );
    this.#links = this.#links.filter((link) => link.ends.some((end) => end.open));
    this.#links.push({ ends, hosts: [from, to.host] });
    listener.accept(ends[1]);
    return ends[0];
  }

  #delayMs(): number {
    const [least, most] = this.#latencyMs;
    return least + ((most - least) * this.#entropy.below(1000)) / 1000;
  }

  #isCut(hostA: string, hostB: string): boolean {
    return this.#cuts.has(pairKey(hostA, hostB));
  }
}

function pairKey(hostA: string, hostB: string): string {
  return hostA < hostB ? `${hostA} ${hostB}` : `${hostB} ${hostA}`;
}

function linkError(code: LinkErrorCode, message: string): AetherError<LinkErrorCode> {
  return new AetherError(code, message, { help: 'Check the simulated network.' });
}
