import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LightState } from '../../status/light-state.ts';
import { flashCodes } from '../../status/light-state.ts';
import {
  describeLights,
  lightsAt,
  nextChangeMs,
  patternOf,
  pressPatternOf,
  singlePatternOf,
} from './patterns.ts';

const sampleMs = 25;

/** One character each 25 ms for 10 s: `#` from half brightness on, `.` below. */
function sample(state: LightState, light: 'green' | 'amber'): string {
  const pattern = patternOf(state);
  let drawn = '';
  for (let ms = 0; ms < 10_000; ms += sampleMs) drawn += lightsAt(pattern, ms)[light] >= 0.5 ? '#' : '.';
  return drawn;
}

/** `count` repetitions of runs given in milliseconds: positive on, negative off. */
function runs(count: number, ...durationsMs: readonly number[]): string {
  return durationsMs
    .map((ms) => (ms > 0 ? '#' : '.').repeat(Math.abs(ms) / sampleMs))
    .join('')
    .repeat(count);
}

const on = runs(1, 10_000);
const off = runs(1, -10_000);

test('booting: green blinks once a second, amber off', () => {
  assert.equal(sample({ kind: 'booting' }, 'green'), runs(10, 500, -500));
  assert.equal(sample({ kind: 'booting' }, 'amber'), off);
});

test('healthy: green on, amber off, and nothing wakes the processor', () => {
  assert.equal(sample({ kind: 'healthy' }, 'green'), on);
  assert.equal(sample({ kind: 'healthy' }, 'amber'), off);
  assert.equal(nextChangeMs(patternOf({ kind: 'healthy' }), 12_345), undefined);
});

test('working: green on, amber swells and fades every two seconds', () => {
  assert.equal(sample({ kind: 'working' }, 'green'), on);
  assert.equal(sample({ kind: 'working' }, 'amber'), runs(5, -500, 1000, -500));
  const levels = new Set(patternOf({ kind: 'working' }).map(({ amber }) => amber.toFixed(3)));
  assert.ok(levels.size >= 10, 'a light that can be dimmed is dimmed');
});

test('attention: amber on, with a countable flash code every five seconds', () => {
  assert.equal(sample({ kind: 'attention', flashes: 1 }, 'amber'), runs(2, -400, 200, -400, 4000));
  assert.equal(
    sample({ kind: 'attention', flashes: 3 }, 'amber'),
    runs(2, -400, 200, -200, 200, -200, 200, -400, 3200),
  );
  assert.equal(sample({ kind: 'attention', flashes: 3 }, 'green'), off);
  assert.equal(sample({ kind: 'attention', flashes: 0 }, 'amber'), on);
});

test('every flash code in use leaves at least a second of steady amber', () => {
  for (const flashes of Object.values(flashCodes)) {
    const last = patternOf({ kind: 'attention', flashes }).at(-1)!;
    assert.ok(last.amber === 1 && last.durationMs >= 1000, `${flashes} flashes`);
  }
});

test('not claimed: green and amber by turns, once a second', () => {
  assert.equal(sample({ kind: 'unclaimed' }, 'green'), runs(10, 500, -500));
  assert.equal(sample({ kind: 'unclaimed' }, 'amber'), runs(10, -500, 500));
});

test('updating: green blinks four times a second', () => {
  assert.equal(sample({ kind: 'updating' }, 'green'), runs(40, 125, -125));
  assert.equal(sample({ kind: 'updating' }, 'amber'), off);
});

test('data at risk: amber flashes in groups of three', () => {
  const group = [200, -200, 200, -200, 200, -1200];
  assert.equal(sample({ kind: 'data-at-risk' }, 'amber'), runs(5, ...group).slice(0, 400));
  assert.equal(sample({ kind: 'data-at-risk' }, 'green'), off);
});

test('identify: both blink ten times a second, together', () => {
  assert.equal(sample({ kind: 'identify' }, 'green'), runs(100, 50, -50));
  assert.equal(sample({ kind: 'identify' }, 'amber'), runs(100, 50, -50));
});

test('safe to unplug: both off', () => {
  assert.equal(sample({ kind: 'off' }, 'green'), off);
  assert.equal(sample({ kind: 'off' }, 'amber'), off);
});

const allStates: readonly LightState[] = [
  { kind: 'booting' },
  { kind: 'healthy' },
  { kind: 'working' },
  ...[1, 2, 3, 4, 5, 6, 7, 8].map((flashes) => ({ kind: 'attention', flashes }) as const),
  { kind: 'unclaimed' },
  { kind: 'updating' },
  { kind: 'data-at-risk' },
  { kind: 'identify' },
  { kind: 'off' },
];

test('without colour, no two states look or read alike', () => {
  const looks = allStates.map((state) => `${sample(state, 'green')} ${sample(state, 'amber')}`);
  assert.equal(new Set(looks).size, allStates.length);
  assert.equal(new Set(allStates.map(describeLights)).size, allStates.length);
});

test('a change comes exactly when it is foretold, and not before', () => {
  const pattern = patternOf({ kind: 'attention', flashes: 2 });
  let ms = 0;
  for (let changes = 0; changes < 20; changes++) {
    const waitMs = nextChangeMs(pattern, ms)!;
    assert.ok(waitMs > 0);
    assert.deepEqual(lightsAt(pattern, ms + waitMs - 1), lightsAt(pattern, ms));
    ms += waitMs;
  }
  assert.equal(ms, 3 * 5000 + 600, '20 changes are three periods of six and the first two of the fourth');
});

test('on a board with one light every state has a rhythm of its own too', () => {
  const rhythm = (state: LightState) => {
    const pattern = singlePatternOf(state);
    return Array.from({ length: 1000 }, (_, tick) =>
      lightsAt(pattern, tick * 10).green >= 0.5 ? '#' : '.',
    ).join('');
  };
  const seen = new Map<string, string>();
  for (const state of allStates) {
    const text = rhythm(state);
    const name = JSON.stringify(state);
    assert.equal(seen.get(text), undefined, `${name} looks like ${seen.get(text)}`);
    seen.set(text, name);
    for (const { amber } of singlePatternOf(state)) {
      if (state.kind !== 'identify' && state.kind !== 'unclaimed') assert.equal(amber, 0, name);
    }
  }
});

test('while the button is held the lights blink faster at each threshold', () => {
  const changes = (stage: Parameters<typeof pressPatternOf>[0]) => {
    const pattern = pressPatternOf(stage);
    return pattern.length === 1 ? 0 : 1000 / pattern[0]!.durationMs;
  };
  assert.deepEqual(
    (['pressed', 'held', 'shutdown', 'reset-access', 'factory-reset'] as const).map(changes),
    [0, 0, 4, 10, 25],
  );
});
