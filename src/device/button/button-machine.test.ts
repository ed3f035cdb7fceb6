import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  type ButtonDeed,
  type ButtonEvent,
  type ButtonState,
  buttonAtRest,
  factoryResetMs,
  nextStageMs,
  resetAccessMs,
  shutdownMs,
  stageOf,
  stepButton,
  stuckMs,
  tapMsMax,
} from './button-machine.ts';

/** Looks as often as it asks to be looked at, then lets it go. */
function hold(state: ButtonState, sinceMs: number, heldMs: number): ButtonDeed | undefined {
  let held = state;
  for (;;) {
    const at = nextStageMs(held);
    if (at === undefined || at > sinceMs + heldMs) break;
    held = stepButton(held, { type: 'look', pressed: true }, at).state;
  }
  return stepButton(held, { type: 'change', pressed: false }, sinceMs + heldMs).deed;
}

const begins = { type: 'change', pressed: true } as const;
const heldAtPowerOn = { type: 'start', pressed: true, atPowerOn: true } as const;
const heldAtLaterStart = { type: 'start', pressed: true, atPowerOn: false } as const;

function press(heldMs: number, event: ButtonEvent = begins): ButtonDeed | undefined {
  return hold(stepButton(buttonAtRest, event, 1000).state, 1000, heldMs);
}

test('what a press means is decided by how long it was, when it ends', () => {
  const cases: readonly (readonly [number, ButtonDeed | undefined])[] = [
    [0, 'tap'],
    [tapMsMax, 'tap'],
    [tapMsMax + 1, undefined],
    [shutdownMs - 1, undefined],
    [shutdownMs, 'shutdown'],
    [resetAccessMs - 1, 'shutdown'],
    [resetAccessMs, 'reset-access'],
    [stuckMs - 1, 'reset-access'],
    [stuckMs, undefined],
  ];
  for (const [heldMs, deed] of cases) assert.equal(press(heldMs), deed, `${heldMs} ms`);
});

test('held through power-on it resets the box, and nothing else', () => {
  assert.equal(press(0, heldAtPowerOn), undefined);
  assert.equal(press(shutdownMs, heldAtPowerOn), undefined);
  assert.equal(press(factoryResetMs - 1, heldAtPowerOn), undefined);
  assert.equal(press(factoryResetMs, heldAtPowerOn), 'factory-reset');
  assert.equal(press(stuckMs, heldAtPowerOn), undefined);
});

test('held while the program starts for another reason it means nothing, however long', () => {
  for (const heldMs of [0, tapMsMax, shutdownMs, factoryResetMs, factoryResetMs + 5000, stuckMs])
    assert.equal(press(heldMs, heldAtLaterStart), undefined, `${heldMs} ms`);
});

test('what means nothing does so until it is let go, also when it is told as pressed again', () => {
  const first = stepButton(buttonAtRest, heldAtLaterStart, 0).state;
  const again = stepButton(first, begins, 2000).state;
  assert.equal(hold(again, 2000, resetAccessMs), undefined);
});

test('let go and pressed anew it means what it says', () => {
  for (const event of [heldAtPowerOn, heldAtLaterStart]) {
    const held = stepButton(buttonAtRest, event, 0).state;
    const atRest = stepButton(held, { type: 'change', pressed: false }, 3000).state;
    assert.equal(hold(stepButton(atRest, begins, 4000).state, 4000, shutdownMs), 'shutdown');
  }
});

test('a box that starts with its button at rest does nothing', () => {
  for (const atPowerOn of [true, false]) {
    const { state, deed } = stepButton(buttonAtRest, { type: 'start', pressed: false, atPowerOn }, 0);
    assert.deepEqual([state, deed], [buttonAtRest, undefined]);
  }
});

test('a release that was told twice or never is no press; a press that is told again is another one', () => {
  const first = stepButton(buttonAtRest, { type: 'change', pressed: true }, 0).state;
  const again = stepButton(first, { type: 'change', pressed: true }, 12_000).state;
  assert.equal(stepButton(again, { type: 'change', pressed: false }, 12_200).deed, 'tap');
  assert.equal(stepButton(buttonAtRest, { type: 'change', pressed: false }, 5000).deed, undefined);
});

test('a program that was held up makes no shutdown of a tap', () => {
  const { state } = stepButton(buttonAtRest, { type: 'change', pressed: true }, 0);
  assert.equal(stepButton(state, { type: 'change', pressed: false }, 6000).deed, 'tap');
  assert.equal(stepButton(state, { type: 'look', pressed: false }, 6000).deed, 'tap');
});

test('the stages come in their order, each when it was said to come', () => {
  const stages = (event: ButtonEvent) => {
    let { state } = stepButton(buttonAtRest, event, 0);
    const seen = [stageOf(state)];
    for (let at = nextStageMs(state); at !== undefined; at = nextStageMs(state)) {
      state = stepButton(state, { type: 'look', pressed: true }, at).state;
      seen.push(stageOf(state));
    }
    return seen;
  };
  assert.deepEqual(stages(begins), ['pressed', 'held', 'shutdown', 'reset-access', 'stuck']);
  assert.deepEqual(stages(heldAtPowerOn), ['held', 'factory-reset', 'stuck']);
  assert.deepEqual(stages(heldAtLaterStart), [undefined, 'stuck']);
});

test('whatever is seen and when, a deed comes only at a release, and is what the lights showed just before', () => {
  const type = fc.constantFrom('change' as const, 'look' as const);
  const events = fc.array(fc.tuple(type, fc.boolean(), fc.nat(70_000)), { maxLength: 40 });
  const start = fc.record({
    type: fc.constant('start' as const),
    pressed: fc.boolean(),
    atPowerOn: fc.boolean(),
  });
  fc.assert(
    fc.property(start, events, (first, list) => {
      let { state } = stepButton(buttonAtRest, first, 0);
      let now = 0;
      for (const [type, pressed, waitMs] of list) {
        now += waitMs;
        const shown = stageOf(state);
        const step = stepButton(state, { type, pressed }, now);
        if (pressed || shown === undefined) assert.equal(step.deed, undefined);
        else {
          const expected =
            shown === 'pressed' ? 'tap' : ['held', 'stuck'].includes(shown) ? undefined : shown;
          assert.equal(step.deed, expected);
        }
        state = step.state;
      }
    }),
  );
});
