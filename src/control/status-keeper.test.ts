import assert from 'node:assert/strict';
import { test } from 'node:test';
import { historyWritePeriodMs } from '../base/face-limits.ts';
import { silentLog } from '../base/log.ts';
import { foldStatus } from '../status/appliance-status.ts';
import { flapMs } from '../status/history.ts';
import { boxFacts, healthyFacts, peerFacts } from '../testing/appliance-facts.ts';
import { FakeClock } from '../testing/fake-clock.ts';
import { MemoryDisk } from '../testing/memory-disk.ts';
import { SeededEntropy } from '../testing/seeded-entropy.ts';
import { StatusKeeper } from './status-keeper.ts';

const key = 'BOX_AWAY:aether-7b10';

function world() {
  return { disk: new MemoryDisk({ entropy: new SeededEntropy(1) }), clock: new FakeClock(), log: silentLog };
}

function troubled(keeper: StatusKeeper) {
  const peers = [peerFacts('aether-7b10', { reachable: false })];
  return foldStatus({ ...healthyFacts, peers, acknowledged: keeper.acknowledged });
}

test('what was the case, and what a person has seen, is known after a restart', async () => {
  const ports = world();
  const keeper = await StatusKeeper.open(ports);
  keeper.observe(troubled(keeper));
  keeper.acknowledge(key, troubled(keeper));
  assert.equal(troubled(keeper).conditions[0]!.acknowledged, true);
  await keeper.close();
  ports.disk.crash();
  const again = await StatusKeeper.open(ports);
  assert.deepEqual(again.acknowledged, [key]);
  assert.deepEqual(
    again.events.map(({ change }) => change),
    ['raised', 'acknowledged'],
  );
});

test('it is acknowledged for as long as the condition holds, and not when it comes back later', async () => {
  const ports = world();
  const keeper = await StatusKeeper.open(ports);
  keeper.observe(troubled(keeper));
  keeper.acknowledge(key, troubled(keeper));
  keeper.observe(foldStatus(healthyFacts));
  keeper.observe(troubled(keeper));
  assert.deepEqual(keeper.acknowledged, [key], 'a flap is the same trouble');
  keeper.observe(foldStatus(healthyFacts));
  await ports.clock.run(flapMs);
  keeper.observe(troubled(keeper));
  assert.deepEqual(keeper.acknowledged, []);
});

test('what shows itself only a while after a restart is acknowledged still, and what does not is forgotten', async () => {
  const ports = world();
  const keeper = await StatusKeeper.open(ports);
  keeper.observe(troubled(keeper));
  keeper.acknowledge(key, troubled(keeper));
  await keeper.close();
  const late = await StatusKeeper.open(ports);
  late.observe(foldStatus({ ...healthyFacts, box: boxFacts({ phase: 'starting' }) }));
  await ports.clock.run(10 * flapMs);
  late.observe(foldStatus(healthyFacts));
  await ports.clock.run(flapMs - 1);
  late.observe(foldStatus(healthyFacts));
  late.observe(troubled(late));
  assert.equal(troubled(late).light.kind, 'healthy');
  assert.deepEqual(
    late.events.map(({ change, times }) => `${change} ${times}`),
    ['raised 2', 'acknowledged 1'],
  );
  await late.close();
  const mended = await StatusKeeper.open(ports);
  mended.observe(foldStatus(healthyFacts));
  await ports.clock.run(flapMs);
  mended.observe(foldStatus(healthyFacts));
  assert.deepEqual(mended.acknowledged, []);
  await mended.close();
});

test('a clock that jumps from 1970 to today forgets nothing that was acknowledged', async () => {
  const ports = world();
  const keeper = await StatusKeeper.open(ports);
  keeper.observe(troubled(keeper));
  keeper.acknowledge(key, troubled(keeper));
  await keeper.close();
  let wallMs = 0;
  const { clock } = ports;
  const jumping = {
    wallMs: () => wallMs,
    monotonicMs: () => clock.monotonicMs(),
    after: clock.after.bind(clock),
  };
  const again = await StatusKeeper.open({ ...ports, clock: jumping });
  again.observe(foldStatus(healthyFacts));
  wallMs = Date.UTC(2026, 0, 1);
  await clock.run(15_000);
  again.observe(troubled(again));
  assert.deepEqual(again.acknowledged, [key]);
  await again.close();
});

test('what is not the case cannot be acknowledged', async () => {
  const keeper = await StatusKeeper.open(world());
  assert.throws(() => keeper.acknowledge(key, foldStatus(healthyFacts)), { code: 'CONDITION_UNKNOWN' });
});

test('a box that starts or stops is no history, and many changes are one write', async () => {
  const ports = world();
  const keeper = await StatusKeeper.open(ports);
  keeper.observe(foldStatus({ ...healthyFacts, peers: [], box: boxFacts({ phase: 'starting' }) }));
  assert.deepEqual(keeper.events, []);
  for (let round = 0; round < 10; round++) {
    keeper.observe(troubled(keeper));
    keeper.observe(foldStatus(healthyFacts));
  }
  assert.deepEqual(ports.disk.paths(), []);
  await ports.clock.run(historyWritePeriodMs);
  assert.deepEqual(ports.disk.paths(), ['history.cbor']);
  await keeper.close();
});

test('a damaged file is a history that begins now', async () => {
  const ports = world();
  const keeper = await StatusKeeper.open(ports);
  keeper.observe(troubled(keeper));
  await ports.clock.run(historyWritePeriodMs);
  await keeper.close();
  ports.disk.corrupt('history.cbor', 0);
  assert.deepEqual((await StatusKeeper.open(ports)).events, []);
});
