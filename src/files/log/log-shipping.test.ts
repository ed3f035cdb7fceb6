import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Bytes, toHex, utf8 } from '../../base/bytes.ts';
import { encodeCbor } from '../../base/cbor.ts';
import { methods } from '../../pool/transfer/methods.ts';
import { FakeClock } from '../../testing/fake-clock.ts';
import { directPeers, logFixture, memberId, openTreeBox, type TreeBox } from '../../testing/log-fixture.ts';
import type { PutChange } from '../tree/change.ts';
import type { LogPeers } from './log-shipping.ts';

function file(name: string, text = name): PutChange {
  const inline = utf8(text);
  const content = { depth: 0, inline } as const;
  return { op: 'put', path: [name], kind: 'file', mode: 0o644, mtimeMs: 1, size: inline.length, content };
}

test('a commit that changes nothing says how many reachable boxes have what is there already', async () => {
  const clock = new FakeClock();
  const boxes: TreeBox[] = [];
  const open = (index: number) =>
    openTreeBox(logFixture(index, clock), undefined, directPeers(memberId(index), boxes));
  const [one, two, three] = [await open(1), await open(2), await open(3)];
  boxes.push(one, two);
  await one.service.commit([file('a')]);
  await two.shipping.pullAll();
  assert.equal((await two.service.commit([file('a')])).copies, 2);
  boxes.splice(0, 1);
  assert.equal((await two.service.commit([file('a')])).copies, 1, 'the author is lost');
  boxes.push(three);
  assert.equal((await two.service.commit([file('a')])).copies, 1, 'the third box has no record of it');
  await three.shipping.pullAll();
  assert.equal((await two.service.commit([file('a')])).copies, 2);
});

test('a box that comes up again counts only when it says anew what it has', async () => {
  const clock = new FakeClock();
  const boxes: TreeBox[] = [];
  const open = (index: number) =>
    openTreeBox(logFixture(index, clock), undefined, directPeers(memberId(index), boxes));
  const [one, two] = [await open(1), await open(2)];
  boxes.push(one, two);
  assert.equal((await one.service.commit([file('a')])).copies, 2);
  boxes.pop();
  assert.equal(await one.shipping.copies(1), 1);
  boxes.push(await open(2));
  boxes[1]!.fixture.disk.fillUp();
  void one.shipping.peerUp(memberId(2));
  assert.equal(await one.shipping.copies(1), 1);
});

test('a box that claims records of ours stops our commits only when it shows one that we signed', async () => {
  const clock = new FakeClock();
  const boxes: TreeBox[] = [];
  const honest = directPeers(memberId(1), boxes);
  const claims = encodeCbor({ [toHex(memberId(1))]: 1_000_000_000 });
  let shown: readonly Bytes[] = [];
  let lies = true;
  const peers: LogPeers = {
    boxes: honest.boxes,
    request: async (id, method, payload) => {
      if (lies && method === methods.logVector) return claims;
      if (lies && method === methods.logRead) return encodeCbor(shown);
      return honest.request(id, method, payload);
    },
  };
  const one = await openTreeBox(logFixture(1, clock), undefined, peers);
  const two = await openTreeBox(logFixture(2, clock), undefined, directPeers(memberId(2), boxes));
  boxes.push(one, two);
  await two.service.commit([file('b')]);
  for (shown of [[], await two.logs.read(memberId(2), 0)]) {
    await one.shipping.pullAll();
    assert.ok(one.logs.ownIsWhole);
    assert.equal((await one.service.commit([file('a', `${shown.length}`)])).copies, 1);
  }
  lies = false;
  await one.shipping.pullAll();
  assert.equal((await one.service.commit([file('a')])).copies, 2);
});

test('a box that was put back to an older state and wrote on takes no commits once it meets its records', async () => {
  const clock = new FakeClock();
  for (const written of [1, 2, 3]) {
    const boxes: TreeBox[] = [];
    const first = await openTreeBox(logFixture(1, clock), undefined, directPeers(memberId(1), boxes));
    boxes.push(first);
    boxes.push(await openTreeBox(logFixture(2, clock), undefined, directPeers(memberId(2), boxes)));
    for (const name of ['a', 'b']) assert.equal((await first.service.commit([file(name)])).copies, 2);
    const put = boxes.pop()!;
    const back = await openTreeBox(logFixture(1, clock, 7), undefined, directPeers(memberId(1), boxes));
    boxes[0] = back;
    for (let index = 0; index < written; index++) await back.service.commit([file(`c${index}`)]);
    boxes.push(put);
    await back.shipping.pullAll();

    assert.ok(back.logs.ownIsForked);
    await assert.rejects(back.service.commit([file('d')]), { code: 'LOG_FORKED' });
  }
});
