import type { Condition, ConditionCode } from './condition.ts';
import type { ApplianceFacts } from './facts.ts';

/**
 * What the lights of a box say. One thing at a time: the most urgent. `device/leds` knows the rhythm of each.
 */
export type LightState =
  | { readonly kind: 'booting' }
  | { readonly kind: 'healthy' }
  /** Making copies. */
  | { readonly kind: 'working' }
  /** A person should act; `flashes` (1–8) says about what. */
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
  SAFE_MODE: 8,
  NO_NETWORK: 1,
  BOX_AWAY: 2,
  NO_LINK: 1,
  NO_DISK: 3,
  DISK_FAILED: 3,
  DISK_MISSING: 3,
  DISKS_GONE: 3,
  DISK_FAILING: 3,
  DISK_ERRORS: 3,
  DISK_FULL: 4,
  RECORDS_READ_ONLY: 8,
  RECORDS_NO_ROOM: 4,
  COPIES_MISSING: 5,
  RECORDS_CORRUPT: 6,
  TOO_HOT: 7,
  UNDER_VOLTED: 7,
  UPDATE_ROLLED_BACK: 8,
  UPDATE_NOT_INSTALLED: 8,
  UPDATES_UNAVAILABLE: 8,
  STICK_NOT_TAKEN: 8,
  CLOCK_UNSET: 8,
  UPDATE_WAITING: 0,
  DISK_RETIRED: 0,
  DISK_NOT_RETIRED: 0,
  DISK_BLANK: 0,
  NETWORK_ERRORS: 0,
  MEMORY_LOW: 0,
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
  if (conditions[0]?.severity === 'critical') return { kind: 'data-at-risk' };
  const unseen = conditions.find(({ severity, acknowledged }) => severity === 'warning' && !acknowledged);
  if (unseen !== undefined) return { kind: 'attention', flashes: flashCodes[unseen.code] };
  if (facts.pool === null) return { kind: 'unclaimed' };
  // While stopping the box still writes: the rhythm of work tells a person not to pull the plug.
  return { kind: isWorking(facts) || phase === 'stopping' ? 'working' : 'healthy' };
}

function isWorking({ copies, work }: ApplianceFacts): boolean {
  return copies.copying || work.length > 0;
}
