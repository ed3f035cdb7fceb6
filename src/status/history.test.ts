import assert from 'node:assert/strict';
import { test } from 'node:test';
import { healthyFacts, peerFacts, volumeFacts } from '../testing/appliance-facts.ts';
import { conditionsOf } from './conditions.ts';
import type { ApplianceFacts } from './facts.ts';
import {
  emptyHistory,
  flapMs,
  type HistoryState,
  historyEventsMax,
  noteAcknowledged,
  stepHistory,
} from './history.ts';

const away = { peers: [peerFacts('aether-7b10', { reachable: false })] };

function step(state: HistoryState, changes: Partial<ApplianceFacts>, atMs: number): HistoryState {
  return stepHistory(state, conditionsOf({ ...healthyFacts, ...changes }), atMs);
}

function brief({ events }: HistoryState): readonly string[] {
  return events.map(({ atMs, change, code, times }) => `${atMs} ${change} ${code} ${times}`);
}

test('a condition is one event when it begins and one when it ends, however often it is looked at', () => {
  let state = emptyHistory;
  for (const atMs of [0, 1000, 2000]) state = step(state, away, atMs);
  state = step(state, {}, 3000);
  state = step(state, {}, 4000);
  assert.deepEqual(brief(state), ['0 raised BOX_AWAY 1', '3000 cleared BOX_AWAY 1']);
});

test('nothing new is the same state again, so that nothing is written', () => {
  const state = step(emptyHistory, away, 0);
  assert.equal(step(state, away, 1000).events, state.events);
});

test('a condition that comes back soon counts on; later it is news again', () => {
  let state = step(emptyHistory, away, 0);
  state = step(state, {}, 1000);
  state = step(state, away, 1000 + flapMs - 1);
  assert.deepEqual(brief(state), ['0 raised BOX_AWAY 2']);
  state = step(state, {}, 100_000);
  state = step(state, away, 100_000 + flapMs);
  assert.deepEqual(brief(state), [
    '0 raised BOX_AWAY 2',
    '100000 cleared BOX_AWAY 1',
    '160000 raised BOX_AWAY 1',
  ]);
});

test('how long it was away is told by a clock that does not jump', () => {
  const conditions = conditionsOf({ ...healthyFacts, ...away });
  let state = stepHistory(emptyHistory, conditions, 0, 0);
  state = stepHistory(state, [], 1, 1);
  state = stepHistory(state, conditions, 50 * 365 * 86_400_000, 1000);
  assert.deepEqual(brief(state), ['0 raised BOX_AWAY 2']);
});

test('a change of severity is told in its direction', () => {
  const volumes = [volumeFacts('disk1', { state: 'failed' }), volumeFacts('disk2')];
  let state = step(emptyHistory, { volumes }, 0);
  state = step(state, { volumes, peers: [] }, 1);
  state = step(state, { volumes }, 2);
  assert.deepEqual(
    state.events.filter(({ code }) => code === 'DISK_FAILED').map(({ change }) => change),
    ['raised', 'worse', 'better'],
  );
});

test('that somebody has seen it is an event too', () => {
  const state = step(emptyHistory, away, 0);
  const [condition] = state.open.values();
  assert.deepEqual(brief(noteAcknowledged(state, condition!, 5)), [
    '0 raised BOX_AWAY 1',
    '5 acknowledged BOX_AWAY 1',
  ]);
});

test('the last five hundred events are kept, and what ended long ago is forgotten', () => {
  let state = emptyHistory;
  for (let round = 0; round < historyEventsMax; round++) {
    state = step(state, away, round * 2 * flapMs);
    state = step(state, {}, round * 2 * flapMs + 1);
  }
  assert.equal(state.events.length, historyEventsMax);
  assert.equal(state.events.at(-1)!.change, 'cleared');
  assert.equal(state.ended.size, 1);
});
