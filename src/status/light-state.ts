import type { Condition, ConditionCode } from './conditions.ts';
import type { ApplianceFacts } from './facts.ts';

/**
 * What the lights of a box say. One thing at a time: the most urgent. `device/leds` knows the rhythm of each.
 */
export type LightState =
  | { readonly kind: 'booting' }
  | { readonly kind: 'healthy' }
  /** Making copies. */
  | { readonly kind: 'working' }
  /** A person should act; `flashes` (1–6) says about what. */
  | { readonly kind: 'attention'; readonly flashes: number }
  | { readonly kind: 'unclaimed' }
  | { readonly kind: 'updating' }
  | { readonly kind: 'data-at-risk' }
  | { readonly kind: 'identify' }
  /** Safe to unplug. */
  | { readonly kind: 'off' };

/**
 * The flash code of each condition that can ask for a person: the same number always means the same thing. 0 for
 * those that never do: they are in the words only.
 */
export const flashCodes: Readonly<Record<ConditionCode, number>> = {
  NO_NETWORK: 1,
  BOX_AWAY: 2,
  DISK_FAILED: 3,
  DISKS_GONE: 3,
  DISK_FULL: 4,
  COPIES_MISSING: 5,
  RECORDS_CORRUPT: 6,
  DISK_NEARLY_FULL: 0,
  POOL_OF_ONE: 0,
  NOT_CLAIMED: 0,
  PAIRING_LOCKED: 0,
};

/**
 * A person's question first, then what must not be interrupted, then danger, then what waits for a person, then
 * what goes on by itself.
 */
export function lightStateOf(facts: ApplianceFacts, conditions: readonly Condition[]): LightState {
  const { phase, identifying } = facts.box;
  if (phase === 'stopped') return { kind: 'off' };
  if (identifying) return { kind: 'identify' };
  if (phase === 'updating') return { kind: 'updating' };
  if (phase === 'starting') return { kind: 'booting' };
  const worst = conditions[0];
  if (worst?.severity === 'critical') return { kind: 'data-at-risk' };
  if (worst?.severity === 'warning') return { kind: 'attention', flashes: flashCodes[worst.code] };
  if (facts.pool === null) return { kind: 'unclaimed' };
  // While stopping the box still writes: the rhythm of work tells a person not to pull the plug.
  return { kind: facts.copies.copying || phase === 'stopping' ? 'working' : 'healthy' };
}
