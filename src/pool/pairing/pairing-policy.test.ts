import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { pairingLockMs, pairingTriesMax, strangerLifetimeMs } from '../../base/limits.ts';
import {
  nextDeadlineMs,
  type PairingAction,
  type PairingEvent,
  type PairingState,
  pairingAtStart,
  stepPairing,
  triesLeftOf,
} from './pairing-policy.ts';

/** Runs events one after another; the last one's actions. */
function run(state: PairingState, ...events: readonly (readonly [now: number, event: PairingEvent])[]) {
  let actions: readonly PairingAction[] = [];
  let current = state;
  for (const [now, event] of events) ({ state: current, actions } = stepPairing(current, event, now));
  return { state: current, actions };
}

const start = (exchange: string, peer = 'p'): PairingEvent => ({ type: 'start', exchange, peer });
const finish = (exchange: string, proven: boolean, peer = 'p'): PairingEvent => ({
  type: 'finish',
  exchange,
  peer,
  proven,
});
const claim = run(pairingAtStart, [0, { type: 'code made', purpose: 'claim' }]).state;
const login = run(pairingAtStart, [0, { type: 'code made', purpose: 'login', lifetimeMs: 1000 }]).state;
const refusalOf = (actions: readonly PairingAction[]) => actions.find(({ type }) => type === 'refuse');
const types = (actions: readonly PairingAction[]) => actions.map(({ type }) => type);

function wrongTries(state: PairingState, count: number) {
  const tries = Array.from({ length: count }, (_, index) => [start(`x${index}`), finish(`x${index}`, false)]);
  return run(state, ...tries.flat().map((event) => [0, event] as const));
}

test('without a code nobody can start', () => {
  const { actions } = run(pairingAtStart, [0, start('a')]);
  assert.deepEqual(actions, [{ type: 'refuse', refusal: { code: 'PAIRING_NO_CODE' } }]);
});

test('a wrong code tells how many tries are left', () => {
  const { actions } = wrongTries(claim, 2);
  assert.deepEqual(refusalOf(actions), {
    type: 'refuse',
    refusal: { code: 'PAIRING_CODE_WRONG', triesLeft: 3 },
  });
});

test('the fifth wrong code locks pairing for 15 minutes, and a new claim code is made', () => {
  const { state, actions } = wrongTries(claim, pairingTriesMax);
  assert.deepEqual(types(actions), ['renew', 'refuse']);
  const locked = { type: 'refuse', refusal: { code: 'PAIRING_LOCKED', lockedForMs: pairingLockMs } };
  assert.deepEqual(refusalOf(actions), locked);
  const renewed = run(state, [0, { type: 'code made', purpose: 'claim' }]).state;
  const late = run(renewed, [pairingLockMs - 1, start('a')]);
  assert.deepEqual(refusalOf(late.actions), {
    type: 'refuse',
    refusal: { code: 'PAIRING_LOCKED', lockedForMs: 1 },
  });
  assert.deepEqual(types(run(renewed, [pairingLockMs, start('a')]).actions), ['keep', 'accept']);
});

test('the fifth wrong login code makes no other: it has to be asked for', () => {
  const { state, actions } = wrongTries(login, pairingTriesMax);
  assert.deepEqual(types(actions), ['void', 'refuse']);
  assert.equal(state.purpose, undefined);
});

test('an exchange spends its try when it starts, since its answer already lets a guess be tested', () => {
  const { state } = run(claim, [0, start('a')], [0, start('b')]);
  assert.equal(triesLeftOf(state), 3);
});

test('no more exchanges are open at once than there are tries', () => {
  const open = ['a', 'b', 'c', 'd', 'e'].map((exchange) => [0, start(exchange)] as const);
  const { state } = run(claim, ...open);
  const { actions } = run(state, [1, start('f')]);
  assert.deepEqual(actions, [{ type: 'refuse', refusal: { code: 'PAIRING_BUSY' } }]);
});

test('an exchange that is left counts as a wrong code after its time', () => {
  const { state, actions } = run(claim, [0, start('a')], [strangerLifetimeMs, { type: 'tick' }]);
  assert.deepEqual(actions, [{ type: 'forget', exchanges: ['a'] }, { type: 'keep' }]);
  assert.equal(state.failed, 1);
  const late = run(claim, [0, start('a')], [strangerLifetimeMs, finish('a', true)]);
  assert.deepEqual(refusalOf(late.actions), {
    type: 'refuse',
    refusal: { code: 'PAIRING_EXCHANGE_UNKNOWN' },
  });
});

test('five exchanges that are left lock pairing', () => {
  const open = ['a', 'b', 'c', 'd', 'e'].map((exchange) => [0, start(exchange)] as const);
  const { state, actions } = run(claim, ...open, [strangerLifetimeMs, { type: 'tick' }]);
  assert.deepEqual(types(actions), ['forget', 'renew']);
  assert.equal(state.lockedUntilMs, strangerLifetimeMs + pairingLockMs);
});

test('a proven code gives the tries back; a claim code lives on', () => {
  const { state, actions } = run(wrongTries(claim, 4).state, [0, start('a')], [0, finish('a', true)]);
  assert.ok(types(actions).includes('accept'));
  assert.deepEqual([state.failed, state.purpose], [0, 'claim']);
});

test('a login code is used once, and exchanges beside it are forgotten', () => {
  const { state, actions } = run(login, [0, start('a')], [0, start('b')], [0, finish('a', true)]);
  assert.deepEqual(actions, [{ type: 'void' }, { type: 'forget', exchanges: ['b'] }, { type: 'accept' }]);
  assert.deepEqual(refusalOf(run(state, [0, finish('b', true)]).actions), {
    type: 'refuse',
    refusal: { code: 'PAIRING_NO_CODE' },
  });
});

test('a login code ends by itself', () => {
  assert.equal(nextDeadlineMs(login), 1000);
  assert.ok(types(run(login, [999, start('a')]).actions).includes('accept'));
  const { state, actions } = run(login, [1000, start('a')]);
  assert.deepEqual(types(actions), ['void', 'refuse']);
  assert.equal(state.purpose, undefined);
});

test('an exchange finishes once, and for the peer that started it', () => {
  const { state } = run(claim, [0, start('a', 'anna')]);
  const stolen = run(state, [0, finish('a', true, 'mallory')]);
  assert.deepEqual(refusalOf(stolen.actions), {
    type: 'refuse',
    refusal: { code: 'PAIRING_EXCHANGE_UNKNOWN' },
  });
  const done = run(stolen.state, [0, finish('a', true, 'anna')]);
  assert.ok(types(done.actions).includes('accept'));
  const replayed = run(done.state, [0, finish('a', true, 'anna')]);
  assert.deepEqual(refusalOf(replayed.actions), {
    type: 'refuse',
    refusal: { code: 'PAIRING_EXCHANGE_UNKNOWN' },
  });
});

test('tries that were spent before a restart stay spent', () => {
  const { state } = run(pairingAtStart, [0, { type: 'code made', purpose: 'claim', failed: 4 }]);
  assert.deepEqual(types(wrongTries(state, 1).actions), ['renew', 'refuse']);
});

test('whatever happens, no code is guessed at more than five times before pairing locks', () => {
  const events = fc.array(
    fc.record({
      kind: fc.constantFrom('start', 'start', 'finish', 'tick'),
      exchange: fc.nat(9),
      waitMs: fc.constantFrom(0, 0, 1, strangerLifetimeMs, pairingLockMs),
    }),
    { maxLength: 60 },
  );
  fc.assert(
    fc.property(events, (steps) => {
      let [state, now, guesses] = [claim, 0, 0];
      for (const { kind, exchange, waitMs } of steps) {
        now += waitMs;
        const name = `${exchange}`;
        const event: PairingEvent =
          kind === 'start' ? start(name) : kind === 'finish' ? finish(name, false) : { type: 'tick' };
        const result = stepPairing(state, event, now);
        state = result.state;
        if (types(result.actions).includes('renew')) {
          guesses = 0;
          state = stepPairing(state, { type: 'code made', purpose: 'claim' }, now).state;
        }
        // An accepted start is a guess at the code in force.
        if (types(result.actions).includes('accept')) guesses++;
        assert.ok(guesses <= pairingTriesMax);
        assert.ok(state.open.length <= pairingTriesMax);
      }
    }),
  );
});
