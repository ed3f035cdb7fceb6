import type { DatagramAddress } from '../ports/datagram.ts';
import type { Message, ResourceRecord } from '../zeroconf/dns/message.ts';
import { typeOf } from '../zeroconf/dns/message.ts';
import { lookUp } from '../zeroconf/mdns/cache.ts';
import type { Interests } from '../zeroconf/mdns/interests.ts';
import {
  type QuerierEvent,
  type QuerierState,
  querierStep,
  startQuerying,
} from '../zeroconf/mdns/querier.ts';
import { httpType, neighbour } from './publisher-run.ts';

interface QuerierRunOptions extends Partial<Interests> {
  /** Every draw. */
  readonly draw?: number;
  readonly isLinkNew?: boolean;
}

/** One querier on a virtual clock, of `_http._tcp` where nothing else is said. */
export class QuerierRun {
  now = 0;
  readonly sent: { readonly atMs: number; readonly message: Message }[] = [];
  state: QuerierState;
  readonly #draw: number;

  constructor({ draw = 0, isLinkNew = false, ...interests }: QuerierRunOptions = {}) {
    this.#draw = draw;
    const all = { types: [httpType], instances: [], everyType: false, ...interests };
    this.state = startQuerying(all, 0, draw, isLinkNew);
  }

  hear(message: Message, from: DatagramAddress = neighbour, multicast = true): void {
    this.#step({ kind: 'message', message, from, multicast, draw: this.#draw });
  }

  move(): void {
    this.#step({ kind: 'moved', draw: this.#draw });
  }

  doubt(instance: readonly string[]): void {
    this.#step({ kind: 'doubt', instance, draw: this.#draw });
  }

  runTo(endMs: number): void {
    while (this.state.dueMs <= endMs) {
      this.now = Math.max(this.now, this.state.dueMs);
      this.#step({ kind: 'tick', draw: this.#draw });
    }
    this.now = endMs;
  }

  has(record: ResourceRecord): boolean {
    return lookUp(this.state.cache, record.name, typeOf(record.data)).length > 0;
  }

  /** What was asked since the last call: `12 at 20`. */
  asked(): readonly string[] {
    return this.sent
      .splice(0)
      .flatMap(({ atMs, message }) => message.questions.map(({ type }) => `${type} at ${atMs}`));
  }

  #step(event: QuerierEvent): void {
    const step = querierStep(this.state, event, this.now);
    this.state = step.state;
    for (const { message } of step.actions) this.sent.push({ atMs: this.now, message });
  }
}
