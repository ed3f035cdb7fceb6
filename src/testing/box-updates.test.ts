import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Bytes, utf8 } from '../base/bytes.ts';
import { CborFields, encodeCbor } from '../base/cbor.ts';
import { AetherError } from '../base/errors.ts';
import {
  gateCrashFreeMs,
  stickLookMs,
  updateOfferPeriodMs,
  updaterRetryMs,
  updaterTriesQuiet,
} from '../base/face-limits.ts';
import { silentLog } from '../base/log.ts';
import { releasedMs } from '../base/version.ts';
import { ApplianceUpdates, type UpdatedBox } from '../box-updates.ts';
import { StartingUpdates } from '../box-updates-start.ts';
import { methods } from '../pool/transfer/methods.ts';
import type { RequestHandler } from '../pool/transfer/peer-dispatcher.ts';
import type { HttpServer } from '../ports/http-server.ts';
import { foldStatus } from '../status/appliance-status.ts';
import { noUpdate } from '../status/facts.ts';
import { healthyFacts, peerFacts } from './appliance-facts.ts';
import { FakeBootSlots } from './fake-boot-slots.ts';
import { FakeClock, settle } from './fake-clock.ts';
import { MemoryDisk } from './memory-disk.ts';
import { SeededEntropy } from './seeded-entropy.ts';

const bundle = new SeededEntropy(9).bytes(5000);
const facts = (version: string) => ({ compatible: 'aetherstore-arm64', version, dataFormat: 1 });

/** Boxes of one pool, as far as updates need them; they ask each other by name, which is a member id: hexadecimal. */
class Pool {
  readonly clock = new FakeClock(releasedMs);
  readonly boxes = new Map<string, UpdatingBox>();

  async add(name: string, version: string): Promise<UpdatingBox> {
    const box = new UpdatingBox(this, name, version);
    this.boxes.set(name, box);
    await box.open();
    return box;
  }
}

class UpdatingBox implements UpdatedBox {
  readonly slots = new FakeBootSlots();
  readonly disk = new MemoryDisk({ entropy: new SeededEntropy(1) });
  readonly disks = { store: { readsWell: () => Promise.resolve(true) } };
  updates!: ApplianceUpdates;
  readonly #pool: Pool;
  readonly #name: string;
  readonly #version: string;
  readonly #handlers = new Map<number, RequestHandler>();

  constructor(pool: Pool, name: string, version: string) {
    this.#pool = pool;
    this.#name = name;
    this.#version = version;
  }

  async open(): Promise<void> {
    // What is at a URL of this computer is another box's bundle.
    const server: HttpServer = {
      listen: async (_address, _certificate, handler) => {
        this.slots.streamed = handler;
        return { port: 1, close: () => Promise.resolve() };
      },
    };
    this.updates = await ApplianceUpdates.open(
      { folder: '/updates', version: this.#version, alone: false, restartMachine: () => Promise.resolve() },
      {
        slots: this.slots,
        updatesDisk: this.disk,
        stateDisk: new MemoryDisk({ entropy: new SeededEntropy(2) }),
        server,
        clock: this.#pool.clock,
        entropy: new SeededEntropy(4),
        log: silentLog,
      },
    );
    this.updates.attach(this);
    await settle();
  }

  handle(method: number, handler: RequestHandler): void {
    this.#handlers.set(method, handler);
  }

  status() {
    const others = [...this.#pool.boxes.keys()].filter((name) => name !== this.#name);
    return foldStatus({ ...healthyFacts, peers: others.map((name) => peerFacts(name, { memberId: name })) });
  }

  ask(memberId: string, method: number, payload: Bytes): Promise<Bytes> {
    return this.#pool.boxes.get(memberId)!.answer(method, payload);
  }

  async answer(method: number, payload: Bytes): Promise<Bytes> {
    return (await this.#handlers.get(method)!(payload, undefined as never)) as Bytes;
  }

  /** Sends a bundle as a desktop does. */
  async send(part = 2000, atMs?: number): Promise<string> {
    for (let offset = 0; offset < bundle.length; offset += part) {
      const bytes = bundle.subarray(offset, offset + part);
      await this.answer(methods.updatePut, encodeCbor({ offset, totalBytes: bundle.length, bytes }));
    }
    const answer = await this.answer(
      methods.updateStage,
      encodeCbor({ older: false, ...(atMs === undefined ? {} : { atMs }) }),
    );
    return CborFields.decode(answer).text('version');
  }
}

test('a desktop sends a bundle, which is staged when it is good, and gone when it is not', async () => {
  const box = await new Pool().add('one', '1.0.0');
  await assert.rejects(box.send(), { code: 'UPDATE_UNTRUSTED' });
  assert.equal(box.updates.facts().state, 'none');
  assert.deepEqual(await box.disk.list(''), ['sticks']);
  box.slots.bundles.set('/updates/incoming.raucb', facts('2.0.0'));
  assert.equal(await box.send(), '2.0.0');
  assert.equal(box.updates.facts().state, 'staged');
  assert.deepEqual(await box.disk.list(''), ['bundle.raucb', 'sticks', 'update.json']);
});

test('a memory stick brings one', async () => {
  const pool = new Pool();
  const box = await pool.add('one', '1.0.0');
  const file = await box.disk.open('sticks/sdc1.raucb', 'create');
  await file.write([bundle], 0);
  await file.close();
  box.slots.bundles.set('/updates/sticks/sdc1.raucb', facts('2.0.0'));
  await pool.clock.run(stickLookMs);
  assert.deepEqual([box.updates.facts().state, box.updates.facts().version], ['staged', '2.0.0']);
  assert.deepEqual(await box.disk.list('sticks'), []);
});

test('what one box runs and has found good, the others stage and read from it', async () => {
  const pool = new Pool();
  const old = await pool.add('01d', '1.0.0');
  const young = new UpdatingBox(pool, 'young', '2.0.0');
  const file = await young.disk.open('bundle.raucb', 'create');
  await file.write([bundle], 0);
  await file.close();
  young.slots.bundles.set('/updates/bundle.raucb', facts('2.0.0'));
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

test('a version that nobody has tried is not passed on', async () => {
  const pool = new Pool();
  const box = await pool.add('one', '1.0.0');
  box.slots.bundles.set('/updates/incoming.raucb', facts('2.0.0'));
  await box.send();
  const offer = CborFields.decode(await box.answer(methods.updateOffer, new Uint8Array(0)));
  assert.equal(offer.has('version'), false);
});

test('what a stick brought waits for an updater that does not answer', async () => {
  const pool = new Pool();
  const box = await pool.add('one', '1.0.0');
  await keepBundle(box, 'sticks/sdc1.raucb', '2.0.0');
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

/** A box that runs `version`, has found it good, and has its bundle. */
async function addGiver(pool: Pool, name: string, version: string): Promise<UpdatingBox> {
  const box = new UpdatingBox(pool, name, version);
  await keepBundle(box, 'bundle.raucb', version);
  pool.boxes.set(name, box);
  await box.open();
  await pool.clock.run(gateCrashFreeMs + stickLookMs);
  return box;
}

async function keepBundle(box: UpdatingBox, path: string, version: string): Promise<void> {
  const file = await box.disk.open(path, 'create');
  await file.write([bundle], 0);
  await file.close();
  box.slots.bundles.set(`/updates/${path}`, facts(version));
}

test('a stick that is left in offers its version once', async () => {
  const pool = new Pool();
  const box = await pool.add('one', '2.0.0');
  await keepBundle(box, 'sticks/sdc1.raucb', '2.0.0');
  await pool.clock.run(stickLookMs);
  assert.equal(box.updates.facts().state, 'none', 'it runs already');
  assert.deepEqual(await box.disk.list('sticks'), []);
  const atMs = pool.clock.wallMs() + 3_600_000;
  box.slots.bundles.set('/updates/incoming.raucb', facts('3.0.0'));
  await box.send(2000, atMs);
  await keepBundle(box, 'sticks/sdc1.raucb', '3.0.0');
  await pool.clock.run(stickLookMs);
  box.slots.bundles.set('/updates/bundle.raucb', facts('3.0.0'));
  await pool.clock.run(3_700_000);
  assert.equal(box.updates.facts().state, 'restart-due', 'the hour that a person has set was kept');
});

test('what was wrong with a stick is told until something is taken', async () => {
  const pool = new Pool();
  const box = await pool.add('one', '2.0.0');
  let changes = 0;
  box.updates.onChange(() => changes++);
  await keepBundle(box, 'sticks/sdc1.raucb', '1.0.0');
  await pool.clock.run(stickLookMs);
  assert.deepEqual([box.updates.facts().stickProblem, changes], [null, 0], 'one that was left in grows old');
  await keepBundle(box, 'sticks/sdc1.raucb', '3.0.0');
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

test('a version whose box is gone is taken from another box that has it', async () => {
  const pool = new Pool();
  const old = await pool.add('01d', '1.0.0');
  old.slots.streamedFacts = facts('2.0.0');
  await addGiver(pool, 'f1', '2.0.0');
  await pool.clock.run(updateOfferPeriodMs);
  assert.equal(old.updates.facts().state, 'staged');
  pool.boxes.delete('f1');
  await addGiver(pool, 'f2', '2.0.0');
  await pool.clock.run(updateOfferPeriodMs);
  await old.updates.install();
  await settle();
  await pool.clock.run(0);
  assert.equal(old.updates.facts().state, 'restart-due');
});

test('a box that has what was staged no longer, or something else, is told of, and nothing is installed', async () => {
  const pool = new Pool();
  const old = await pool.add('01d', '1.0.0');
  old.slots.streamedFacts = facts('2.0.0');
  const giver = await addGiver(pool, 'feed', '2.0.0');
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
  const pool = new Pool();
  const old = await pool.add('01d', '1.0.0');
  old.slots.streamedFacts = facts('2.0.0');
  await addGiver(pool, 'feed', '2.0.0');
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
  await addGiver(pool, 'cafe', '2.1.0');
  await pool.clock.run(updateOfferPeriodMs);
  assert.deepEqual([old.updates.facts().state, old.updates.facts().version], ['staged', '2.1.0']);
});

test('what somebody sends while other boxes are asked is not lost to their answers, nor replaced by what they have', async () => {
  for (const offer of [{}, { version: '4.0.0', totalBytes: bundle.length }]) {
    const pool = new Pool();
    const old = await pool.add('01d', '1.0.0');
    old.slots.streamedFacts = facts('2.0.0');
    const giver = await addGiver(pool, 'feed', '2.0.0');
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

test('a box whose updater does not answer for long says why, until it does', async () => {
  const clock = new FakeClock(releasedMs);
  const asked = Promise.withResolvers<void>();
  const box = await new Pool().add('one', '1.0.0');
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
  const box = await new Pool().add('one', '1.0.0');
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
  assert.deepEqual(await box.disk.list(''), ['bundle.raucb', 'sticks', 'update.json']);
});
