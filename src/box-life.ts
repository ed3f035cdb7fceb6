import { AetherError, describeError } from './base/errors.ts';
import type { Log } from './base/log.ts';
import type { BoxEnd } from './box-control.ts';

/** Of those that are asked for the last one here is carried out: a factory reset is lost to none, a restart to any. */
const byReach: readonly BoxEnd[] = ['restart', 'stop', 'reboot', 'shutdown', 'factory-reset'];
/** What else is done by it. */
const includes: Readonly<Partial<Record<BoxEnd, readonly BoxEnd[]>>> = {
  reboot: ['restart', 'stop'],
  shutdown: ['stop'],
  'factory-reset': ['restart'],
};
const words: Readonly<Record<BoxEnd, string>> = {
  restart: 'restarts',
  stop: 'stops',
  reboot: 'restarts',
  shutdown: 'shuts down',
  'factory-reset': 'is reset',
};

/** One life of a box's program: somebody asks it to end, it closes, and whoever asked hears that it has. */
export class BoxLife {
  /** Resolves when somebody asks it to end. */
  readonly asked: Promise<void>;
  readonly onSignal = (): void => void this.end('stop');
  readonly #ask: () => void;
  readonly #closed = Promise.withResolvers<void>();
  readonly #actions: (() => void)[] = [];
  #how: BoxEnd | undefined;
  #isOver = false;

  constructor() {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.asked = promise;
    this.#ask = resolve;
  }

  /** How it is to end. */
  get how(): BoxEnd {
    return this.#how ?? 'stop';
  }

  /** It ends only to start again: it does not stop for good, and nobody may pull the plug. */
  get startsAgain(): boolean {
    return this.how !== 'stop' && this.how !== 'shutdown';
  }

  /**
   * Asks it to end; resolves when everything is on disk. Errors: `BOX_ENDING`: it ends in another way, since somebody else
   * asked for that.
   */
  end(how: BoxEnd): Promise<void> {
    const furthest = byReach.findLast((each) => each === how || each === this.#how);
    if (!this.#isOver) this.#how = furthest;
    this.#ask();
    const ended = this.#closed.promise.then(() => {
      if (this.how !== how && includes[this.how]?.includes(how) !== true) throw endsOtherwise(this.how);
    });
    // Not everybody who asks waits for it.
    ended.catch(() => {});
    return ended;
  }

  /** Calls `action` when everything is on disk, before anybody hears of it. */
  onClosed(action: () => void): void {
    this.#actions.push(action);
  }

  /** Says that everything is on disk. Errors: those of the actions. */
  closed(): void {
    this.#isOver = true;
    try {
      for (const action of this.#actions) action();
    } finally {
      this.#closed.resolve();
    }
  }
}

/** Closes one after the other, the last first. One that cannot be closed keeps no other open: the log tells of it. */
export async function closeEach(closers: readonly (() => unknown)[], log: Log): Promise<void> {
  for (const close of closers.toReversed()) {
    try {
      await close();
    } catch (error) {
      log.error('something could not be closed', { reason: describeError(error) });
    }
  }
}

function endsOtherwise(how: BoxEnd): AetherError {
  return new AetherError('BOX_ENDING', `the box ${words[how]}: somebody else has asked for that`, {
    help: 'Ask again when it runs.',
  });
}
