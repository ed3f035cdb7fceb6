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

/** What `promise` resolves with, or the reason why `signal` aborted. */
export async function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  const aborted = Promise.withResolvers<never>();
  const abort = () => aborted.reject(signal.reason);
  if (signal.aborted) abort();
  signal.addEventListener('abort', abort, { once: true });
  promise.catch(() => {});
  try {
    return await Promise.race([promise, aborted.promise]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
