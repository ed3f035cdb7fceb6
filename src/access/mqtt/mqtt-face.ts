import { AetherError, describeError } from '../../base/errors.ts';
import {
  mqttForgottenDisksMax,
  mqttPublishGapMs,
  mqttRefreshMs,
  mqttSettledMs,
} from '../../base/face-limits.ts';
import { closeGraceMs } from '../../base/limits.ts';
import type { Log } from '../../base/log.ts';
import type { ApplianceControl } from '../../control/appliance-control.ts';
import { type Clock, sleep } from '../../ports/clock.ts';
import type { Entropy } from '../../ports/entropy.ts';
import type {
  BrokerConnection,
  BrokerMessage,
  BrokerOptions,
  MessageBroker,
} from '../../ports/message-broker.ts';
import { withinAnswerTime } from './answer-time.ts';
import { type Command, type CommandTimes, judge } from './commands.ts';
import { discoveryMessage } from './discovery-message.ts';
import { Outbox } from './outbox.ts';
import { retryDelayMs } from './retry-delay.ts';
import { stateMessage, updateMessage } from './state-message.ts';
import { boxTag, payloads, type Topics, topicsOf } from './topics.ts';

/** Which broker to dial, and how. */
export type DialOptions = Pick<BrokerOptions, 'host' | 'port' | 'tls' | 'credentials'>;

export interface MqttFaceOptions {
  readonly memberId: string;
  readonly discoveryPrefix: string;
  /** Asked before each attempt; undefined while there is no broker. What it throws is the attempt's failure. */
  readonly dial: (attempt: number) => Promise<DialOptions | undefined>;
}

export interface MqttFacePorts {
  readonly control: ApplianceControl;
  readonly broker: MessageBroker;
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly log: Log;
}

export interface MqttState {
  /** `off`: no broker is given or approved; `waiting`: the last attempt failed, the next one follows by itself. */
  readonly phase: 'off' | 'connecting' | 'connected' | 'waiting';
  /** `192.0.2.7:1883` of the attempt or connection at hand. */
  readonly broker: string | null;
  /** Why it is not connected. */
  readonly error: { readonly code: string; readonly message: string; readonly help: string } | null;
}

const off: MqttState = { phase: 'off', broker: null, error: null };

/** Why a connection is given up from our side. */
type Leaving = 'away' | 'forget';

/**
 * A box on an MQTT broker: says how it is when that has changed, and follows three commands. While the broker is away it
 * keeps nothing but the time of the next attempt; what it then says is the status of that moment.
 */
export class MqttFace {
  readonly #options: MqttFaceOptions;
  readonly #ports: MqttFacePorts;
  readonly #topics: Topics;
  readonly #outbox = new Outbox();
  /** Names of disks that were told of since the start, the oldest first. */
  readonly #disksTold = new Set<string>();
  #state: MqttState = off;
  #times: CommandTimes = {};
  #stop = new AbortController();
  #running: Promise<void> = Promise.resolve();
  /** Redialling and closing, one after the other. */
  #turn: Promise<void> = Promise.resolve();
  #closed = false;
  #changed = Promise.withResolvers<void>();

  private constructor(options: MqttFaceOptions, ports: MqttFacePorts) {
    this.#options = options;
    this.#ports = ports;
    this.#topics = topicsOf(options.memberId, options.discoveryPrefix);
  }

  static start(options: MqttFaceOptions, ports: MqttFacePorts): MqttFace {
    const face = new MqttFace(options, ports);
    face.#begin();
    return face;
  }

  state(): MqttState {
    return this.#state;
  }

  /** Another broker is given than before, or none: leaves the one and dials the other at once. */
  redial(leaving: Leaving = 'away'): Promise<void> {
    this.#turn = this.#turn.then(() => this.#end(leaving)).then(() => this.#begin());
    return this.#turn;
  }

  /** Says `offline` and goodbye. */
  close(): Promise<void> {
    this.#closed = true;
    this.#turn = this.#turn.then(() => this.#end('away'));
    return this.#turn;
  }

  #begin(): void {
    if (this.#closed) return;
    this.#stop = new AbortController();
    this.#running = this.#run(this.#stop.signal);
  }

  async #end(leaving: Leaving): Promise<void> {
    this.#stop.abort(leaving);
    await this.#running;
    this.#state = off;
  }

  async #run(stop: AbortSignal): Promise<void> {
    const { clock, entropy } = this.#ports;
    for (let failures = 0; !stop.aborted; failures++) {
      const startMs = clock.monotonicMs();
      try {
        const target = await this.#options.dial(failures);
        if (target === undefined) {
          this.#state = off;
          return;
        }
        await this.#attempt(target, stop);
      } catch (error) {
        if (stop.aborted) return;
        this.#note(error);
      }
      if (clock.monotonicMs() - startMs >= mqttSettledMs) failures = 0;
      await sleep(clock, retryDelayMs(failures, entropy), stop).catch(() => {});
    }
  }

  /** From dialling to the end of the connection, which is always an error, but when `stop` was the reason. */
  async #attempt(target: DialOptions, stop: AbortSignal): Promise<void> {
    const { broker: port, clock, control, log } = this.#ports;
    const broker = `${target.host}:${target.port}`;
    this.#state = { ...this.#state, phase: 'connecting', broker };
    const connection = await withinAnswerTime(clock, stop, (signal) =>
      port.connect({ ...target, ...this.#identity() }, signal),
    );
    const over = new AbortController();
    const onStop = () => over.abort(stop.reason);
    stop.addEventListener('abort', onStop);
    over.signal.addEventListener('abort', () => this.#changed.resolve());
    connection.onLost((error) => over.abort(error));
    connection.onMessage((message) => this.#hear(message));
    const unsubscribe = control.onChange(() => this.#changed.resolve());
    try {
      if (stop.aborted) onStop();
      await this.#greet(connection, over.signal);
      this.#state = { phase: 'connected', broker, error: null };
      log.info('connected to the MQTT broker', { broker });
      await this.#tell(connection, over.signal);
    } finally {
      unsubscribe();
      stop.removeEventListener('abort', onStop);
      if (stop.aborted) await this.#leave(connection, stop.reason as Leaving);
      await connection.close();
    }
  }

  #identity(): Pick<BrokerOptions, 'clientId' | 'lastWill'> {
    return {
      clientId: `aetherstore-${boxTag(this.#options.memberId)}`,
      lastWill: { topic: this.#topics.availability, payload: payloads.offline },
    };
  }

  async #greet(connection: BrokerConnection, over: AbortSignal): Promise<void> {
    const { identify, restart, update, homeAssistant } = this.#topics;
    const topics = [identify, restart, update, homeAssistant];
    await withinAnswerTime(this.#ports.clock, over, () => connection.subscribe(topics));
    this.#outbox.forgetKnown();
  }

  /** Publishes what has changed, at most once in `mqttPublishGapMs`, until the connection is over. */
  async #tell(connection: BrokerConnection, over: AbortSignal): Promise<never> {
    const { clock } = this.#ports;
    for (;;) {
      this.#changed = Promise.withResolvers();
      over.throwIfAborted();
      this.#render();
      for (let next = this.#outbox.next(); next !== undefined; next = this.#outbox.next()) {
        const message = next;
        await withinAnswerTime(clock, over, () => connection.publish(message));
        this.#outbox.acknowledged(message);
      }
      await sleep(clock, mqttPublishGapMs, over);
      const refresh = clock.after(mqttRefreshMs - mqttPublishGapMs, () => this.#changed.resolve());
      await this.#changed.promise;
      refresh.cancel();
    }
  }

  #render(): void {
    const status = this.#ports.control.status();
    const names = status.volumes.map(({ name }) => name);
    for (const name of names) this.#disksTold.add(name);
    const gone = [...this.#disksTold].filter((name) => !names.includes(name));
    for (const name of gone.slice(0, -mqttForgottenDisksMax)) this.#disksTold.delete(name);
    const { discovery, state, updateState, availability } = this.#topics;
    const asJson = (topic: string, value: object) =>
      this.#outbox.set({ topic, payload: JSON.stringify(value) });
    asJson(discovery, discoveryMessage(status, this.#topics, gone.slice(-mqttForgottenDisksMax)));
    asJson(state, stateMessage(status));
    asJson(updateState, updateMessage(status));
    this.#outbox.set({ topic: availability, payload: payloads.online });
  }

  /** As well as it goes: the broker may not answer any more. */
  async #leave(connection: BrokerConnection, leaving: Leaving): Promise<void> {
    const { discovery, state, updateState, availability } = this.#topics;
    const last =
      leaving === 'away'
        ? [{ topic: availability, payload: payloads.offline }]
        : [discovery, state, updateState, availability].map((topic) => ({ topic, payload: '' }));
    const sayAll = async () => {
      for (const message of last) await connection.publish(message);
    };
    try {
      await withinAnswerTime(this.#ports.clock, undefined, sayAll, closeGraceMs);
    } catch (error) {
      this.#ports.log.debug('the MQTT broker did not hear the goodbye', { reason: describeError(error) });
    }
  }

  #hear(message: BrokerMessage): void {
    const { clock, log } = this.#ports;
    const answer = judge(message, this.#topics, this.#times, clock.monotonicMs());
    if (answer.kind === 'refuse')
      log.debug('message of the MQTT broker not followed', { reason: answer.reason });
    if (answer.kind === 'greeting') {
      this.#outbox.forgetKnown();
      this.#changed.resolve();
    }
    if (answer.kind !== 'follow') return;
    this.#times = answer.times;
    log.info('command from the MQTT broker', { command: answer.command });
    this.#follow(answer.command).catch((error) =>
      log.warn('command from the MQTT broker failed', {
        command: answer.command,
        reason: describeError(error),
      }),
    );
  }

  async #follow(command: Command): Promise<void> {
    const { control } = this.#ports;
    if (command === 'identify') control.identify(true);
    else if (command === 'restart') await control.restart();
    else await control.installUpdate();
  }

  /** A broker that is away for a day is told of once in the log. */
  #note(error: unknown): void {
    const { code, help } = error instanceof AetherError ? error : { code: 'BROKER_LOST', help: '' };
    const message = error instanceof Error ? error.message : String(error);
    const level = this.#state.error?.code === code ? 'debug' : 'warn';
    const broker = this.#state.broker;
    this.#ports.log[level]('no connection to the MQTT broker', {
      code,
      ...(broker && { broker }),
      reason: message,
    });
    this.#state = { phase: 'waiting', broker, error: { code, message, help } };
  }
}
