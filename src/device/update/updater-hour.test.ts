import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AetherError } from '../../base/errors.ts';
import { updateHourPatienceMs, updatePeriodMs } from '../../base/face-limits.ts';
import { releasedMs } from '../../base/version.ts';
import { FakeClock } from '../../testing/fake-clock.ts';
import { place, sick, UpdatedBox } from '../../testing/updated-box.ts';

const hourMs = 3_600_000;

/** A box with an update that is to be installed in an hour, and when that is. */
async function withHour(box: UpdatedBox): Promise<number> {
  const atMs = box.clock.wallMs() + hourMs;
  await box.stage({ atMs });
  return atMs;
}

/** What a box says of its update. */
function said({ updater }: UpdatedBox) {
  const { state, atMs, reason } = updater.facts();
  return [state, atMs, reason];
}

test('an hour that was set is kept over a restart, and shown until it has come', async () => {
  const box = await UpdatedBox.proven();
  const atMs = await withHour(box);
  assert.deepEqual(said(box), ['staged', atMs, null]);
  await box.open();
  await box.pass(hourMs - 2 * updatePeriodMs);
  assert.deepEqual(said(box), ['staged', atMs, null]);
  await box.pass(3 * updatePeriodMs);
  assert.deepEqual(said(box), ['restart-due', null, null]);
});

test('what was refused at its hour stays, says why, and is not tried again by itself', async () => {
  const box = await new UpdatedBox().open();
  box.status = sick;
  await withHour(box);
  await box.pass(hourMs + updatePeriodMs);
  const why = 'the version that runs has not shown yet that it works';
  assert.deepEqual(said(box), ['staged', null, why]);
  box.status = { ...sick, volumes: [] };
  await box.prove();
  await box.pass(10 * updatePeriodMs);
  await box.open();
  assert.deepEqual(said(box), ['staged', null, why]);
  assert.equal(box.slots.installs, 0);
  await box.install();
  assert.equal(box.updater.facts().state, 'restart-due', 'a person may try again');
});

test('a bundle that is found damaged at its hour is told of, and replaced by the same from a stick', async () => {
  const box = await UpdatedBox.proven();
  await withHour(box);
  const bundle = box.slots.bundles.get(place)!;
  box.slots.bundles.delete(place);
  await box.pass(hourMs + updatePeriodMs);
  assert.deepEqual(said(box), ['staged', null, 'signed by nobody']);
  box.slots.bundles.set(place, bundle);
  await box.stage({ unasked: true });
  assert.deepEqual(said(box), ['staged', null, null]);
  await box.install();
  assert.equal(box.updater.facts().state, 'restart-due');
});

test('what fails at its hour says why', async () => {
  const box = await UpdatedBox.proven();
  await withHour(box);
  box.slots.failure = new AetherError('UPDATE_FAILED', 'the card is full');
  await box.pass(hourMs + 10 * updatePeriodMs);
  assert.deepEqual(said(box), ['staged', null, 'the card is full']);
  assert.equal(box.slots.installs, 1);
});

test('an hour waits while somebody else has the updater', async () => {
  const box = await UpdatedBox.proven();
  const atMs = await withHour(box);
  const state = box.slots.state.bind(box.slots);
  box.slots.state = async () => ({ ...(await state()), busy: true, startable: [] });
  await box.pass(hourMs + updatePeriodMs);
  assert.deepEqual(said(box), ['staged', atMs, null]);
  box.slots.state = state;
  await box.pass(updatePeriodMs);
  assert.equal(box.updater.facts().state, 'restart-due');
});

test('an installer that does not answer at the hour is asked again for a quarter of an hour', async () => {
  for (const comesBack of [true, false]) {
    const box = await UpdatedBox.proven();
    const atMs = await withHour(box);
    const { state } = box.slots;
    box.slots.state = () => Promise.reject(new AetherError('UPDATER_UNAVAILABLE', 'it does not answer'));
    await box.pass(hourMs + updateHourPatienceMs - 2 * updatePeriodMs);
    assert.deepEqual(said(box), ['staged', atMs, null]);
    if (comesBack) box.slots.state = state;
    await box.pass(4 * updatePeriodMs);
    assert.deepEqual(
      said(box),
      comesBack ? ['restart-due', null, null] : ['staged', null, 'it does not answer'],
    );
  }
});

test('a box whose clock is not set takes no hour, and takes the update without one', async () => {
  const box = new UpdatedBox();
  Object.assign(box, { clock: new FakeClock(releasedMs - 3 * hourMs) });
  await box.open();
  await assert.rejects(box.stage({ atMs: releasedMs + hourMs }), { code: 'UPDATE_CLOCK_UNSET' });
  assert.equal(box.updater.facts().state, 'none');
  await box.stage();
  assert.equal(box.updater.facts().state, 'staged');
});

test('an hour that no date can show is the last one that a date can', async () => {
  const box = await UpdatedBox.proven();
  await box.stage({ atMs: Number.MAX_SAFE_INTEGER });
  const { atMs } = box.updater.facts();
  assert.equal(new Date(atMs ?? Number.NaN).getUTCFullYear(), 275_760);
  await box.open();
  assert.equal(box.updater.facts().state, 'staged');
});
