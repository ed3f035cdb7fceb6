import { connect as connectPlain, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { IPublishPacket, MqttClient } from 'mqtt';
import { fromUtf8 } from '../base/bytes.ts';
import { mqttAnswerTimeoutMs, mqttKeepAliveSeconds, mqttPayloadBytesMax } from '../base/face-limits.ts';
import { closeGraceMs } from '../base/limits.ts';
import type {
  BrokerConnection,
  BrokerMessage,
  BrokerOptions,
  MessageBroker,
  RetainedMessage,
} from '../ports/message-broker.ts';
import { exportsOf } from './commonjs.ts';
import { brokerError, translateBrokerError } from './mqtt-errors.ts';
import { MqttPacketGauge } from './mqtt-packet-gauge.ts';

/**
 * A broker reached with the package `mqtt`. It is loaded (0.1 s, 20 MB) with the first connection: a box without a
 * broker pays nothing. Its own reconnecting, queueing and storing are off; each connection is a client of its own.
 */
export class MqttBroker implements MessageBroker {
  async connect(options: BrokerOptions, signal: AbortSignal): Promise<BrokerConnection> {
    const { MqttClient: Client } = exportsOf(await import('mqtt'));
    signal.throwIfAborted();
    const socket = openSocketOrSayWhy(options);
    const client = new Client(() => socket, {
      protocolVersion: 4,
      clientId: options.clientId,
      // Nothing is kept for us while we are away: a command of yesterday must not come today.
      clean: true,
      keepalive: mqttKeepAliveSeconds,
      connectTimeout: mqttAnswerTimeoutMs,
      reconnectPeriod: 0,
      resubscribe: false,
      queueQoSZero: false,
      will: { ...options.lastWill, payload: Buffer.from(options.lastWill.payload), qos: 1, retain: true },
      ...(options.credentials ?? {}),
    });
    const connection = new NodeBrokerConnection(client, socket);
    await connection.opened(signal);
    return connection;
  }
}

function openSocketOrSayWhy(options: BrokerOptions): Socket {
  try {
    const socket = openSocket(options);
    // Whoever uses it hears of its errors too; before that they must not end the program.
    socket.on('error', () => {});
    return socket;
  } catch (error) {
    throw translateBrokerError(error);
  }
}

/** Verified always: there is no way to ask for less. */
function openSocket({ host, port, tls }: BrokerOptions): Socket {
  if (tls === null) return connectPlain({ host, port });
  return connectTls({
    host,
    port,
    minVersion: 'TLSv1.2',
    rejectUnauthorized: true,
    // RFC 6066 §3: no addresses here; Node compares those with `host`.
    ...(isIP(tls.serverName) === 0 ? { servername: tls.serverName } : {}),
    ...(tls.caPem === null ? {} : { ca: tls.caPem }),
    ...(tls.client === null ? {} : { cert: tls.client.certificatePem, key: tls.client.keyPem }),
  });
}

class NodeBrokerConnection implements BrokerConnection {
  readonly #client: MqttClient;
  readonly #socket: Socket;
  readonly #closed = Promise.withResolvers<void>();
  #phase: 'opening' | 'open' | 'closing' | 'lost' = 'opening';
  #error: unknown;
  #onMessage: (message: BrokerMessage) => void = () => {};
  #onLost: (error: unknown) => void = () => {};

  constructor(client: MqttClient, socket: Socket) {
    this.#client = client;
    this.#socket = socket;
    const gauge = new MqttPacketGauge();
    socket.on('data', (bytes: Uint8Array) => {
      if (!gauge.accepts(bytes))
        this.#fail(brokerError('BROKER_PROTOCOL', 'the broker sent too long a packet'));
    });
    socket.on('error', (error) => this.#fail(error));
    client.on('error', (error) => this.#fail(error));
    client.on('message', (topic, payload, packet) => this.#onMessage(messageOf(topic, payload, packet)));
    client.on('close', () => this.#ended());
  }

  opened(signal: AbortSignal): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const onAbort = () => this.#fail(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    this.#client.once('connect', () => {
      this.#phase = 'open';
      resolve();
    });
    this.#onLost = reject;
    return promise.finally(() => {
      signal.removeEventListener('abort', onAbort);
      this.#onLost = () => {};
    });
  }

  async publish({ topic, payload }: RetainedMessage): Promise<void> {
    await this.#ask(() => this.#client.publishAsync(topic, payload, { qos: 1, retain: true }));
  }

  async subscribe(topics: readonly string[]): Promise<void> {
    await this.#ask(() => this.#client.subscribeAsync([...topics], { qos: 1 }));
  }

  onMessage(listener: (message: BrokerMessage) => void): void {
    this.#onMessage = listener;
  }

  onLost(listener: (error: unknown) => void): void {
    this.#onLost = listener;
    if (this.#phase === 'lost') listener(this.#reason());
  }

  async close(): Promise<void> {
    if (this.#phase !== 'open') return this.#closed.promise;
    this.#phase = 'closing';
    // With something unanswered the broker would be waited for; then the last will says what the goodbye would.
    this.#client.end(Object.keys(this.#client.outgoing).length > 0);
    const timer = setTimeout(() => this.#socket.destroy(), closeGraceMs);
    await this.#closed.promise;
    clearTimeout(timer);
  }

  async #ask(question: () => Promise<unknown>): Promise<void> {
    try {
      await question();
    } catch (cause) {
      if (this.#phase !== 'open') throw this.#reason();
      throw brokerError('BROKER_DENIED', 'the MQTT broker forbids one of our topics', cause);
    }
  }

  /** The first reason is the true one; what follows are its consequences. */
  #fail(error: unknown): void {
    this.#error ??= error;
    this.#socket.destroy();
  }

  #ended(): void {
    const wasClosing = this.#phase === 'closing';
    this.#phase = 'lost';
    this.#closed.resolve();
    if (!wasClosing) this.#onLost(this.#reason());
    this.#client.end(true);
  }

  #reason(): unknown {
    return translateBrokerError(this.#error);
  }
}

function messageOf(topic: string, payload: Buffer, packet: IPublishPacket): BrokerMessage {
  const text = payload.length <= mqttPayloadBytesMax ? fromUtf8(payload) : undefined;
  return { topic, payload: text, retained: packet.retain };
}
