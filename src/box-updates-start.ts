import type { Bytes } from './base/bytes.ts';
import { AetherError, describeError } from './base/errors.ts';
import type { Log } from './base/log.ts';
import type { BoxUpdates } from './box-control.ts';
import { type ApplianceUpdates, openPatiently, type UpdatedBox } from './box-updates.ts';
import { type Method, methods } from './pool/transfer/methods.ts';
import type { RequestHandler } from './pool/transfer/peer-dispatcher.ts';
import type { BundleErrorCode } from './ports/boot-slots.ts';
import type { Clock } from './ports/clock.ts';
import { noUpdate, type UpdateFacts } from './status/facts.ts';

const updateMethods = [
  methods.updateOffer,
  methods.updateRead,
  methods.updatePut,
  methods.updateStage,
  methods.updateInstall,
] as const;

/**
 * Updates of an appliance from its start on. Its installer takes seconds to answer, or never does: until then whoever
 * asks for an update hears that, and why.
 */
export class StartingUpdates implements BoxUpdates {
  readonly #openOnce: () => Promise<ApplianceUpdates>;
  readonly #handlers = new Map<Method, RequestHandler>();
  readonly #listeners = new Set<() => void>();
  #box: UpdatedBox | undefined;
  #opening: Promise<void> | undefined;
  #updates: ApplianceUpdates | undefined;
  /** Why the last try to open them failed. */
  #failure: string | undefined;
  /** Why it has failed for long. */
  #problem: string | null = null;

  /** `open`: errors are those of `ApplianceUpdates.open`. */
  constructor(open: () => Promise<ApplianceUpdates>) {
    this.#openOnce = open;
  }

  /** Begins to answer the pool of `box`, which is looked after once the updates are open. */
  attach(box: UpdatedBox): void {
    this.#box = box;
    for (const method of updateMethods) {
      box.handle(method, async (payload, context) => {
        const handler = this.#handlers.get(method);
        if (handler === undefined) throw this.#unavailable();
        return handler(payload, context);
      });
    }
  }

  /** Begins to open them, again and again until that succeeds or somebody `asked` the box to end. */
  start(asked: Promise<void>, ports: { readonly clock: Clock; readonly log: Log }): void {
    const tried = async () => {
      try {
        return await this.#openOnce();
      } catch (error) {
        this.#failure = describeError(error);
        throw error;
      }
    };
    const tell = (reason: string) => {
      this.#problem = reason;
      this.#changed();
    };
    this.#opening = openPatiently(tried, asked, ports, tell).then((updates) => {
      if (updates !== undefined) this.#opened(updates);
    });
  }

  facts(): UpdateFacts {
    return this.#updates?.facts() ?? { ...noUpdate, reason: this.#problem };
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Errors: `UPDATER_UNAVAILABLE`, those of `ApplianceUpdates.install`. */
  async install(): Promise<void> {
    await this.#open().install();
  }

  /** Errors: `UPDATER_UNAVAILABLE`, those of `ApplianceUpdates.receive`. */
  async receive(totalBytes: number, body: AsyncIterable<Bytes>): Promise<string> {
    return this.#open().receive(totalBytes, body);
  }

  async close(): Promise<void> {
    await this.#opening;
    await this.#updates?.close();
  }

  #opened(updates: ApplianceUpdates): void {
    this.#updates = updates;
    const box = this.#box;
    if (box === undefined) updates.start();
    else {
      updates.attach({
        handle: (method, handler) => void this.#handlers.set(method, handler),
        ask: (memberId, method, payload) => box.ask(memberId, method, payload),
        status: () => box.status(),
        disks: box.disks,
      });
    }
    updates.onChange(() => this.#changed());
    this.#changed();
  }

  #changed(): void {
    for (const listener of this.#listeners) listener();
  }

  #open(): ApplianceUpdates {
    if (this.#updates === undefined) throw this.#unavailable();
    return this.#updates;
  }

  #unavailable(): AetherError<BundleErrorCode> {
    return new AetherError('UPDATER_UNAVAILABLE', 'this box cannot be updated at the moment', {
      help:
        this.#failure === undefined
          ? 'Its updater is still starting. Try again in a minute.'
          : `It goes on trying. The last reason: ${this.#failure}.`,
    });
  }
}
