import type { BoxEnd } from './box-control.ts';

/** One life of a box's program: somebody asks it to end, it closes, and whoever asked hears that it has. */
export class BoxLife {
  /** Resolves when somebody asks it to end. */
  readonly asked: Promise<void>;
  readonly onSignal = (): void => void this.end('stop');
  readonly #ask: () => void;
  readonly #closed = Promise.withResolvers<void>();
  readonly #actions: (() => void)[] = [];
  #how: BoxEnd | undefined;

  constructor() {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.asked = promise;
    this.#ask = resolve;
  }

  /** How it is to end; the first who asks has it. */
  get how(): BoxEnd {
    return this.#how ?? 'stop';
  }

  /** It ends only to start again: it does not stop for good, and nobody may pull the plug. */
  get startsAgain(): boolean {
    return this.how !== 'stop' && this.how !== 'shutdown';
  }

  /** Asks it to end; resolves when everything is on disk. */
  end(how: BoxEnd): Promise<void> {
    this.#how ??= how;
    this.#ask();
    return this.#closed.promise;
  }

  /** Calls `action` when everything is on disk, before anybody hears of it. */
  onClosed(action: () => void): void {
    this.#actions.push(action);
  }

  /** Says that everything is on disk. */
  closed(): void {
    for (const action of this.#actions) action();
    this.#closed.resolve();
  }
}
