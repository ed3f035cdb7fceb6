import { sleep } from '../ports/clock.ts';
import { desktopPorts } from './desktop.ts';

/** Waits for `promise`, but no longer than `limitMs`; rejects when `signal` aborts. No timer is left behind. */
export async function within(promise: Promise<void>, limitMs: number, signal: AbortSignal): Promise<void> {
  const stop = new AbortController();
  const limit = sleep(desktopPorts.clock, limitMs, AbortSignal.any([signal, stop.signal]));
  try {
    await Promise.race([promise, limit]);
  } finally {
    limit.catch(() => {});
    stop.abort();
  }
}
