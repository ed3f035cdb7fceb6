import type { LightState } from '../../src/status/light-state.ts';

/** Every state that the lights can show. */
export const lightStates: readonly LightState[] = [
  { kind: 'booting' },
  { kind: 'healthy' },
  { kind: 'working' },
  ...Array.from({ length: 8 }, (_, index): LightState => ({ kind: 'attention', flashes: index + 1 })),
  { kind: 'unclaimed' },
  { kind: 'updating' },
  { kind: 'data-at-risk' },
  { kind: 'identify' },
  { kind: 'off' },
];
