import {
  supervisionPatienceMs,
  supervisionStartMsMax,
  supervisionStopMsMax,
  supervisionTellMs,
} from './base/face-limits.ts';
import { type Clock, every } from './ports/clock.ts';
import type { ServiceManager } from './ports/service-manager.ts';

/** What is told to a service manager, which ends a program that says nothing. */
export interface Supervision {
  /** It serves, and this is how it is in a sentence. */
  serving(headline: () => string): void;
  /** It ends; what it does now may take its time. */
  stopping(): void;
  /** Nothing more is told. */
  close(): void;
}

/**
 * The protocol of sd_notify(3). Starting takes its time when large disks are checked after a power cut; a start that takes
 * longer than `supervisionStartMsMax` hangs, and the manager is let end it. So does an end that takes longer than
 * `supervisionStopMsMax`.
 */
export function supervise(manager: ServiceManager | undefined, clock: Clock): Supervision {
  if (manager === undefined) return { serving: () => {}, stopping: () => {}, close: () => {} };
  const startedMs = clock.monotonicMs();
  const hangs = () => clock.monotonicMs() - startedMs > supervisionStartMsMax;
  let status: () => string = () =>
    hangs() ? 'STATUS=Starting' : `EXTEND_TIMEOUT_USEC=${supervisionPatienceMs * 1000}`;
  let stoppingMs = Number.POSITIVE_INFINITY;
  const tell = () => {
    if (clock.monotonicMs() - stoppingMs <= supervisionStopMsMax) manager.tell(`WATCHDOG=1\n${status()}`);
  };
  // The manager wants to hear twice within its limit (sd_watchdog_enabled(3)).
  const timer = every(clock, Math.min(supervisionTellMs, (manager.watchdogMs ?? Infinity) / 2), tell);
  tell();
  return {
    serving: (headline) => {
      manager.tell('READY=1');
      status = () => `STATUS=${headline()}`;
      tell();
    },
    stopping: () => {
      stoppingMs = clock.monotonicMs();
      status = () => 'STATUS=Stopping';
      tell();
    },
    close: () => timer.cancel(),
  };
}
