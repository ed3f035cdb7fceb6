import { assert } from '../../base/assert.ts';
import { type Bytes, viewOf } from '../../base/bytes.ts';
import { clockSkewMsMax } from '../../base/limits.ts';
import { filesError } from '../files-error.ts';

/**
 * A reading of a hybrid logical clock (Kulkarni et al. 2014): close to wall time, and always after everything that
 * its owner had seen. `ms` has 48 bits, `counter` 16.
 */
export interface HybridTime {
  readonly ms: number;
  readonly counter: number;
}

const hybridTimeBytes = 8;
const counterMax = 0xffff;

export const earliestTime: HybridTime = { ms: 0, counter: 0 };

/** The next reading after `last`, when the wall clock shows `wallMs`. */
export function tick(last: HybridTime, wallMs: number): HybridTime {
  if (wallMs > last.ms) return { ms: wallMs, counter: 0 };
  if (last.counter < counterMax) return { ms: last.ms, counter: last.counter + 1 };
  return { ms: last.ms + 1, counter: 0 };
}

export type Received =
  | { readonly accepted: true; readonly time: HybridTime }
  | { readonly accepted: false; readonly code: 'CLOCK_SKEW'; readonly aheadMs: number };

/**
 * What our clock shows after `remote` was seen. A remote time that is new and more than an hour ahead of our wall
 * clock is refused: one box with a wrong clock must not pull the whole pool into the future. Our own last reading
 * does not widen that bound, or else a box could pull us an hour further with every record.
 */
export function receive(last: HybridTime, remote: HybridTime, wallMs: number): Received {
  if (compareTimes(remote, last) <= 0) return { accepted: true, time: last };
  const aheadMs = remote.ms - wallMs;
  if (aheadMs > clockSkewMsMax) return { accepted: false, code: 'CLOCK_SKEW', aheadMs };
  return { accepted: true, time: remote };
}

export function compareTimes(a: HybridTime, b: HybridTime): number {
  return a.ms - b.ms || a.counter - b.counter;
}

/** 48 bits of milliseconds, then 16 bits of counter. */
export function encodeTime(time: HybridTime): Bytes {
  assert(time.ms >= 0 && time.ms < 2 ** 48 && time.counter <= counterMax, 'a hybrid time has 64 bits');
  const bytes = new Uint8Array(hybridTimeBytes);
  const view = viewOf(bytes);
  view.setUint16(0, Math.floor(time.ms / 2 ** 32));
  view.setUint32(2, time.ms % 2 ** 32);
  view.setUint16(6, time.counter);
  return bytes;
}

/** Errors: `LOG_RECORD_INVALID`. */
export function decodeTime(bytes: Bytes): HybridTime {
  if (bytes.length !== hybridTimeBytes) throw filesError('LOG_RECORD_INVALID', 'a clock has 8 bytes');
  const view = viewOf(bytes);
  return { ms: view.getUint16(0) * 2 ** 32 + view.getUint32(2), counter: view.getUint16(6) };
}
