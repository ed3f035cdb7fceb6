import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  type ButtonDeed,
  buttonAtRest,
  factoryResetMs,
  nextStageMs,
  type PressStage,
  resetAccessMs,
  shutdownMs,
  stageAt,
  stepButton,
  stuckMs,
  tapMsMax,
} from './button-machine.ts';

function press(heldMs: number, fromStart = false): ButtonDeed | undefined {
  const event = fromStart
    ? ({ type: 'start', pressed: true } as const)
    : ({ type: 'change', pressed: true } as const);
  const { state } = stepButton(buttonAtRest, event, 1000);
  return stepButton(state, { type: 'change', pressed: false }, 1000 + heldMs).deed;
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
  assert.equal(press(0, true), undefined);
  assert.equal(press(shutdownMs, true), undefined);
  assert.equal(press(factoryResetMs - 1, true), undefined);
  assert.equal(press(factoryResetMs, true), 'factory-reset');
  assert.equal(press(stuckMs, true), undefined);
});

test('a box that starts with its button at rest does nothing', () => {
  const { state, deed } = stepButton(buttonAtRest, { type: 'start', pressed: false }, 0);
  assert.deepEqual([state, deed], [buttonAtRest, undefined]);
});

test('edges that are told twice or never are no presses', () => {
  const first = stepButton(buttonAtRest, { type: 'change', pressed: true }, 0).state;
  const again = stepButton(first, { type: 'change', pressed: true }, 4000).state;
  assert.equal(again, first);
  assert.equal(stepButton(again, { type: 'change', pressed: false }, 5000).deed, 'shutdown');
  assert.equal(stepButton(buttonAtRest, { type: 'change', pressed: false }, 5000).deed, undefined);
});

test('the stages come in their order, each when it was said to come', () => {
  let { state } = stepButton(buttonAtRest, { type: 'change', pressed: true }, 0);
  const stages: (PressStage | undefined)[] = [];
  for (let at: number | undefined = 0; at !== undefined; at = nextStageMs(state, at))
    stages.push(stageAt(state, at));
  assert.deepEqual(stages, ['pressed', 'held', 'shutdown', 'reset-access', 'stuck']);
  state = stepButton(buttonAtRest, { type: 'start', pressed: true }, 0).state;
  assert.deepEqual([stageAt(state, 0), stageAt(state, factoryResetMs)], ['held', 'factory-reset']);
});

test('whatever the edges, a deed comes only at a release, and what the lights showed just before', () => {
  const edges = fc.array(fc.tuple(fc.boolean(), fc.nat(70_000)), { maxLength: 40 });
  fc.assert(
    fc.property(edges, (list) => {
      let state = buttonAtRest;
      let now = 0;
      for (const [pressed, waitMs] of list) {
        now += waitMs;
        const shown = stageAt(state, now);
        const step = stepButton(state, { type: 'change', pressed }, now);
        if (pressed || shown === undefined) assert.equal(step.deed, undefined);
        else
          assert.equal(
            step.deed,
            shown === 'pressed' ? 'tap' : ['held', 'stuck'].includes(shown) ? undefined : shown,
          );
        state = step.state;
      }
    }),
  );
});
