import assert from 'node:assert/strict';
import { test } from 'node:test';
import { temporaryFolder } from '../temporary-folder.ts';
import { type PlayedScenario, playAll, scenarios, whyNoZeroconf } from './story.ts';

const reason = whyNoZeroconf();

test('zero-conf among real programs on networks of real hosts', { skip: reason ?? false }, async (t) => {
  const played: PlayedScenario[] = [];
  await playAll(temporaryFolder('zeroconf'), (one) => played.push(one));
  assert.equal(played.length, scenarios.length);
  for (const { scenario, outcome } of played) {
    await t.test(scenario.name, (inner) => {
      if ('error' in outcome) throw outcome.error;
      inner.diagnostic(outcome.remark);
    });
  }
});
