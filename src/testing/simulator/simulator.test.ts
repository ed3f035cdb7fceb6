import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type SimulationResult, simulate } from './simulation.ts';

async function run(seed: number): Promise<SimulationResult> {
  const result = await simulate({ seed, boxes: 3, minutes: 1 });
  const story = [`replay: npm run sim -- --seed ${seed} --minutes 1`, ...result.violations, ...result.recent];
  assert.deepEqual(result.violations, [], story.join('\n'));
  assert.ok(result.acknowledged > 10, `${result.acknowledged} acknowledged`);
  assert.ok(result.verified > 10, `${result.verified} verified`);
  return result;
}

test('nothing acknowledged is lost, and one seed gives one run: the same events at the same instants', async () => {
  const first = await run(3);
  const faults = ['power cut', 'power cut everywhere', 'kill', 'stop', 'cut', 'disk full', 'bit flipped'];
  const happened = faults.filter((fault) => (first.counts.get(fault) ?? 0) > 0);
  assert.ok(happened.length >= 3, `only ${happened} happened`);
  assert.equal((await run(3)).digest, first.digest);
});

test('nothing acknowledged is lost in another run', async () => {
  const { counts } = await run(9);
  assert.ok((counts.get('power cut') ?? 0) + (counts.get('kill') ?? 0) > 0);
});
