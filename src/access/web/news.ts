import { type Bytes, utf8 } from '../../base/bytes.ts';
import { webStreamPeriodMs } from '../../base/face-limits.ts';
import type { ApplianceControl } from '../../control/appliance-control.ts';
import { type Clock, every, type Timer } from '../../ports/clock.ts';
import { parts } from './pages/overview.ts';
import type { Session } from './sessions.ts';

/** Changes that come together are told together; a person sees no difference. */
const gatherMs = 100;

/** What changes by the clock alone (ages, uptime) is looked at this often. */
const lookMs = 5000;

/** How long somebody is told. */
export interface NewsUntil {
  /** Aborted when the other end goes away. */
  readonly signal: AbortSignal;
  /** Whether the session goes on. */
  readonly isLive: () => boolean;
}

/**
 * Server-sent events (WHATWG HTML §9.2) with those parts of the overview that changed: each an event `part`, its data
 * JSON `{id, html}`. Ends with the connection, and with the session.
 */
export async function* news(
  control: ApplianceControl,
  session: Session,
  { signal, isLive }: NewsUntil,
  clock: Clock,
): AsyncGenerator<Bytes> {
  const told = new Map<string, string>();
  const waker = new Waker(clock, signal);
  const unsubscribe = control.onChange(() => waker.wake(gatherMs));
  const looking = every(clock, lookMs, () => waker.wake(0));
  let quietSinceMs = clock.monotonicMs();
  try {
    while (!signal.aborted && isLive()) {
      const text = changedParts(control, session, told);
      const now = clock.monotonicMs();
      if (text !== '') yield utf8(text);
      else if (now - quietSinceMs >= webStreamPeriodMs) yield utf8(': still here\n\n');
      if (text !== '' || now - quietSinceMs >= webStreamPeriodMs) quietSinceMs = now;
      await waker.woken();
    }
  } finally {
    looking.cancel();
    unsubscribe();
    waker.close();
  }
}

function changedParts(control: ApplianceControl, session: Session, told: Map<string, string>): string {
  const overview = { status: control.status(), events: control.history(), session };
  let text = '';
  for (const [id, part] of Object.entries(parts)) {
    const { text: html } = part(overview);
    if (told.get(id) === html) continue;
    told.set(id, html);
    text += `event: part\ndata: ${JSON.stringify({ id, html })}\n\n`;
  }
  return text;
}

/** Lets one wait until somebody wakes it, soon. */
class Waker {
  readonly #clock: Clock;
  readonly #signal: AbortSignal;
  #timer: Timer | undefined;
  /** It rang while nobody waited. */
  #rang = false;
  #resolve: (() => void) | undefined;
  readonly #onAbort = () => this.#ring();

  constructor(clock: Clock, signal: AbortSignal) {
    this.#clock = clock;
    this.#signal = signal;
    signal.addEventListener('abort', this.#onAbort);
  }

  wake(delayMs: number): void {
    this.#timer ??= this.#clock.after(delayMs, () => this.#ring());
  }

  woken(): Promise<void> {
    if (this.#rang || this.#signal.aborted) {
      this.#rang = false;
      return Promise.resolve();
    }
    return new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }

  close(): void {
    this.#timer?.cancel();
    this.#signal.removeEventListener('abort', this.#onAbort);
  }

  #ring(): void {
    this.#timer = undefined;
    if (this.#resolve === undefined) this.#rang = true;
    this.#resolve?.();
    this.#resolve = undefined;
  }
}
