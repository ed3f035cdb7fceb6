/** Time as a box needs it. The only source of time in the program; `platform/` and `testing/` implement it. */
export interface Clock {
  /** Milliseconds since 1970-01-01 UTC. May jump, forwards or backwards. */
  wallMs(): number;
  /** Milliseconds from an arbitrary start. Never goes back, and never jumps. */
  monotonicMs(): number;
  /** Calls `action` once, `delayMs` from now on the monotonic clock, unless cancelled before. */
  after(delayMs: number, action: () => void): Timer;
}

export interface Timer {
  cancel(): void;
}

/** Resolves after `delayMs`, or rejects at once with `signal`'s reason when it aborts. */
export function sleep(clock: Clock, delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(signal.reason);
      return;
    }
    const onAbort = () => {
      timer.cancel();
      reject(signal?.reason);
    };
    const timer = clock.after(delayMs, () => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    });
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}

/** Calls `action` every `periodMs` until cancelled; the next call is timed from the end of the last. */
export function every(clock: Clock, periodMs: number, action: () => void | Promise<void>): Timer {
  let cancelled = false;
  let timer: Timer;
  const schedule = () => {
    timer = clock.after(periodMs, async () => {
      await action();
      if (!cancelled) schedule();
    });
  };
  schedule();
  return {
    cancel: () => {
      cancelled = true;
      timer.cancel();
    },
  };
}
