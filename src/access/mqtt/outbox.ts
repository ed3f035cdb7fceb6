import type { RetainedMessage } from '../../ports/message-broker.ts';

/**
 * What a broker is to know, topic by topic: the newest only, so that it stays as small however long a broker is away.
 * At most one message is on its way. Pure bookkeeping; {@link MqttFace} sends.
 */
export class Outbox {
  readonly #wanted = new Map<string, string>();
  readonly #known = new Map<string, string>();

  /** Topics go out in the order in which they were set first. */
  set({ topic, payload }: RetainedMessage): void {
    this.#wanted.set(topic, payload);
  }

  /** The next message that the broker does not know; undefined when it knows all. */
  next(): RetainedMessage | undefined {
    for (const [topic, payload] of this.#wanted) {
      if (this.#known.get(topic) !== payload) return { topic, payload };
    }
    return undefined;
  }

  /** The broker has acknowledged it. */
  acknowledged({ topic, payload }: RetainedMessage): void {
    this.#known.set(topic, payload);
  }

  /** A broker is to be told everything again: it, or its listener, is new. */
  forgetKnown(): void {
    this.#known.clear();
  }
}
