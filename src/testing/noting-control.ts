import type {
  ApplianceControl,
  DiskControl,
  PairingCode,
  SupportFile,
} from '../control/appliance-control.ts';
import { type ApplianceStatus, foldStatus } from '../status/appliance-status.ts';
import { conditionKey } from '../status/condition.ts';
import type { ApplianceFacts } from '../status/facts.ts';
import type { StatusEvent } from '../status/history.ts';
import { healthyFacts } from './appliance-facts.ts';

/** A box whose facts a test sets, and that notes what it was asked for. */
export class NotingControl implements ApplianceControl {
  readonly asked: string[] = [];
  readonly disks: DiskControl = {
    locate: (device, on) => this.#note(`locate ${device} ${on}`),
    adopt: (device) => this.#note(`adopt ${device}`),
    retire: (volume) => this.#note(`retire ${volume}`),
    forget: (volume) => this.#note(`forget ${volume}`),
  };
  /** What `pair` answers. */
  code: PairingCode = { code: '4821-9930', expiresAtMs: null };
  pin: string | null = null;
  pinChanges = 0;
  events: readonly StatusEvent[] = [];
  statusCalls = 0;
  readonly #listeners = new Set<() => void>();
  #facts: ApplianceFacts = healthyFacts;
  #failure: Error | undefined;

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

  history(): readonly StatusEvent[] {
    return this.events;
  }

  async acknowledge(key: string): Promise<void> {
    await this.#note(`acknowledge ${key}`);
    const found = this.status().conditions.some((condition) => conditionKey(condition) === key);
    if (found) this.set({ acknowledged: [...this.#facts.acknowledged, key] });
  }

  identify(on: boolean): void {
    this.asked.push(`identify ${on}`);
    this.set({ box: { ...this.#facts.box, identifying: on } });
  }

  pair(): PairingCode {
    if (this.#failure !== undefined) throw this.#failure;
    return this.code;
  }

  installUpdate(): Promise<void> {
    return this.#note('installUpdate');
  }

  async receiveUpdate(totalBytes: number, body: AsyncIterable<Uint8Array>): Promise<string> {
    let bytes = 0;
    for await (const each of body) bytes += each.length;
    await this.#note(`receiveUpdate ${bytes} of ${totalBytes}`);
    return '9.9.9';
  }

  async setPin(pin: string | null): Promise<void> {
    await this.#note(pin === null ? 'clear PIN' : 'set PIN');
    this.pin = pin;
    this.pinChanges++;
  }

  get hasPin(): boolean {
    return this.pin !== null;
  }

  async checkPin(pin: string): Promise<boolean> {
    if (this.#failure !== undefined) throw this.#failure;
    return pin === this.pin;
  }

  resetAccess(): Promise<void> {
    return this.#note('resetAccess');
  }

  factoryReset(): Promise<void> {
    return this.#note('factoryReset');
  }

  shutdown(): Promise<void> {
    return this.#note('shutdown');
  }

  restart(): Promise<void> {
    return this.#note('restart');
  }

  async supportBundle(): Promise<readonly SupportFile[]> {
    return [{ name: 'status.json', text: `${JSON.stringify(this.status().headline)}\n` }];
  }

  async #note(what: string): Promise<void> {
    this.asked.push(what);
    if (this.#failure !== undefined) throw this.#failure;
  }
}
