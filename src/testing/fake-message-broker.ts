import type {
  BrokerConnection,
  BrokerMessage,
  BrokerOptions,
  MessageBroker,
  RetainedMessage,
} from '../ports/message-broker.ts';

/** A broker in memory that keeps what is retained, and fails as it is told to. */
export class FakeMessageBroker implements MessageBroker {
  readonly retained = new Map<string, string>();
  /** Everything published, the last wills too. */
  readonly published: RetainedMessage[] = [];
  readonly connects: BrokerOptions[] = [];
  #failure: unknown;
  #mute = false;
  #connection: FakeConnection | undefined;

  /** Connecting fails with `error` until this is called with undefined. */
  fail(error: unknown): void {
    this.#failure = error;
  }

  /** Takes connections and messages, and answers none. */
  mute(isMute: boolean): void {
    this.#mute = isMute;
  }

  /** The broker dies: the connection is lost, and whoever is still there hears the last will. */
  drop(error: unknown): void {
    const connection = this.#connection;
    this.#connection = undefined;
    if (connection === undefined) return;
    this.#keep(connection.options.lastWill);
    connection.lose(error);
  }

  /** Another client publishes on a topic. */
  deliver(message: BrokerMessage): void {
    this.#connection?.hear(message);
  }

  get subscribed(): readonly string[] {
    return this.#connection?.topics ?? [];
  }

  json(topic: string): unknown {
    const payload = this.retained.get(topic);
    return payload === undefined ? undefined : JSON.parse(payload);
  }

  /** Payloads published on a topic so far. */
  of(topic: string): readonly string[] {
    return this.published.filter((message) => message.topic === topic).map(({ payload }) => payload);
  }

  async connect(options: BrokerOptions, signal: AbortSignal): Promise<BrokerConnection> {
    this.connects.push(options);
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#mute) {
      await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
    }
    this.#connection = new FakeConnection(
      options,
      (message) => this.#publish(message),
      () => {
        this.#connection = undefined;
      },
    );
    return this.#connection;
  }

  #publish(message: RetainedMessage): Promise<void> {
    if (this.#mute) return new Promise(() => {});
    this.#keep(message);
    return Promise.resolve();
  }

  #keep(message: RetainedMessage): void {
    this.published.push(message);
    if (message.payload === '') this.retained.delete(message.topic);
    else this.retained.set(message.topic, message.payload);
  }
}

class FakeConnection implements BrokerConnection {
  readonly options: BrokerOptions;
  readonly publish: (message: RetainedMessage) => Promise<void>;
  readonly #onClose: () => void;
  readonly #messageListeners: ((message: BrokerMessage) => void)[] = [];
  readonly #lostListeners: ((error: unknown) => void)[] = [];
  topics: readonly string[] = [];

  constructor(
    options: BrokerOptions,
    publish: (message: RetainedMessage) => Promise<void>,
    onClose: () => void,
  ) {
    this.options = options;
    this.publish = publish;
    this.#onClose = onClose;
  }

  async subscribe(topics: readonly string[]): Promise<void> {
    this.topics = topics;
  }

  onMessage(listener: (message: BrokerMessage) => void): void {
    this.#messageListeners.push(listener);
  }

  onLost(listener: (error: unknown) => void): void {
    this.#lostListeners.push(listener);
  }

  hear(message: BrokerMessage): void {
    for (const listener of this.#messageListeners) listener(message);
  }

  lose(error: unknown): void {
    for (const listener of this.#lostListeners) listener(error);
  }

  async close(): Promise<void> {
    this.#onClose();
  }
}
