/**
 * When an interface has an address of its own making, beside whatever the system's DHCP and people do to it.
 * `fallback`: while nobody gives it another IPv4 address. `always`: as long as the link is up. `never`.
 */
export type LinkLocalMode = 'fallback' | 'always' | 'never';

/** How long a DHCP server has to answer after link-up: its clients ask at 0, about 1 and about 3 seconds. */
const dhcpWaitMs = 5000;
/**
 * RFC 3927 §1.9: once there is a routable address the link-local one is announced no more, and new connections take
 * the other; those there are may end. Ours come back by themselves within seconds, so a minute is plenty.
 */
const lingerMs = 60_000;

/**
 * `down`: no link. `waiting`: for DHCP. `claiming`: an address of ours is wanted. `lingering`: it still is, until
 * connections have ended. `served`: another address will do. `off`: never wanted.
 */
export interface PolicyState {
  readonly mode: LinkLocalMode;
  readonly phase: 'off' | 'down' | 'waiting' | 'claiming' | 'lingering' | 'served';
  /** An address was wanted when the link went: it is asked for at once when it is back, and DHCP meanwhile. */
  readonly resumes: boolean;
  /** When the next `tick` is due, if any. */
  readonly dueMs: number | undefined;
}

export type PolicyEvent =
  | {
      readonly kind: 'link';
      readonly isUp: boolean;
      /** An IPv4 address that is not of 169.254/16. */
      readonly hasRoutable: boolean;
      /** One of 169.254/16 that is not of our making: the system's own claim, or a person's. */
      readonly hasForeign: boolean;
    }
  | { readonly kind: 'tick' };

export function newPolicy(mode: LinkLocalMode): PolicyState {
  return { mode, phase: mode === 'never' ? 'off' : 'down', resumes: false, dueMs: undefined };
}

/** Whether an address of ours is wanted. */
export function isWanted({ phase }: PolicyState): boolean {
  return phase === 'claiming' || phase === 'lingering';
}

export function policyStep(state: PolicyState, event: PolicyEvent, now: number): PolicyState {
  if (state.phase === 'off') return state;
  if (event.kind === 'link') return onLink(state, event, now);
  if (state.dueMs === undefined || now < state.dueMs) return state;
  return inPhase(state, state.phase === 'waiting' ? 'claiming' : 'served');
}

function onLink(
  state: PolicyState,
  { isUp, hasRoutable, hasForeign }: Extract<PolicyEvent, { kind: 'link' }>,
  now: number,
): PolicyState {
  if (!isUp) return { ...inPhase(state, 'down'), resumes: isWanted(state) || state.resumes };
  if (hasForeign) return inPhase(state, 'served');
  if (state.mode === 'always') return inPhase(state, 'claiming');
  if (hasRoutable) {
    if (state.phase === 'claiming') return inPhase(state, 'lingering', now + lingerMs);
    return state.phase === 'lingering' ? state : inPhase(state, 'served');
  }
  // A lease that ended has been waited for already.
  if (state.phase === 'served' || state.phase === 'lingering') return inPhase(state, 'claiming');
  if (state.phase !== 'down') return state;
  return state.resumes ? inPhase(state, 'claiming') : inPhase(state, 'waiting', now + dhcpWaitMs);
}

function inPhase(state: PolicyState, phase: PolicyState['phase'], dueMs?: number): PolicyState {
  return { ...state, phase, dueMs, resumes: false };
}
