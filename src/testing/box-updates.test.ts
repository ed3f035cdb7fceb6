import assert from 'node:assert/strict';
import { test } from 'node:test';
import { utf8 } from '../base/bytes.ts';
import { AetherError } from '../base/errors.ts';
import { stickLookMs, updaterRetryMs, updaterTriesQuiet } from '../base/face-limits.ts';
import { silentLog } from '../base/log.ts';
import { releasedMs } from '../base/version.ts';
import { StartingUpdates } from '../box-updates-start.ts';
import { noUpdate } from '../status/facts.ts';
import { FakeClock, settle } from './fake-clock.ts';
import { bundle, facts, UpdatingPool } from './updating-pool.ts';

test('a desktop sends a bundle, which is staged when it is good, and gone when it is not', async () => {
  const box = await new UpdatingPool().add('one', '1.0.0');
  await assert.rejects(box.send(), { code: 'UPDATE_UNTRUSTED' });
  assert.equal(box.updates.facts().state, 'none');
  assert.deepEqual(await box.disk.list(''), ['sticks']);
  box.slots.bundles.set('/updates/incoming.raucb', facts('2.0.0'));
  assert.equal(await box.send(), '2.0.0');
  assert.equal(box.updates.facts().state, 'staged');
  assert.deepEqual(await box.disk.list(''), ['bundle.raucb', 'bundle.version', 'sticks', 'update.json']);
});

test('a memory stick brings one', async () => {
  const pool = new UpdatingPool();
  const box = await pool.add('one', '1.0.0');
  await box.keepBundle('sticks/sdc1.raucb', '2.0.0');
  await pool.clock.run(stickLookMs);
  assert.deepEqual([box.updates.facts().state, box.updates.facts().version], ['staged', '2.0.0']);
  assert.deepEqual(await box.disk.list('sticks'), []);
});

test('of two who send at once one hears of it, and what the other one has sent is staged', async () => {
  const box = await new UpdatingPool().add('one', '1.0.0');
  box.slots.bundles.set('/updates/incoming.raucb', facts('2.0.0'));
  await box.put(0, bundle.length);
  await box.put(0, 2000);
  await assert.rejects(box.stage(), { code: 'UPDATE_INCOMPLETE' }, 'the first one comes too late');
  await box.put(2000, 3000);
  assert.equal(await box.stage(), '2.0.0');
  box.slots.bundles.set('/updates/incoming.raucb', facts('3.0.0'));
  await box.put(0, bundle.length);
  const late = assert.rejects(box.put(0, 2000), { code: 'UPDATE_BUSY' });
  assert.equal(await box.stage(), '3.0.0');
  await late;
  assert.deepEqual(box.disk.contents('bundle.raucb'), bundle);
});

test('what a stick brought waits for an updater that does not answer', async () => {
  const pool = new UpdatingPool();
  const box = await pool.add('one', '1.0.0');
  await box.keepBundle('sticks/sdc1.raucb', '2.0.0');
  const inspect = box.slots.inspect.bind(box.slots);
  box.slots.inspect = () => Promise.reject(new AetherError('UPDATER_UNAVAILABLE', 'busy'));
  await pool.clock.run(stickLookMs);
  assert.equal(box.updates.facts().state, 'none');
  assert.deepEqual(await box.disk.list('sticks'), ['sdc1.raucb']);
  await assert.rejects(box.send(), { code: 'UPDATER_UNAVAILABLE' });
  assert.deepEqual(await box.disk.list(''), ['sticks'], 'whoever sends one is told, and sends it again');
  box.slots.inspect = inspect;
  await pool.clock.run(stickLookMs);
  assert.equal(box.updates.facts().state, 'staged');
});

test('a stick that is left in offers its version once', async () => {
  const pool = new UpdatingPool();
  const box = await pool.add('one', '2.0.0');
  await box.keepBundle('sticks/sdc1.raucb', '2.0.0');
  await pool.clock.run(stickLookMs);
  assert.equal(box.updates.facts().state, 'none', 'it runs already');
  assert.deepEqual(await box.disk.list('sticks'), []);
  const atMs = pool.clock.wallMs() + 3_600_000;
  box.slots.bundles.set('/updates/incoming.raucb', facts('3.0.0'));
  await box.send(2000, atMs);
  await box.keepBundle('sticks/sdc1.raucb', '3.0.0');
  await pool.clock.run(stickLookMs);
  box.slots.bundles.set('/updates/bundle.raucb', facts('3.0.0'));
  await pool.clock.run(3_700_000);
  assert.equal(box.updates.facts().state, 'restart-due', 'the hour that a person has set was kept');
});

test('what was wrong with a stick is told until something is taken', async () => {
  const pool = new UpdatingPool();
  const box = await pool.add('one', '2.0.0');
  let changes = 0;
  box.updates.onChange(() => changes++);
  await box.keepBundle('sticks/sdc1.raucb', '1.0.0');
  await pool.clock.run(stickLookMs);
  assert.deepEqual([box.updates.facts().stickProblem, changes], [null, 0], 'one that was left in grows old');
  await box.keepBundle('sticks/sdc1.raucb', '3.0.0');
  box.slots.bundles.delete('/updates/sticks/sdc1.raucb');
  await pool.clock.run(stickLookMs);
  assert.match(box.updates.facts().stickProblem ?? '', /signed/);
  assert.equal(box.updates.facts().state, 'none');
  const said = await box.disk.open('sticks/sdc1.problem', 'create');
  await said.write([utf8('it cannot be read\n')], 0);
  await said.close();
  await pool.clock.run(stickLookMs);
  assert.equal(box.updates.facts().stickProblem, 'it cannot be read');
  assert.equal(changes, 2);
  box.slots.bundles.set('/updates/incoming.raucb', facts('3.0.0'));
  await box.send();
  assert.deepEqual([box.updates.facts().stickProblem, box.updates.facts().state], [null, 'staged']);
});

test('a box whose updater does not answer for long says why, until it does', async () => {
  const clock = new FakeClock(releasedMs);
  const asked = Promise.withResolvers<void>();
  const box = await new UpdatingPool().add('one', '1.0.0');
  let away = true;
  const updates = new StartingUpdates(async () => {
    if (away) throw new AetherError('UPDATER_UNAVAILABLE', 'the updater does not answer');
    return box.updates;
  });
  let changes = 0;
  updates.onChange(() => changes++);
  updates.start(asked.promise, { clock, log: silentLog });
  await clock.run((updaterTriesQuiet - 1) * updaterRetryMs);
  assert.deepEqual([updates.facts().reason, changes], [null, 0]);
  await clock.run(updaterRetryMs);
  assert.deepEqual([updates.facts().reason, changes], ['the updater does not answer', 1]);
  away = false;
  await clock.run(updaterRetryMs);
  assert.deepEqual(updates.facts(), noUpdate);
  asked.resolve();
  await updates.close();
});

test('what is being looked into is not replaced by what somebody sends meanwhile', async () => {
  const box = await new UpdatingPool().add('one', '1.0.0');
  const looked = Promise.withResolvers<void>();
  box.slots.bundles.set('/updates/incoming.raucb', facts('2.0.0'));
  const inspect = box.slots.inspect.bind(box.slots);
  box.slots.inspect = async (source) => {
    await looked.promise;
    return inspect(source);
  };
  const sent = box.send();
  await settle();
  await assert.rejects(box.send(), { code: 'UPDATE_BUSY' });
  looked.resolve();
  assert.equal(await sent, '2.0.0');
  assert.deepEqual(await box.disk.list(''), ['bundle.raucb', 'bundle.version', 'sticks', 'update.json']);
});
