import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AetherError } from '../base/errors.ts';
import { gateCrashFreeMs } from '../base/face-limits.ts';
import { foldStatus } from '../status/appliance-status.ts';
import { noUpdate, type UpdateFacts } from '../status/facts.ts';
import { boxFacts, healthyFacts } from '../testing/appliance-facts.ts';
import { refusedForNow, startWatch, stepWatch } from './update-watch.ts';

const day = 24 * 60 * 60_000;

function status(update: Partial<UpdateFacts>, uptimeMs = day, version = '1.0.0') {
  return foldStatus({
    ...healthyFacts,
    box: boxFacts({ uptimeMs, version }),
    update: { ...noUpdate, version: '2.0.0', ...update },
  });
}

/** What a person reads of a box that is looked at so often, and whether the update has ended then. */
function watched(...looks: readonly (ReturnType<typeof status> | undefined)[]) {
  let watch = startWatch('aether-3f2a', status({ state: 'staged' }));
  const said: string[] = [];
  let ended = false;
  for (const now of looks) {
    assert.equal(ended, false, 'nobody looks at what has ended');
    const step = stepWatch(watch, now);
    watch = step.watch;
    ended = step.ended;
    if (step.said !== undefined) said.push(step.said);
  }
  return { said, ended };
}

test('a box that is late to answer while it writes is not said to start into the new version', () => {
  const writing = status({ state: 'installing', progressPercent: 40 });
  assert.deepEqual(watched(writing, undefined, writing).said, [
    'Installing version 2.0.0: 40%',
    'aether-3f2a does not answer at the moment',
    'Installing version 2.0.0: 40%',
  ]);
});

test('once it has said so it starts into the new version, which has ended well when it has settled', () => {
  const { said, ended } = watched(
    status({ state: 'restart-due' }),
    undefined,
    status({ state: 'trial' }, 5000, '2.0.0'),
    status({ state: 'none', version: null }, gateCrashFreeMs - 1, '2.0.0'),
    status({ state: 'none', version: null }, gateCrashFreeMs, '2.0.0'),
  );
  assert.deepEqual(said, [
    'aether-3f2a starts into version 2.0.0',
    'aether-3f2a starts into version 2.0.0',
    'The new version 2.0.0 runs and is being watched',
  ]);
  assert.equal(ended, true);
});

test('it has ended too when the update waits again, or was rolled back', () => {
  assert.equal(watched(status({ state: 'staged', reason: 'it was cut short' })).ended, true);
  assert.equal(watched(undefined, status({ state: 'rolled-back' }, 5000)).ended, true);
});

test('a box that has just started is asked again, one that has nothing to install is not', () => {
  const refused = (code: string) => refusedForNow(new AetherError(code, 'no'), 'aether-3f2a');
  assert.equal(refused('UPDATER_UNAVAILABLE'), 'The updater of aether-3f2a does not answer yet');
  assert.equal(refused('UPDATE_UNPROVEN'), 'aether-3f2a first shows that the version that runs works');
  for (const code of ['UPDATE_NOT_STAGED', 'UPDATE_BUSY', 'PEER_LOST'])
    assert.equal(refused(code), undefined);
});
