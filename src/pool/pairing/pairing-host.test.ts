import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Bytes, toHex } from '../../base/bytes.ts';
import { CborFields, encodeCbor } from '../../base/cbor.ts';
import { AetherError } from '../../base/errors.ts';
import { loginCodeLifetimeMs, pairingLockMs, strangerLifetimeMs } from '../../base/limits.ts';
import { formatLogEntry } from '../../base/log.ts';
import { settle } from '../../testing/fake-clock.ts';
import {
  anna,
  ben,
  boxA,
  claimedBox,
  newPool,
  pair,
  TestBox,
  tryWrongCodes,
  wrong,
} from '../../testing/pairing-fixture.ts';
import { claimCodePath } from './code-file.ts';
import { loginMessage } from './desktop-enrolment.ts';
import { type PairingRequest, pairWithBox } from './pairing-desktop.ts';

test('the code may be typed in small letters, without the hyphen', async () => {
  const box = await TestBox.start(boxA);
  const typed = box.code.toLowerCase().replace('-', '');
  await pair(box, anna, typed, newPool(box.clock).message);
  assert.ok(box.enrolment.enrolled);
});

test('a claim code is gone with the claim, from memory and from the disk', async () => {
  const { box } = await claimedBox();
  assert.equal(box.host.view().code, undefined);
  assert.ok(!box.disk.paths().includes(claimCodePath));
  await assert.rejects(pair(box, ben, '0000-0000', new Uint8Array(1)), { code: 'PAIRING_NO_CODE' });
});

test('a wrong code is known to both, with the tries that are left', async () => {
  const box = await TestBox.start(boxA);
  const error = await tryWrongCodes(box, 2);
  assert.equal(error.code, 'PAIRING_CODE_WRONG');
  assert.deepEqual(error.fields, { triesLeft: 3 });
  assert.equal(box.host.view().triesLeft, 3);
  assert.equal(box.enrolment.enrolled, undefined);
});

test('a desktop that does not own up to a wrong code has spent its try all the same', async () => {
  const box = await TestBox.start(boxA);
  const silent: PairingRequest = async (method, payload) => {
    if (method === 'finish') throw new AetherError('LINK_CLOSED', 'gone');
    return box.request(anna)(method, payload);
  };
  const options = { identity: anna, boxMemberId: boxA.memberId, message: new Uint8Array(1) };
  await assert.rejects(pairWithBox({ ...options, code: wrong(box.code) }, silent), {
    code: 'PAIRING_CODE_WRONG',
  });
  assert.equal(box.host.view().triesLeft, 4);
  await box.clock.run(strangerLifetimeMs);
  assert.equal(box.host.view().triesLeft, 4);
});

test('a slip of the finger that makes no code costs no try', async () => {
  const box = await TestBox.start(boxA);
  await assert.rejects(pair(box, anna, '1234', new Uint8Array(1)), { code: 'PAIRING_CODE_INVALID' });
  assert.equal(box.host.view().triesLeft, 5);
});

test('five wrong codes lock pairing for 15 minutes and make a new code', async () => {
  const box = await TestBox.start(boxA);
  const first = box.code;
  const pool = newPool(box.clock);
  assert.equal((await tryWrongCodes(box, 5)).code, 'PAIRING_LOCKED');
  assert.notEqual(box.code, first);
  assert.equal(box.host.view().lockedForMs, pairingLockMs);
  // Locked for the right code too.
  await box.clock.run(pairingLockMs - 1);
  await assert.rejects(pair(box, anna, box.code, pool.message), {
    code: 'PAIRING_LOCKED',
    fields: { lockedForMs: 1 },
  });
  await box.clock.run(1);
  assert.equal(box.host.view().lockedForMs, undefined);
  await assert.rejects(pair(box, anna, first, pool.message), { code: 'PAIRING_CODE_WRONG' });
  await pair(box, anna, box.code, pool.message);
  assert.ok(box.enrolment.enrolled);
});

test('a restart keeps the claim code and the tries that were spent on it', async () => {
  const box = await TestBox.start(boxA);
  const { code } = box;
  await tryWrongCodes(box, 3);
  await box.restart();
  assert.deepEqual([box.code, box.host.view().triesLeft], [code, 2]);
  assert.equal((await tryWrongCodes(box, 2)).code, 'PAIRING_LOCKED');
});

test('a restart does not unlock pairing: the 15 minutes begin again', async () => {
  const box = await TestBox.start(boxA);
  await tryWrongCodes(box, 5);
  const { code } = box;
  await box.clock.run(pairingLockMs - 1000);
  await box.restart();
  assert.deepEqual([box.code, box.host.view().lockedForMs], [code, pairingLockMs]);
  await box.clock.run(pairingLockMs);
  await settle();
  await box.restart();
  assert.deepEqual([box.code, box.host.view().lockedForMs], [code, undefined]);
});

test('a man in the middle with connections of his own gets nothing, and costs a try', async () => {
  const box = await TestBox.start(boxA);
  const mallory = ben;
  // Anna has connected to Mallory, who passes everything on to the box as himself.
  const pool = newPool(box.clock);
  const relay = box.request(mallory);
  const toMallory = { code: box.code, identity: anna, boxMemberId: mallory.memberId, message: pool.message };
  await assert.rejects(pairWithBox(toMallory, relay), { code: 'PAIRING_CODE_WRONG' });
  assert.equal(box.enrolment.enrolled, undefined);
  assert.equal(box.host.view().triesLeft, 4);
  // He makes Anna believe she talks to the box itself, which its key prevents; her end still gives him away.
  const toBox = { ...toMallory, boxMemberId: boxA.memberId };
  await assert.rejects(pairWithBox(toBox, relay), { code: 'PAIRING_CODE_WRONG' });
  assert.equal(box.enrolment.enrolled, undefined);
  assert.equal(box.host.view().triesLeft, 3);
});

test('a finish cannot be replayed, by its own desktop or by another', async () => {
  const { box } = await claimedBox();
  const code = box.host.requestLoginCode();
  let finish: Bytes | undefined;
  const spy: PairingRequest = (method, payload) => {
    if (method === 'finish') finish = payload;
    return box.request(ben)(method, payload);
  };
  const message = loginMessage({ publicKey: ben.publicKey, name: 'Ben' });
  await pairWithBox({ code, identity: ben, boxMemberId: boxA.memberId, message }, spy);
  await assert.rejects(box.host.finish(finish!, ben.memberId), { code: 'PAIRING_NO_CODE' });
  box.host.requestLoginCode();
  await assert.rejects(box.host.finish(finish!, ben.memberId), { code: 'PAIRING_EXCHANGE_UNKNOWN' });
  await assert.rejects(box.host.finish(finish!, anna.memberId), { code: 'PAIRING_EXCHANGE_UNKNOWN' });
});

test('a finish that another peer sends does not harm the exchange it names', async () => {
  const box = await TestBox.start(boxA);
  const tapped: PairingRequest = async (method, payload) => {
    if (method === 'finish') {
      await assert.rejects(box.host.finish(payload, ben.memberId), { code: 'PAIRING_EXCHANGE_UNKNOWN' });
    }
    return box.request(anna)(method, payload);
  };
  const { message } = newPool(box.clock);
  await pairWithBox({ code: box.code, identity: anna, boxMemberId: boxA.memberId, message }, tapped);
  assert.ok(box.enrolment.enrolled);
});

test('a box that answers with what it did not seal for us is not believed', async () => {
  const box = await TestBox.start(boxA);
  const tampering: PairingRequest = async (method, payload) => {
    const answer = (await box.request(anna)(method, payload)).slice();
    if (method === 'finish') answer[answer.length - 1]! ^= 1;
    return answer;
  };
  const options = { identity: anna, boxMemberId: boxA.memberId, message: newPool(box.clock).message };
  await assert.rejects(pairWithBox({ ...options, code: box.code }, tampering), {
    code: 'PAIRING_ANSWER_INVALID',
  });
});

test('payloads that are no pairing messages are refused by code, and none opens anything', async () => {
  const box = await TestBox.start(boxA);
  const rubbish = [
    new Uint8Array(0),
    Uint8Array.of(1),
    encodeCbor({ v: 2 }),
    encodeCbor({ v: 1, message: 'x' }),
  ];
  const oversized = encodeCbor({
    v: 1,
    exchange: new Uint8Array(16),
    message: new Uint8Array(5000),
    sealed: new Uint8Array(1),
  });
  for (const payload of [...rubbish, oversized]) {
    await assert.rejects(box.host.start(payload, anna.memberId), { code: 'PAIRING_MESSAGE_INVALID' });
    await assert.rejects(box.host.finish(payload, anna.memberId), { code: 'PAIRING_MESSAGE_INVALID' });
  }
  assert.equal(box.host.view().triesLeft, 5);
  const noOpaque = encodeCbor({ v: 1, message: new Uint8Array(96) });
  await assert.rejects(box.host.start(noOpaque, anna.memberId), { code: 'PAIRING_MESSAGE_INVALID' });
  assert.equal(box.host.view().triesLeft, 4);
});

test('a desktop without the code cannot choose what the box opens: a made-up proof is a wrong code', async () => {
  const box = await TestBox.start(boxA);
  const forging: PairingRequest = (method, payload) => {
    if (method === 'start') return box.request(anna)(method, payload);
    const exchange = CborFields.decode(payload).bytes('exchange');
    const forged = { v: 1, exchange, message: new Uint8Array(64), sealed: new Uint8Array(64) };
    return box.request(anna)(method, encodeCbor(forged));
  };
  const options = { identity: anna, boxMemberId: boxA.memberId, message: new Uint8Array(1) };
  const forged = pairWithBox({ ...options, code: wrong(box.code) }, forging);
  await assert.rejects(forged, { code: 'PAIRING_CODE_WRONG', fields: { triesLeft: 4 } });
});

test('more exchanges at once than there are tries are turned away', async () => {
  const box = await TestBox.start(boxA);
  const stuck: PairingRequest = async (method, payload) => {
    if (method === 'finish') throw new AetherError('LINK_CLOSED', 'gone');
    return box.request(ben)(method, payload);
  };
  const options = { code: box.code, identity: ben, boxMemberId: boxA.memberId, message: new Uint8Array(1) };
  for (let open = 0; open < 5; open++)
    await assert.rejects(pairWithBox(options, stuck), { code: 'LINK_CLOSED' });
  await assert.rejects(pair(box, anna, box.code, new Uint8Array(1)), { code: 'PAIRING_BUSY' });
  await box.clock.run(strangerLifetimeMs);
  await assert.rejects(pair(box, anna, box.code, new Uint8Array(1)), { code: 'PAIRING_LOCKED' });
});

test('a login code works once, and for ten minutes', async () => {
  const { box } = await claimedBox();
  const message = loginMessage({ publicKey: ben.publicKey, name: 'Ben' });
  const used = box.host.requestLoginCode();
  await pair(box, ben, used, message);
  await assert.rejects(pair(box, ben, used, message), { code: 'PAIRING_NO_CODE' });
  const old = box.host.requestLoginCode();
  let changes = 0;
  box.host.onChange(() => changes++);
  await box.clock.run(loginCodeLifetimeMs);
  assert.deepEqual([changes, box.host.view().code], [1, undefined]);
  await assert.rejects(pair(box, ben, old, message), { code: 'PAIRING_NO_CODE' });
});

test('five wrong login codes lock: no code can be asked for meanwhile', async () => {
  const { box } = await claimedBox();
  box.host.requestLoginCode();
  assert.equal((await tryWrongCodes(box, 5)).code, 'PAIRING_LOCKED');
  assert.throws(() => box.host.requestLoginCode(), { code: 'PAIRING_LOCKED' });
  await box.clock.run(pairingLockMs);
  assert.ok(box.host.requestLoginCode());
});

test('neither codes nor words nor keys are logged', async () => {
  const box = await TestBox.start(boxA);
  const codes = [box.code];
  await tryWrongCodes(box, 5);
  codes.push(box.code);
  await box.clock.run(pairingLockMs);
  const pool = newPool(box.clock);
  await pair(box, anna, box.code, pool.message);
  const log = box.logged.map(formatLogEntry).join('\n');
  assert.ok(box.logged.length >= 2);
  for (const secret of [...codes, pool.words.split(' ')[0]!, toHex(pool.secrets.dedupeSecret)]) {
    assert.ok(!log.includes(secret));
  }
});
