import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Bytes, toHex } from '../../base/bytes.ts';
import { encodeCbor } from '../../base/cbor.ts';
import { AetherError } from '../../base/errors.ts';
import { loginCodeLifetimeMs } from '../../base/limits.ts';
import {
  anna,
  ben,
  boxA,
  boxB,
  claimedBox,
  entropy,
  newPool,
  pair,
  TestBox,
} from '../../testing/pairing-fixture.ts';
import { loadPoolSecrets } from '../authority.ts';
import { admit } from '../membership/record.ts';
import { joinBox, loginMessage, startPool } from './desktop-enrolment.ts';
import { decodeEnrolmentAnswer, encodeEnrolmentRequest } from './enrolment-message.ts';

test('the right code claims the box: it holds the pool, durably, and admits the desktop', async () => {
  const { box, pool, answer } = await claimedBox();
  assert.deepEqual(answer.secrets, pool.secrets);
  assert.equal(answer.records.length, 2);
  await box.restart();
  const { secrets, roster } = box.enrolment.enrolled!;
  assert.deepEqual(secrets, pool.secrets);
  assert.equal(roster.get(anna.memberId)?.role, 'desktop');
  assert.equal(roster.get(boxA.memberId)?.role, 'box');
});

test('whoever was told of the claim is told once it is durable', async () => {
  const box = await TestBox.start(boxA);
  let told = 0;
  box.enrolment.onClaimed(({ roster }) => {
    told = roster.members().length;
    assert.ok(box.disk.paths().includes('pool.cbor'));
  });
  await pair(box, anna, box.code, newPool(box.clock).message);
  assert.equal(told, 2);
});

test('of two desktops that claim at the same time one is too late', async () => {
  const box = await TestBox.start(boxA);
  const pools = [newPool(box.clock), newPool(box.clock)];
  const code = box.code;
  const outcomes = await Promise.allSettled(pools.map(({ message }) => pair(box, anna, code, message)));
  const failed = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason.code] : []));
  assert.deepEqual(failed, ['ALREADY_CLAIMED']);
  const winner = outcomes.findIndex(({ status }) => status === 'fulfilled');
  assert.deepEqual(box.enrolment.enrolled?.secrets.pool, pools[winner]!.secrets.pool);
});

test('a claim that the disk cannot keep leaves the box unclaimed, with its code', async () => {
  const box = await TestBox.start(boxA);
  const code = box.code;
  const pool = newPool(box.clock);
  box.disk.intercept((operation, path) => {
    if (operation === 'create' && path.startsWith('pool.cbor'))
      throw new AetherError('DISK_FULL', 'no space');
  });
  await assert.rejects(pair(box, anna, code, pool.message), { code: 'DISK_FULL' });
  assert.equal(await loadPoolSecrets(box.disk), undefined);
  box.disk.intercept(() => {});
  await pair(box, anna, code, newPool(box.clock).message);
  assert.notDeepEqual(box.enrolment.enrolled?.secrets.pool, pool.secrets.pool);
  assert.equal(box.enrolment.enrolled?.roster.members().length, 2);
});

test('the power cut at any step of a claim leaves an unclaimed box, or a claimed one', async () => {
  const outcomes = new Set<boolean>();
  for (let steps = 0; steps < 20; steps++) {
    const box = await TestBox.start(boxA);
    const pool = newPool(box.clock);
    let left = steps;
    box.disk.intercept(() => {
      if (left-- === 0) box.disk.powerOff();
    });
    const answered = await pair(box, anna, box.code, pool.message).then(
      () => true,
      () => false,
    );
    await box.restart();
    const { enrolled } = box.enrolment;
    assert.ok(enrolled !== undefined || !answered, `acknowledged after ${steps} steps`);
    if (enrolled !== undefined) assert.equal(enrolled.roster.members().length, 2);
    else assert.ok(box.code);
    outcomes.add(enrolled !== undefined);
  }
  assert.equal(outcomes.size, 2);
});

test('the next box joins with its own code, admitted by the desktop', async () => {
  const { box, answer } = await claimedBox();
  const second = await TestBox.start(boxB);
  const { record, message } = joinBox(
    { identity: anna, ...answer, box: { publicKey: boxB.publicKey, name: 'second' } },
    { clock: box.clock },
  );
  const joined = decodeEnrolmentAnswer(await pair(second, anna, second.code, message));
  assert.deepEqual(joined.secrets, answer.secrets);
  await box.enrolment.enrolled!.roster.add([record]);
  assert.deepEqual(box.enrolment.enrolled!.roster.records(), joined.records);
  assert.equal(second.enrolment.enrolled?.roster.boxes().length, 2);
});

test('another desktop logs in with a code from the console', async () => {
  const { box, pool } = await claimedBox();
  const code = box.host.requestLoginCode();
  assert.deepEqual(box.host.view(), {
    code,
    purpose: 'login',
    triesLeft: 5,
    expiresInMs: loginCodeLifetimeMs,
  });
  const message = loginMessage({ publicKey: ben.publicKey, name: 'Ben' });
  const { secrets, records } = decodeEnrolmentAnswer(await pair(box, ben, code, message));
  assert.deepEqual(secrets, pool.secrets);
  assert.equal(records.length, 3);
  await box.restart();
  const member = box.enrolment.enrolled?.roster.get(ben.memberId);
  assert.deepEqual(
    [member?.role, member?.name, toHex(member!.issuer)],
    ['desktop', 'Ben', toHex(boxA.memberId)],
  );
});

test('logging in again changes nothing, except under another name', async () => {
  const { box } = await claimedBox();
  for (const [name, records] of [
    ['Ben', 3],
    ['Ben', 3],
    ['Benjamin', 3],
  ] as const) {
    await box.clock.run(1000);
    const message = loginMessage({ publicKey: ben.publicKey, name });
    const answer = await pair(box, ben, box.host.requestLoginCode(), message);
    assert.equal(decodeEnrolmentAnswer(answer).records.length, records);
    assert.equal(box.enrolment.enrolled?.roster.get(ben.memberId)?.name, name);
  }
});

test('another name counts also when the clock of the box has gone back', async () => {
  const { box } = await claimedBox();
  for (const name of ['Ben', 'Benjamin']) {
    const message = loginMessage({ publicKey: ben.publicKey, name });
    await pair(box, ben, box.host.requestLoginCode(), message);
    assert.equal(box.enrolment.enrolled?.roster.get(ben.memberId)?.name, name);
    box.clock.wallMs = () => 0;
  }
});

test('an unclaimed box has no login code, and lets nobody log in', async () => {
  const box = await TestBox.start(boxA);
  assert.throws(() => box.host.requestLoginCode(), { code: 'NOT_CLAIMED' });
  const message = loginMessage({ publicKey: ben.publicKey, name: 'Ben' });
  await assert.rejects(pair(box, ben, box.code, message), { code: 'NOT_CLAIMED' });
});

test('a claimed box cannot be claimed again with a login code', async () => {
  const { box, pool } = await claimedBox();
  const code = box.host.requestLoginCode();
  await assert.rejects(pair(box, anna, code, newPool(box.clock).message), { code: 'ALREADY_CLAIMED' });
  assert.deepEqual(box.enrolment.enrolled?.secrets.pool, pool.secrets.pool);
});

test('a claim must hold together: admit this very box, by records of this pool alone', async () => {
  const box = await TestBox.start(boxA);
  const { secrets, records } = newPool(box.clock);
  const foreign = newPool(box.clock);
  const forged = admit(ben, {
    pool: secrets.pool,
    publicKey: boxA.publicKey,
    role: 'box',
    name: 'b',
    atMs: 1,
  });
  const asDesktop = { publicKey: boxA.publicKey, name: 'box' };
  const clock = box.clock;
  const roleWrong = startPool(
    { desktop: asDesktop, box: { publicKey: anna.publicKey, name: 'x' } },
    { clock, entropy },
  );
  const claims: Bytes[] = [
    newPool(box.clock, boxB).message,
    roleWrong.message,
    encodeEnrolmentRequest({ want: 'claim', secrets, records: [] }),
    encodeEnrolmentRequest({ want: 'claim', secrets, records: [forged] }),
    encodeEnrolmentRequest({ want: 'claim', secrets, records: [...records, ...foreign.records] }),
    encodeEnrolmentRequest({ want: 'claim', secrets: { ...secrets, pool: foreign.secrets.pool }, records }),
    encodeEnrolmentRequest({
      want: 'claim',
      secrets: { ...secrets, epochSecret: new Uint8Array(5) },
      records,
    }),
    encodeCbor({ v: 1, want: 'everything' }),
    encodeCbor({ v: 2, want: 'claim' }),
    new Uint8Array(3),
  ];
  for (const message of claims) {
    await assert.rejects(pair(box, anna, box.code, message), { code: 'ENROLMENT_INVALID' });
  }
  assert.equal(await loadPoolSecrets(box.disk), undefined);
});

test('a login must hold together: the peer’s own key, a name that can be shown, and no box of the pool', async () => {
  const { box } = await claimedBox();
  const { publicKey } = ben;
  const logins = [
    [ben, loginMessage({ publicKey: anna.publicKey, name: 'Ben' })],
    [ben, loginMessage({ publicKey, name: '' })],
    [ben, loginMessage({ publicKey, name: 'B\u001b[2J' })],
    [boxA, loginMessage({ publicKey: boxA.publicKey, name: 'box' })],
  ] as const;
  for (const [peer, message] of logins) {
    const attempt = pair(box, peer, box.host.requestLoginCode(), message);
    await assert.rejects(attempt, { code: 'ENROLMENT_INVALID' });
  }
  assert.equal(box.enrolment.enrolled?.roster.members().length, 2);
});
