import { AetherError } from '../base/errors.ts';
import type { BootSlots, BundleErrorCode, BundleFacts, SlotsState } from '../ports/boot-slots.ts';
import type { HttpHandler, HttpRequest } from '../ports/http-server.ts';

/** As overlays/rootfs/etc/rauc/system.conf says, and firmware/boot/boot.cmd where nothing is known. */
const triesOfTrial = 3;
const triesOfProven = 15;

/**
 * Two systems with an installer and a boot loader that counts tries, as RAUC and our boot script do (firmware/boot):
 * each start takes one try of the first system of the order that has any left.
 */
export class FakeBootSlots implements BootSlots {
  readonly compatible = 'aetherstore-arm64';
  booted = 'A';
  /** Versions in the two systems. */
  readonly versions: Record<string, string> = { A: '1.0.0', B: '' };
  /** Bundles by place; none: it cannot be read. */
  readonly bundles = new Map<string, BundleFacts>();
  /** Called between the steps of an installation; what it throws ends it there. */
  midway: (step: number) => void = () => {};
  failure: AetherError | undefined;
  /** The installer ends here without a word, as one that was killed does. */
  diesAt: number | undefined;
  /** The installer has begun, and does not end before this has resolved. */
  hold: Promise<void> | undefined;
  /** `markGood` rejects with it. */
  markFailure: AetherError | undefined;
  /** Answers for what is at a URL, and what a bundle there says of itself. */
  streamed: HttpHandler | undefined;
  streamedFacts: BundleFacts | undefined;
  /** What was read from a URL by installing. */
  streamedBytes = 0;
  /** How often an installation was begun, and the running system marked. */
  installs = 0;
  marks = 0;
  order = ['A', 'B'];
  readonly left: Record<string, number> = { A: triesOfTrial, B: triesOfTrial };
  #working: Promise<void> | undefined;
  #starts = 1;

  state(): Promise<SlotsState> {
    const { booted, compatible } = this;
    const startable = this.order.filter((slot) => this.left[slot]! > 0);
    return Promise.resolve({
      booted,
      compatible,
      bootId: `start ${this.#starts}`,
      ...(this.#working === undefined
        ? {
            busy: false,
            startable,
            primary: startable[0] ?? null,
            otherVersion: this.versions[this.#other] ?? null,
          }
        : { busy: true, startable: [], primary: null, otherVersion: null }),
    });
  }

  async inspect(source: string): Promise<BundleFacts> {
    const bundle = source.startsWith('http:') ? this.streamedFacts : this.bundles.get(source);
    if (bundle === undefined) {
      throw new AetherError<BundleErrorCode>('UPDATE_UNTRUSTED', 'signed by nobody');
    }
    return bundle;
  }

  async install(source: string, onProgress: (percent: number) => void): Promise<void> {
    if (this.#working !== undefined) throw new AetherError('UPDATE_FAILED', 'Already processing');
    this.installs++;
    this.#working = this.#install(source, onProgress);
    await this.watch();
  }

  async watch(): Promise<void> {
    try {
      await this.#working;
    } finally {
      this.#working = undefined;
    }
  }

  markGood(): Promise<void> {
    if (this.markFailure !== undefined) return Promise.reject(this.markFailure);
    this.marks++;
    this.left[this.booted] = triesOfProven;
    return Promise.resolve();
  }

  markOtherActive(): Promise<void> {
    if (this.markFailure !== undefined) return Promise.reject(this.markFailure);
    this.left[this.#other] = triesOfTrial;
    this.order = [this.#other, this.booted];
    return Promise.resolve();
  }

  markOtherBad(): Promise<void> {
    this.left[this.#other] = 0;
    this.order = this.order.filter((slot) => slot === this.booted);
    return Promise.resolve();
  }

  /** The machine starts: returns the version that it starts into. */
  start(): string {
    this.#starts++;
    this.#working = undefined;
    for (let round = 0; round < 2; round++) {
      for (const slot of this.order) {
        if (this.left[slot]! <= 0) continue;
        this.left[slot]!--;
        this.booted = slot;
        return this.versions[slot]!;
      }
      for (const slot of this.order) this.left[slot] = triesOfTrial;
    }
    throw new Error('no system can be started');
  }

  get #other(): string {
    return this.booted === 'A' ? 'B' : 'A';
  }

  async #install(source: string, onProgress: (percent: number) => void): Promise<void> {
    const { version } = await this.inspect(source);
    if (this.failure !== undefined) throw this.failure;
    if (source.startsWith('http:')) await this.#stream(source);
    await this.markOtherBad();
    const other = this.#other;
    this.versions[other] = '';
    for (const step of [0, 1, 2]) {
      onProgress(step * 33);
      this.midway(step);
      if (this.diesAt === step) return;
    }
    await this.hold;
    this.versions[other] = version;
    this.left[other] = triesOfTrial;
    this.order = [other, this.booted];
    this.midway(3);
  }

  async #stream(source: string): Promise<void> {
    const path = [new URL(source).pathname.slice(1)];
    const request = { method: 'GET', path, headers: {} } as unknown as HttpRequest;
    const { body } = await this.streamed!(request);
    for await (const part of body as AsyncIterable<Uint8Array>) this.streamedBytes += part.length;
  }
}
