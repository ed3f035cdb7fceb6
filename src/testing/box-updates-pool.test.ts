import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Bytes } from '../base/bytes.ts';
import { encodeCbor } from '../base/cbor.ts';
import { bundleRoomBytes, gateCrashFreeMs, stickLookMs, updateOfferPeriodMs } from '../base/face-limits.ts';
import { methods } from '../pool/transfer/methods.ts';
import { settle } from './fake-clock.ts';
import { bundle, facts, UpdatingBox, UpdatingPool } from './updating-pool.ts';

test('what one box runs and has found good, the others stage and read from it', async () => {
  const pool = new UpdatingPool();
  const old = await pool.add('01d', '1.0.0');
  const young = new UpdatingBox(pool, 'young', '2.0.0');
  await young.keepBundle('bundle.raucb', '2.0.0');
  pool.boxes.set('young', young);
  await young.open();
  old.slots.streamedFacts = facts('2.0.0');
  await pool.clock.run(updateOfferPeriodMs);
  assert.deepEqual([old.updates.facts().state, old.updates.facts().version], ['staged', '2.0.0']);
  assert.equal(young.updates.facts().state, 'none', 'nobody takes an older one');
  await old.updates.install();
  await settle();
  await pool.clock.run(0);
  assert.equal(old.updates.facts().state, 'restart-due');
  assert.equal(old.slots.streamedBytes, bundle.length, 'it came from the other box');
});

test('a version that believes another key than the one that signed it is passed on all the same', async () => {
  const pool = new UpdatingPool();
  const box = new UpdatingBox(pool, 'feed', '2.0.0');
  await box.keepBundle('bundle.raucb', '2.0.0');
  box.slots.bundles.clear();
  await box.open();
  await pool.clock.run(gateCrashFreeMs + stickLookMs);
  assert.equal(await box.offer(), '2.0.0');
});

test('a version that nobody has tried is not passed on', async () => {
  const pool = new UpdatingPool();
  const box = await pool.add('one', '1.0.0');
  box.slots.bundles.set('/updates/incoming.raucb', facts('2.0.0'));
  await box.send();
  assert.equal(await box.offer(), undefined);
});

test('a full card takes one update after the other: what is kept for other boxes goes, and is offered no longer', async () => {
  const pool = new UpdatingPool();
  const box = await pool.addGiver('feed', '2.0.0');
  assert.equal(await box.offer(), '2.0.0');
  box.disk.resize(bundleRoomBytes + bundle.length + 1000);
  box.slots.bundles.set('/updates/incoming.raucb', facts('3.0.0'));
  await box.put(0, 2000);
  assert.equal(await box.offer(), undefined);
  await box.put(2000, 3000);
  assert.equal(await box.stage(), '3.0.0');
  assert.deepEqual(await box.disk.list(''), [
    'bundle.raucb',
    'bundle.version',
    'proven.json',
    'sticks',
    'update.json',
  ]);
  await assert.rejects(box.put(0, 2000), { code: 'UPDATE_NO_ROOM' });
  assert.equal(box.updates.facts().version, '3.0.0', 'one that is to be installed stays');
});

test('what was looked into to be offered, and was replaced meanwhile, is not offered', async () => {
  const pool = new UpdatingPool();
  const box = new UpdatingBox(pool, 'feed', '2.0.0');
  await box.keepBundle('bundle.raucb', '2.0.0');
  box.slots.bundles.set('/updates/incoming.raucb', facts('3.0.0'));
  const looked = Promise.withResolvers<void>();
  const open = box.disk.open.bind(box.disk);
  box.disk.open = async (path, mode) => {
    const file = await open(path, mode);
    if (path === 'bundle.version' && mode === 'read') await looked.promise;
    return file;
  };
  await box.open();
  assert.equal(await box.send(), '3.0.0');
  looked.resolve();
  await pool.clock.run(gateCrashFreeMs + stickLookMs);
  assert.equal(await box.offer(), undefined);
});

test('a version whose box is gone is taken from another box that has it', async () => {
  const pool = new UpdatingPool();
  const old = await pool.add('01d', '1.0.0');
  old.slots.streamedFacts = facts('2.0.0');
  await pool.addGiver('f1', '2.0.0');
  await pool.clock.run(updateOfferPeriodMs);
  assert.equal(old.updates.facts().state, 'staged');
  pool.boxes.delete('f1');
  await pool.addGiver('f2', '2.0.0');
  await pool.clock.run(updateOfferPeriodMs);
  await old.updates.install();
  await settle();
  await pool.clock.run(0);
  assert.equal(old.updates.facts().state, 'restart-due');
});

test('a box that has what was staged no longer, or something else, is told of, and nothing is installed', async () => {
  const pool = new UpdatingPool();
  const old = await pool.add('01d', '1.0.0');
  old.slots.streamedFacts = facts('2.0.0');
  const giver = await pool.addGiver('feed', '2.0.0');
  await pool.clock.run(updateOfferPeriodMs);
  old.slots.streamedFacts = facts('0.5.0');
  await assert.rejects(old.updates.install(), { code: 'UPDATE_CHANGED' });
  assert.deepEqual([old.updates.facts().state, old.slots.installs], ['none', 0]);
  old.slots.streamedFacts = facts('2.0.0');
  await pool.clock.run(updateOfferPeriodMs);
  assert.equal(old.updates.facts().state, 'staged');
  giver.handle(methods.updateOffer, async () => encodeCbor({}));
  await assert.rejects(old.updates.install(), { code: 'UPDATE_GONE' });
  assert.equal(old.updates.facts().state, 'none');
});

test('after a rollback other boxes are asked for something newer, and not for the same again', async () => {
  const pool = new UpdatingPool();
  const old = await pool.add('01d', '1.0.0');
  old.slots.streamedFacts = facts('2.0.0');
  await pool.addGiver('feed', '2.0.0');
  await pool.clock.run(updateOfferPeriodMs);
  await old.updates.install();
  await settle();
  await pool.clock.run(0);
  for (let start = 0; start < 4; start++) old.slots.start();
  await old.open();
  assert.equal(old.updates.facts().state, 'rolled-back');
  await pool.clock.run(2 * updateOfferPeriodMs);
  assert.equal(old.updates.facts().state, 'rolled-back');
  old.slots.streamedFacts = facts('2.1.0');
  await pool.addGiver('cafe', '2.1.0');
  await pool.clock.run(updateOfferPeriodMs);
  assert.deepEqual([old.updates.facts().state, old.updates.facts().version], ['staged', '2.1.0']);
});

test('what somebody sends while other boxes are asked is not lost to their answers, nor replaced by what they have', async () => {
  for (const offer of [{}, { version: '4.0.0', totalBytes: bundle.length }]) {
    const pool = new UpdatingPool();
    const old = await pool.add('01d', '1.0.0');
    old.slots.streamedFacts = facts('2.0.0');
    const giver = await pool.addGiver('feed', '2.0.0');
    await pool.clock.run(updateOfferPeriodMs);
    assert.equal(old.updates.facts().version, '2.0.0');
    const answered = Promise.withResolvers<Bytes>();
    giver.handle(methods.updateOffer, () => answered.promise);
    await pool.clock.run(updateOfferPeriodMs);
    old.slots.bundles.set('/updates/incoming.raucb', facts('3.0.0'));
    await old.send();
    old.slots.streamedFacts = facts('4.0.0');
    answered.resolve(encodeCbor(offer));
    await settle();
    assert.deepEqual([old.updates.facts().state, old.updates.facts().version], ['staged', '3.0.0']);
  }
});
