import type { ApplianceControl } from '../control/appliance-control.ts';
import { type ApplianceStatus, foldStatus } from '../status/appliance-status.ts';
import type { ApplianceFacts } from '../status/facts.ts';
import { healthyFacts } from './appliance-facts.ts';

/** A box that notes what it was asked for. What a face has no business with is refused. */
export class NotingControl implements ApplianceControl {
  readonly asked: string[] = [];
  readonly hasPin = false;
  readonly disks = { locate: refuse, adopt: refuse, retire: refuse };
  readonly #listeners = new Set<() => void>();
  #facts: ApplianceFacts = healthyFacts;
  #failure: Error | undefined;
  statusCalls = 0;

  get listenerCount(): number {
    return this.#listeners.size;
  }

  set(changes: Partial<ApplianceFacts>): void {
    this.#facts = { ...this.#facts, ...changes };
    for (const listener of this.#listeners) listener();
  }

  /** What is asked for from now on is noted and fails. */
  fail(error: Error): void {
    this.#failure = error;
  }

  status(): ApplianceStatus {
    this.statusCalls++;
    return foldStatus(this.#facts);
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  identify(on: boolean): void {
    this.asked.push(`identify ${on}`);
  }

  restart(): Promise<void> {
    return this.#note('restart');
  }

  installUpdate(): Promise<void> {
    return this.#note('installUpdate');
  }

  history = () => [];
  pair = () => {
    throw new Error('not of this face');
  };
  acknowledge = refuse;
  setPin = refuse;
  checkPin = refuse;
  resetAccess = refuse;
  factoryReset = refuse;
  shutdown = refuse;
  supportBundle = refuse;

  async #note(what: string): Promise<void> {
    this.asked.push(what);
    if (this.#failure !== undefined) throw this.#failure;
  }
}

function refuse(): Promise<never> {
  return Promise.reject(new Error('not of this face'));
}
