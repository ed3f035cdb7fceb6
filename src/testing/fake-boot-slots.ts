import { AetherError } from '../base/errors.ts';
import type { BootSlots, BundleErrorCode, BundleFacts, SlotsState } from '../ports/boot-slots.ts';
import type { HttpHandler, HttpRequest } from '../ports/http-server.ts';

const tries = 3;

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
  /** Answers for what is at a URL, and what a bundle there says of itself. */
  streamed: HttpHandler | undefined;
  streamedFacts: BundleFacts | undefined;
  /** What was read from a URL by installing. */
  streamedBytes = 0;
  #order = ['A', 'B'];
  #left: Record<string, number> = { A: tries, B: tries };
  #starts = 1;

  state(): Promise<SlotsState> {
    return Promise.resolve({
      booted: this.booted,
      bootId: `start ${this.#starts}`,
      compatible: this.compatible,
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
    const { version } = await this.inspect(source);
    if (this.failure !== undefined) throw this.failure;
    if (source.startsWith('http:')) await this.#stream(source);
    const other = this.booted === 'A' ? 'B' : 'A';
    this.#order = [this.booted];
    this.versions[other] = '';
    for (const step of [0, 1, 2]) {
      onProgress(step * 33);
      this.midway(step);
    }
    this.versions[other] = version;
    this.#left[other] = tries;
    this.#order = [other, this.booted];
    this.midway(3);
  }

  markGood(): Promise<void> {
    this.#left[this.booted] = tries;
    return Promise.resolve();
  }

  async #stream(source: string): Promise<void> {
    const path = [new URL(source).pathname.slice(1)];
    const request = { method: 'GET', path, headers: {} } as unknown as HttpRequest;
    const { body } = await this.streamed!(request);
    for await (const part of body as AsyncIterable<Uint8Array>) this.streamedBytes += part.length;
  }

  /** The machine starts: returns the version that it starts into. */
  start(): string {
    this.#starts++;
    for (const slot of this.#order) {
      if (this.#left[slot]! <= 0) continue;
      this.#left[slot]!--;
      this.booted = slot;
      return this.versions[slot]!;
    }
    throw new Error('no system has tries left');
  }
}
