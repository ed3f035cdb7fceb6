import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { type Bytes, toHex } from '../../base/bytes.ts';
import { CborFields, encodeCbor } from '../../base/cbor.ts';
import { AetherError } from '../../base/errors.ts';
import { loginCodeLifetimeMs, pairingLockMs, strangerLifetimeMs } from '../../base/limits.ts';
import { createLog, formatLogEntry, type LogEntry } from '../../base/log.ts';
import { FakeClock, settle } from '../../testing/fake-clock.ts';
import { MemoryDisk } from '../../testing/memory-disk.ts';
import { SeededEntropy } from '../../testing/seeded-entropy.ts';
import { loadPoolSecrets } from '../authority.ts';
import { createIdentity, type Identity } from '../identity.ts';
import { admit } from '../membership/record.ts';
import { claimCodePath } from './code-file.ts';
import { joinBox, loginMessage, startPool } from './desktop-enrolment.ts';
import { BoxEnrolment } from './enrolment.ts';
import { decodeEnrolmentAnswer, encodeEnrolmentRequest } from './enrolment-message.ts';
import { type PairingRequest, pairWithBox } from './pairing-desktop.ts';
import { PairingHost } from './pairing-host.ts';

const entropy = new SeededEntropy(11);
let [anna, ben, boxA, boxB]: Identity[] = [];

before(async () => {
  const identities = [1, 2, 3, 4].map((seed) => createIdentity(new FakeClock(), new SeededEntropy(seed)));
  [anna, ben, boxA, boxB] = await Promise.all(identities);
});

/** One box: its state folder, and the parts that run on it until `restart`. */
class TestBox {
  readonly identity: Identity;
  readonly clock = new FakeClock();
  readonly disk = new MemoryDisk({ entropy: new SeededEntropy(5) });
  readonly logged: LogEntry[] = [];
  readonly #log = createLog(
    'pool',
    () => 0,
    (entry) => this.logged.push(entry),
  );
  enrolment!: BoxEnrolment;
  host!: PairingHost;

  constructor(identity: Identity) {
    this.identity = identity;
  }

  static async start(identity: Identity): Promise<TestBox> {
    const box = new TestBox(identity);
    await box.open();
    return box;
  }

  async open(): Promise<void> {
    const ports = { clock: this.clock, entropy, log: this.#log };
    this.enrolment = await BoxEnrolment.open({ disk: this.disk, identity: this.identity }, ports);
    this.host = await PairingHost.open({ disk: this.disk, enrolment: this.enrolment }, ports);
  }

  async restart(): Promise<void> {
    await this.host.close();
    this.disk.crash();
    await this.open();
  }

  /** The box's ear for one desktop. */
  request(peer: Identity): PairingRequest {
    return (method, payload) => this.host[method](payload, peer.memberId);
  }

  get code(): string {
    return this.host.view().code!;
  }
}

const newPool = (clock: FakeClock, box: Identity = boxA!) =>
  startPool(
    { desktop: { publicKey: anna!.publicKey, name: 'Anna' }, box: { publicKey: box.publicKey, name: 'box' } },
    { clock, entropy },
  );

const pair = (box: TestBox, peer: Identity, code: string, message: Bytes) =>
  pairWithBox({ code, identity: peer, boxMemberId: box.identity.memberId, message }, box.request(peer));

async function claimedBox() {
  const box = await TestBox.start(boxA!);
  const pool = newPool(box.clock);
  const answer = decodeEnrolmentAnswer(await pair(box, anna!, box.code, pool.message));
  return { box, pool, answer };
}

/** A code that is certainly another. */
const wrong = (code: string) => (code.startsWith('0') ? `1${code.slice(1)}` : `0${code.slice(1)}`);

async function tryWrongCodes(box: TestBox, count: number): Promise<AetherError> {
  let last: unknown;
  for (let tried = 0; tried < count; tried++) {
    last = await pair(box, anna!, wrong(box.code), new Uint8Array(1)).catch((error: unknown) => error);
  }
  assert.ok(last instanceof AetherError);
  return last;
}

test('the right code claims the box: it holds the pool, durably, and admits the desktop', async () => {
  const { box, pool, answer } = await claimedBox();
  assert.deepEqual(answer.secrets, pool.secrets);
  assert.equal(answer.records.length, 2);
  await box.restart();
  const { secrets, roster } = box.enrolment.enrolled!;
  assert.deepEqual(secrets, pool.secrets);
  assert.equal(roster.get(anna!.memberId)?.role, 'desktop');
  assert.equal(roster.get(boxA!.memberId)?.role, 'box');
});

test('the code may be typed in small letters, without the hyphen', async () => {
  const box = await TestBox.start(boxA!);
  const typed = box.code.toLowerCase().replace('-', '');
  await pair(box, anna!, typed, newPool(box.clock).message);
  assert.ok(box.enrolment.enrolled);
});

test('a claim code is gone with the claim, from memory and from the disk', async () => {
  const { box } = await claimedBox();
  assert.equal(box.host.view().code, undefined);
  assert.ok(!box.disk.paths().includes(claimCodePath));
  await assert.rejects(pair(box, ben!, '0000-0000', new Uint8Array(1)), { code: 'PAIRING_NO_CODE' });
});

test('whoever was told of the claim is told once it is durable', async () => {
  const box = await TestBox.start(boxA!);
  let told = 0;
  box.enrolment.onClaimed(({ roster }) => {
    told = roster.members().length;
    assert.ok(box.disk.paths().includes('pool.cbor'));
  });
  await pair(box, anna!, box.code, newPool(box.clock).message);
  assert.equal(told, 2);
});

test('of two desktops that claim at the same time one is too late', async () => {
  const box = await TestBox.start(boxA!);
  const pools = [newPool(box.clock), newPool(box.clock)];
  const code = box.code;
  const outcomes = await Promise.allSettled(pools.map(({ message }) => pair(box, anna!, code, message)));
  const failed = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason.code] : []));
  assert.deepEqual(failed, ['ALREADY_CLAIMED']);
  const winner = outcomes.findIndex(({ status }) => status === 'fulfilled');
  assert.deepEqual(box.enrolment.enrolled?.secrets.pool, pools[winner]!.secrets.pool);
});

test('a claim that the disk cannot keep leaves the box unclaimed, with its code', async () => {
  const box = await TestBox.start(boxA!);
  const code = box.code;
  const pool = newPool(box.clock);
  box.disk.intercept((operation, path) => {
    if (operation === 'create' && path.startsWith('pool.cbor'))
      throw new AetherError('DISK_FULL', 'no space');
  });
  await assert.rejects(pair(box, anna!, code, pool.message), { code: 'DISK_FULL' });
  assert.equal(await loadPoolSecrets(box.disk), undefined);
  box.disk.intercept(() => {});
  await pair(box, anna!, code, newPool(box.clock).message);
  assert.notDeepEqual(box.enrolment.enrolled?.secrets.pool, pool.secrets.pool);
  assert.equal(box.enrolment.enrolled?.roster.members().length, 2);
});

test('the power cut at any step of a claim leaves an unclaimed box, or a claimed one', async () => {
  const outcomes = new Set<boolean>();
  for (let steps = 0; steps < 14; steps++) {
    const box = await TestBox.start(boxA!);
    const pool = newPool(box.clock);
    let left = steps;
    box.disk.intercept(() => {
      if (left-- === 0) box.disk.powerOff();
    });
    const answered = await pair(box, anna!, box.code, pool.message).then(
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

test('a wrong code is known to both, with the tries that are left', async () => {
  const box = await TestBox.start(boxA!);
  const error = await tryWrongCodes(box, 2);
  assert.equal(error.code, 'PAIRING_CODE_WRONG');
  assert.deepEqual(error.fields, { triesLeft: 3 });
  assert.equal(box.host.view().triesLeft, 3);
  assert.equal(box.enrolment.enrolled, undefined);
});

test('a desktop that does not own up to a wrong code has spent its try all the same', async () => {
  const box = await TestBox.start(boxA!);
  const silent: PairingRequest = async (method, payload) => {
    if (method === 'finish') throw new AetherError('LINK_CLOSED', 'gone');
    return box.request(anna!)(method, payload);
  };
  const options = { identity: anna!, boxMemberId: boxA!.memberId, message: new Uint8Array(1) };
  await assert.rejects(pairWithBox({ ...options, code: wrong(box.code) }, silent), {
    code: 'PAIRING_CODE_WRONG',
  });
  assert.equal(box.host.view().triesLeft, 4);
  await box.clock.run(strangerLifetimeMs);
  assert.equal(box.host.view().triesLeft, 4);
});

test('a slip of the finger that makes no code costs no try', async () => {
  const box = await TestBox.start(boxA!);
  await assert.rejects(pair(box, anna!, '1234', new Uint8Array(1)), { code: 'PAIRING_CODE_INVALID' });
  assert.equal(box.host.view().triesLeft, 5);
});

test('five wrong codes lock pairing for 15 minutes and make a new code', async () => {
  const box = await TestBox.start(boxA!);
  const first = box.code;
  const pool = newPool(box.clock);
  assert.equal((await tryWrongCodes(box, 5)).code, 'PAIRING_LOCKED');
  assert.notEqual(box.code, first);
  assert.equal(box.host.view().lockedForMs, pairingLockMs);
  // Locked for the right code too.
  await box.clock.run(pairingLockMs - 1);
  await assert.rejects(pair(box, anna!, box.code, pool.message), {
    code: 'PAIRING_LOCKED',
    fields: { lockedForMs: 1 },
  });
  await box.clock.run(1);
  assert.equal(box.host.view().lockedForMs, undefined);
  await assert.rejects(pair(box, anna!, first, pool.message), { code: 'PAIRING_CODE_WRONG' });
  await pair(box, anna!, box.code, pool.message);
  assert.ok(box.enrolment.enrolled);
});

test('a restart keeps the claim code and the tries that were spent on it', async () => {
  const box = await TestBox.start(boxA!);
  const { code } = box;
  await tryWrongCodes(box, 3);
  await box.restart();
  assert.deepEqual([box.code, box.host.view().triesLeft], [code, 2]);
  assert.equal((await tryWrongCodes(box, 2)).code, 'PAIRING_LOCKED');
});

test('a restart does not unlock pairing: the 15 minutes begin again', async () => {
  const box = await TestBox.start(boxA!);
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
  const box = await TestBox.start(boxA!);
  const mallory = ben!;
  // Anna has connected to Mallory, who passes everything on to the box as himself.
  const pool = newPool(box.clock);
  const relay = box.request(mallory);
  const toMallory = { code: box.code, identity: anna!, boxMemberId: mallory.memberId, message: pool.message };
  await assert.rejects(pairWithBox(toMallory, relay), { code: 'PAIRING_CODE_WRONG' });
  assert.equal(box.enrolment.enrolled, undefined);
  assert.equal(box.host.view().triesLeft, 4);
  // He makes Anna believe she talks to the box itself, which its key prevents; her end still gives him away.
  const toBox = { ...toMallory, boxMemberId: boxA!.memberId };
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
    return box.request(ben!)(method, payload);
  };
  const message = loginMessage({ publicKey: ben!.publicKey, name: 'Ben' });
  await pairWithBox({ code, identity: ben!, boxMemberId: boxA!.memberId, message }, spy);
  await assert.rejects(box.host.finish(finish!, ben!.memberId), { code: 'PAIRING_NO_CODE' });
  box.host.requestLoginCode();
  await assert.rejects(box.host.finish(finish!, ben!.memberId), { code: 'PAIRING_EXCHANGE_UNKNOWN' });
  await assert.rejects(box.host.finish(finish!, anna!.memberId), { code: 'PAIRING_EXCHANGE_UNKNOWN' });
});

test('a finish that another peer sends does not harm the exchange it names', async () => {
  const box = await TestBox.start(boxA!);
  const tapped: PairingRequest = async (method, payload) => {
    if (method === 'finish') {
      await assert.rejects(box.host.finish(payload, ben!.memberId), { code: 'PAIRING_EXCHANGE_UNKNOWN' });
    }
    return box.request(anna!)(method, payload);
  };
  const { message } = newPool(box.clock);
  await pairWithBox({ code: box.code, identity: anna!, boxMemberId: boxA!.memberId, message }, tapped);
  assert.ok(box.enrolment.enrolled);
});

test('a box that answers with what it did not seal for us is not believed', async () => {
  const box = await TestBox.start(boxA!);
  const tampering: PairingRequest = async (method, payload) => {
    const answer = (await box.request(anna!)(method, payload)).slice();
    if (method === 'finish') answer[answer.length - 1]! ^= 1;
    return answer;
  };
  const options = { identity: anna!, boxMemberId: boxA!.memberId, message: newPool(box.clock).message };
  await assert.rejects(pairWithBox({ ...options, code: box.code }, tampering), {
    code: 'PAIRING_ANSWER_INVALID',
  });
});

test('payloads that are no pairing messages are refused by code, and none opens anything', async () => {
  const box = await TestBox.start(boxA!);
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
    await assert.rejects(box.host.start(payload, anna!.memberId), { code: 'PAIRING_MESSAGE_INVALID' });
    await assert.rejects(box.host.finish(payload, anna!.memberId), { code: 'PAIRING_MESSAGE_INVALID' });
  }
  assert.equal(box.host.view().triesLeft, 5);
  const noOpaque = encodeCbor({ v: 1, message: new Uint8Array(96) });
  await assert.rejects(box.host.start(noOpaque, anna!.memberId), { code: 'PAIRING_MESSAGE_INVALID' });
  assert.equal(box.host.view().triesLeft, 4);
});

test('a desktop without the code cannot choose what the box opens: a made-up proof is a wrong code', async () => {
  const box = await TestBox.start(boxA!);
  const forging: PairingRequest = (method, payload) => {
    if (method === 'start') return box.request(anna!)(method, payload);
    const exchange = CborFields.decode(payload).bytes('exchange');
    const forged = { v: 1, exchange, message: new Uint8Array(64), sealed: new Uint8Array(64) };
    return box.request(anna!)(method, encodeCbor(forged));
  };
  const options = { identity: anna!, boxMemberId: boxA!.memberId, message: new Uint8Array(1) };
  const forged = pairWithBox({ ...options, code: wrong(box.code) }, forging);
  await assert.rejects(forged, { code: 'PAIRING_CODE_WRONG', fields: { triesLeft: 4 } });
});

test('more exchanges at once than there are tries are turned away', async () => {
  const box = await TestBox.start(boxA!);
  const stuck: PairingRequest = async (method, payload) => {
    if (method === 'finish') throw new AetherError('LINK_CLOSED', 'gone');
    return box.request(ben!)(method, payload);
  };
  const options = { code: box.code, identity: ben!, boxMemberId: boxA!.memberId, message: new Uint8Array(1) };
  for (let open = 0; open < 5; open++)
    await assert.rejects(pairWithBox(options, stuck), { code: 'LINK_CLOSED' });
  await assert.rejects(pair(box, anna!, box.code, new Uint8Array(1)), { code: 'PAIRING_BUSY' });
  await box.clock.run(strangerLifetimeMs);
  await assert.rejects(pair(box, anna!, box.code, new Uint8Array(1)), { code: 'PAIRING_LOCKED' });
});

test('the next box joins with its own code, admitted by the desktop', async () => {
  const { box, answer } = await claimedBox();
  const second = await TestBox.start(boxB!);
  const { record, message } = joinBox(
    { identity: anna!, ...answer, box: { publicKey: boxB!.publicKey, name: 'second' } },
    { clock: box.clock },
  );
  const joined = decodeEnrolmentAnswer(await pair(second, anna!, second.code, message));
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
  const message = loginMessage({ publicKey: ben!.publicKey, name: 'Ben' });
  const { secrets, records } = decodeEnrolmentAnswer(await pair(box, ben!, code, message));
  assert.deepEqual(secrets, pool.secrets);
  assert.equal(records.length, 3);
  await box.restart();
  const member = box.enrolment.enrolled?.roster.get(ben!.memberId);
  assert.deepEqual(
    [member?.role, member?.name, toHex(member!.issuer)],
    ['desktop', 'Ben', toHex(boxA!.memberId)],
  );
});

test('a login code works once, and for ten minutes', async () => {
  const { box } = await claimedBox();
  const message = loginMessage({ publicKey: ben!.publicKey, name: 'Ben' });
  const used = box.host.requestLoginCode();
  await pair(box, ben!, used, message);
  await assert.rejects(pair(box, ben!, used, message), { code: 'PAIRING_NO_CODE' });
  const old = box.host.requestLoginCode();
  let changes = 0;
  box.host.onChange(() => changes++);
  await box.clock.run(loginCodeLifetimeMs);
  assert.deepEqual([changes, box.host.view().code], [1, undefined]);
  await assert.rejects(pair(box, ben!, old, message), { code: 'PAIRING_NO_CODE' });
});

test('logging in again changes nothing, except under another name', async () => {
  const { box } = await claimedBox();
  for (const [name, records] of [
    ['Ben', 3],
    ['Ben', 3],
    ['Benjamin', 3],
  ] as const) {
    await box.clock.run(1000);
    const message = loginMessage({ publicKey: ben!.publicKey, name });
    const answer = await pair(box, ben!, box.host.requestLoginCode(), message);
    assert.equal(decodeEnrolmentAnswer(answer).records.length, records);
    assert.equal(box.enrolment.enrolled?.roster.get(ben!.memberId)?.name, name);
  }
});

test('five wrong login codes lock: no code can be asked for meanwhile', async () => {
  const { box } = await claimedBox();
  box.host.requestLoginCode();
  assert.equal((await tryWrongCodes(box, 5)).code, 'PAIRING_LOCKED');
  assert.throws(() => box.host.requestLoginCode(), { code: 'PAIRING_LOCKED' });
  await box.clock.run(pairingLockMs);
  assert.ok(box.host.requestLoginCode());
});

test('an unclaimed box has no login code, and lets nobody log in', async () => {
  const box = await TestBox.start(boxA!);
  assert.throws(() => box.host.requestLoginCode(), { code: 'NOT_CLAIMED' });
  const message = loginMessage({ publicKey: ben!.publicKey, name: 'Ben' });
  await assert.rejects(pair(box, ben!, box.code, message), { code: 'NOT_CLAIMED' });
});

test('a claimed box cannot be claimed again with a login code', async () => {
  const { box, pool } = await claimedBox();
  const code = box.host.requestLoginCode();
  await assert.rejects(pair(box, anna!, code, newPool(box.clock).message), { code: 'ALREADY_CLAIMED' });
  assert.deepEqual(box.enrolment.enrolled?.secrets.pool, pool.secrets.pool);
});

test('a claim must hold together: admit this very box, by records of this pool alone', async () => {
  const box = await TestBox.start(boxA!);
  const { secrets, records } = newPool(box.clock);
  const foreign = newPool(box.clock);
  const forged = admit(ben!, {
    pool: secrets.pool,
    publicKey: boxA!.publicKey,
    role: 'box',
    name: 'b',
    atMs: 1,
  });
  const asDesktop = { publicKey: boxA!.publicKey, name: 'box' };
  const clock = box.clock;
  const roleWrong = startPool(
    { desktop: asDesktop, box: { publicKey: anna!.publicKey, name: 'x' } },
    { clock, entropy },
  );
  const claims: Bytes[] = [
    newPool(box.clock, boxB!).message,
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
    await assert.rejects(pair(box, anna!, box.code, message), { code: 'ENROLMENT_INVALID' });
  }
  assert.equal(await loadPoolSecrets(box.disk), undefined);
});

test('a login must hold together: the peer’s own key, a name that can be shown, and no box of the pool', async () => {
  const { box } = await claimedBox();
  const { publicKey } = ben!;
  const logins = [
    [ben!, loginMessage({ publicKey: anna!.publicKey, name: 'Ben' })],
    [ben!, loginMessage({ publicKey, name: '' })],
    [ben!, loginMessage({ publicKey, name: 'B\u001b[2J' })],
    [boxA!, loginMessage({ publicKey: boxA!.publicKey, name: 'box' })],
  ] as const;
  for (const [peer, message] of logins) {
    const attempt = pair(box, peer, box.host.requestLoginCode(), message);
    await assert.rejects(attempt, { code: 'ENROLMENT_INVALID' });
  }
  assert.equal(box.enrolment.enrolled?.roster.members().length, 2);
});

test('neither codes nor words nor keys are logged', async () => {
  const box = await TestBox.start(boxA!);
  const codes = [box.code];
  await tryWrongCodes(box, 5);
  codes.push(box.code);
  await box.clock.run(pairingLockMs);
  const pool = newPool(box.clock);
  await pair(box, anna!, box.code, pool.message);
  const log = box.logged.map(formatLogEntry).join('\n');
  assert.ok(box.logged.length >= 2);
  for (const secret of [...codes, pool.words.split(' ')[0]!, toHex(pool.secrets.dedupeSecret)]) {
    assert.ok(!log.includes(secret));
  }
});
