import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Bytes, fromUtf8, toHex, utf8 } from '../base/bytes.ts';
import { decodeCbor, encodeCbor } from '../base/cbor.ts';
import { FakeClock } from '../testing/fake-clock.ts';
import { directPeers, logFixture, memberId, openTreeBox, type TreeBox } from '../testing/log-fixture.ts';
import { SeededEntropy } from '../testing/seeded-entropy.ts';
import { type Change, changesToCbor, type PutChange } from './tree/change.ts';
import { entryFromCbor } from './tree/remote-entry.ts';

function file(path: string, text: string, mtimeMs = 1): PutChange {
  const inline = utf8(text);
  const content = { depth: 0, inline } as const;
  return {
    op: 'put',
    path: path.split('/'),
    kind: 'file',
    mode: 0o644,
    mtimeMs,
    size: inline.length,
    content,
  };
}

function directory(path: string, mode = 0o755): PutChange {
  return { op: 'put', path: path.split('/'), kind: 'directory', mode, mtimeMs: 5, size: 0 };
}

function remove(path: string, recursive = false): Change {
  return { op: 'remove', path: path.split('/'), recursive };
}

/** Everything in the tree as `path → text`, directories with a slash at the end. */
async function everything(
  { service }: TreeBox,
  path: readonly string[] = [],
): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  const { entries } = await service.list(path);
  for (const entry of entries) {
    const below = [...path, entry.name];
    if (entry.kind === 'directory') {
      found[`${below.join('/')}/`] = '';
      Object.assign(found, await everything({ service } as TreeBox, below));
    } else if (entry.content !== undefined && 'inline' in entry.content) {
      found[below.join('/')] = fromUtf8(entry.content.inline)!;
    }
  }
  return found;
}

test('what is put by path is there, with missing parents, and survives a restart', async () => {
  const box = await openTreeBox(logFixture(1));
  assert.deepEqual(await box.service.commit([file('a/b/c.txt', 'one'), directory('e', 0o700)]), {
    copies: 1,
  });
  const expected = { 'a/': '', 'a/b/': '', 'a/b/c.txt': 'one', 'e/': '' };
  assert.deepEqual(await everything(box), expected);
  assert.equal((await box.service.stat(['e'])).mode, 0o700);
  await box.service.close();
  assert.deepEqual(await everything(await openTreeBox(box.fixture, box.store)), expected);
  box.store.erase();
  assert.deepEqual(await everything(await openTreeBox(box.fixture, box.store)), expected);
});

test('putting again what is there already writes no operation', async () => {
  const box = await openTreeBox(logFixture(1));
  const changes = [file('a/b', 'one'), directory('c')];
  await box.service.commit(changes);
  const before = box.logs.vector();
  await box.service.commit(changes);
  assert.deepEqual(box.logs.vector(), before);
  await box.service.commit([file('a/b', 'one', 2)]);
  assert.notDeepEqual(box.logs.vector(), before);
});

test('changes see those before them in the same commit', async () => {
  const box = await openTreeBox(logFixture(1));
  await box.service.commit([file('a/b', 'one'), file('a/b', 'two'), remove('a', true), file('a/c', 'three')]);
  assert.deepEqual(await everything(box), { 'a/': '', 'a/c': 'three' });
});

test('a change that cannot be made refuses the whole commit and names itself', async () => {
  const box = await openTreeBox(logFixture(1));
  await box.service.commit([file('d/f', 'x')]);
  for (const [change, code] of [
    [file('d', 'y'), 'IS_A_DIRECTORY'],
    [directory('d/f'), 'NOT_A_DIRECTORY'],
    [file('d/f/g', 'y'), 'NOT_A_DIRECTORY'],
    [remove('d'), 'NOT_EMPTY'],
    [remove('nothing'), 'PATH_NOT_FOUND'],
    [remove('d/f/x'), 'NOT_A_DIRECTORY'],
  ] as const) {
    await assert.rejects(
      box.service.commit([file('new', 'z'), change]),
      (error: { code?: string; fields?: object }) => {
        assert.equal(error.code, code);
        assert.deepEqual((error.fields as { change: number }).change, 1);
        return true;
      },
    );
  }
  assert.deepEqual(await everything(box), { 'd/': '', 'd/f': 'x' });
});

test('hostile paths in a request are refused', async () => {
  const box = await openTreeBox(logFixture(1));
  for (const path of [['..', 'etc'], ['a/b'], ['a', ''], ['.'], ['x\0y'], Array(300).fill('d')]) {
    const change = { ...file('x', 'y'), path } as PutChange;
    const payload = encodeCbor({ seed: new Uint8Array(16), changes: changesToCbor([change]) });
    await assert.rejects(box.service.handleCommit(payload), { code: 'PATH_INVALID' });
    await assert.rejects(box.service.handleStat(encodeCbor(path)), { code: 'PATH_INVALID' });
    await assert.rejects(box.service.handleList(encodeCbor({ path })), { code: 'PATH_INVALID' });
  }
  assert.deepEqual(await everything(box), {});
});

test('malformed payloads are refused with a code', async () => {
  const box = await openTreeBox(logFixture(1));
  const { service } = box;
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 40 }), async (payload) => {
      for (const handle of [
        service.handleCommit,
        service.handleStat,
        service.handleList,
        service.handleLogAppend,
      ]) {
        await handle
          .call(service, payload)
          .catch((error: { code?: string }) => assert.ok(error.code, String(error)));
      }
    }),
    { numRuns: 50 },
  );
});

test('names that differ only in case are two files; the very same name twice gets a suffix', async () => {
  const boxes: TreeBox[] = [];
  const [one, two] = [await openTreeBox(logFixture(1)), await openTreeBox(logFixture(2))];
  boxes.push(one, two);
  await one.service.commit([file('FAQ.html', '1'), file('faq.html', '2'), file('report.txt', 'older')]);
  await two.fixture.clock.run(10);
  await two.service.commit([file('report.txt', 'newer')]);
  await two.logs.receive(await one.logs.read(memberId(1), 0));
  await one.logs.receive(await two.logs.read(memberId(2), 0));
  const shown = await everything(one);
  assert.deepEqual(await everything(two), shown);
  assert.equal(shown['report.txt'], 'newer');
  const other = Object.keys(shown).find((name) => /^report~[0-9a-f]{8}\.txt$/.test(name));
  assert.equal(shown[other!], 'older');
  assert.deepEqual([shown['FAQ.html'], shown['faq.html']], ['1', '2']);
  await one.service.commit([file(other!, 'changed')]);
  assert.equal((await everything(one))[other!], 'changed');
  assert.equal(Object.keys(shown).length, Object.keys(await everything(one)).length);
});

test('a name typed in another Unicode form is found', async () => {
  const box = await openTreeBox(logFixture(1));
  await box.service.commit([file('caf\u00e9', 'x')]);
  assert.equal((await box.service.stat(['cafe\u0301'])).name, 'cafe\u0301');
});

test('a directory is listed page by page, sorted, each entry once', async () => {
  const box = await openTreeBox(logFixture(1));
  const names = Array.from({ length: 57 }, (_, index) => `n${(index * 37) % 57}`);
  await box.service.commit(names.map((name) => file(`d/${name}`, name)));
  const seen: string[] = [];
  for (let after: string | undefined; ; after = seen[seen.length - 1]) {
    const payload = encodeCbor({ path: ['d'], after: after ?? null, limit: 10 });
    const page = decodeCbor(await box.service.handleList(payload)) as unknown as {
      entries: never[];
      more: boolean;
    };
    seen.push(...page.entries.map((entry) => entryFromCbor(entry).name));
    if (!page.more) break;
  }
  assert.deepEqual(seen, [...names].sort());
});

test('no name, no content and no target is readable in what is stored', async () => {
  const box = await openTreeBox(logFixture(1));
  const secret = 'a-name-nobody-may-read';
  await box.service.commit([file(`${secret}/x`, `${secret}${secret}`)]);
  await box.tree.flush();
  const stored: Bytes[] = [
    ...box.store.range({ from: new Uint8Array([0]), to: new Uint8Array([255]) }),
  ].flatMap(({ key, value }) => [key, value]);
  for (const path of box.fixture.disk.paths()) stored.push(box.fixture.disk.contents(path));
  assert.ok(stored.length > 6);
  for (const bytes of stored) assert.equal(Buffer.from(bytes).includes(secret.slice(0, 12)), false);
});

test('three boxes fed the same records in any order show the same tree', async () => {
  const names = ['a', 'b', 'c', 'A'];
  const path = fc
    .array(fc.constantFrom(...names), { minLength: 1, maxLength: 3 })
    .map((parts) => parts.join('/'));
  const change = fc.oneof(
    {
      weight: 4,
      arbitrary: fc.tuple(path, fc.string({ maxLength: 3 })).map(([at, text]): Change => file(at, text)),
    },
    { weight: 1, arbitrary: path.map((at): Change => directory(at)) },
    { weight: 2, arbitrary: path.map((at): Change => remove(at, true)) },
  );
  const script = fc.array(fc.tuple(fc.integer({ min: 0, max: 2 }), change, fc.boolean()), { maxLength: 25 });
  await fc.assert(
    fc.asyncProperty(script, fc.nat(), async (steps, seed) => {
      const entropy = new SeededEntropy(seed);
      const boxes = await Promise.all([1, 2, 3].map((index) => openTreeBox(logFixture(index))));
      const deliver = async (to: TreeBox, from: TreeBox) => {
        for (const [name, count] of from.logs.vector()) {
          const have = to.logs.vector().get(name) ?? 0;
          const author = memberId(Number.parseInt(name.slice(0, 2), 16));
          if (count > have) await to.logs.receive(await from.logs.read(author, have));
        }
      };
      for (const [index, one, exchange] of steps) {
        await boxes[index]!.service.commit([one]).catch((error: { code: string }) => assert.ok(error.code));
        if (exchange) await deliver(boxes[entropy.below(3)]!, boxes[entropy.below(3)]!);
      }
      for (let round = 0; round < 2; round++) {
        for (const from of [...boxes].sort(() => entropy.below(2) * 2 - 1)) {
          for (const to of boxes) await deliver(to, from);
        }
      }
      const trees = await Promise.all(boxes.map((box) => everything(box)));
      assert.deepEqual(trees[1], trees[0]);
      assert.deepEqual(trees[2], trees[0]);
      boxes[2]!.store.erase();
      const replayed = await openTreeBox(boxes[2]!.fixture, boxes[2]!.store);
      assert.deepEqual(await everything(replayed), trees[0]);
    }),
    { numRuns: 40 },
  );
});

test('a crash at any step loses no acknowledged commit, whatever the tree had written', async () => {
  for (let seed = 1; seed <= 40; seed++) {
    const fixture = logFixture(1, new FakeClock(), seed);
    const acknowledged: Record<string, string> = {};
    let box = await openTreeBox(fixture);
    let steps = seed % 19;
    fixture.disk.intercept(() => {
      if (steps-- > 0) return;
      fixture.disk.powerOff();
      box.store.powerOff();
    });
    for (let index = 0; index < 8; index++) {
      const committed = box.service.commit([file(`f${index % 5}`, `${index}`)]);
      if (index % 3 === 0) box.tree.flush().catch(() => {});
      await committed.then(
        () => {
          acknowledged[`f${index % 5}`] = `${index}`;
        },
        (error: { code: string }) => assert.ok(error.code),
      );
    }
    fixture.disk.crash();
    box.store.crash();
    box = await openTreeBox(fixture, box.store);
    const found = await everything(box);
    for (const [name, text] of Object.entries(acknowledged)) {
      assert.ok(Number(found[name]) >= Number(text), `seed ${seed}: ${name}`);
    }
    await box.service.commit([file('after', 'x')]);
  }
});

test('a commit whose record cannot be written leaves no trace in the tree', async () => {
  const box = await openTreeBox(logFixture(1));
  await box.service.commit([file('kept', 'x')]);
  box.fixture.disk.fillUp();
  const refused = [box.service.commit([file('lost/a', 'y')]), box.service.commit([file('lost/b', 'z')])];
  for (const commit of refused) await assert.rejects(commit, { code: 'DISK_FULL' });
  assert.deepEqual(await everything(box), { kept: 'x' });
  box.fixture.disk.resize(2 ** 30);
  await box.service.commit([file('lost/c', 'w')]);
  assert.deepEqual(await everything(box), { kept: 'x', 'lost/': '', 'lost/c': 'w' });
  await box.tree.flush();
  const again = await openTreeBox(box.fixture, box.store);
  assert.deepEqual(await everything(again), { kept: 'x', 'lost/': '', 'lost/c': 'w' });
});

test('a commit says two copies when another box has its record, and both show it', async () => {
  const clock = new FakeClock();
  const boxes: TreeBox[] = [];
  for (const index of [1, 2, 3]) {
    boxes.push(await openTreeBox(logFixture(index, clock), undefined, directPeers(memberId(index), boxes)));
  }
  const { copies } = await boxes[0]!.service.commit([file('a/b', 'x')]);
  assert.ok(copies >= 2);
  await clock.run(1);
  for (const box of boxes) assert.deepEqual(await everything(box), { 'a/': '', 'a/b': 'x' });
  await boxes[2]!.service.commit([file('a/b', 'y')]);
  await clock.run(1);
  for (const box of boxes) assert.deepEqual(await everything(box), { 'a/': '', 'a/b': 'y' });
});

test('a box that was away is brought up by pulling, and a box alone says one copy', async () => {
  const clock = new FakeClock();
  const boxes: TreeBox[] = [];
  const one = await openTreeBox(logFixture(1, clock), undefined, directPeers(memberId(1), boxes));
  boxes.push(one);
  for (let index = 0; index < 20; index++) {
    const { copies } = await one.service.commit([file(`f${index}`, 'x'.repeat(4000))]);
    assert.equal(copies, 1);
  }
  const two = await openTreeBox(logFixture(2, clock), undefined, directPeers(memberId(2), boxes));
  boxes.push(two);
  two.shipping.start();
  await clock.run(10_001);
  assert.deepEqual(await everything(two), await everything(one));
  assert.equal(two.logs.vector().get(toHex(memberId(1))), 20);
  two.shipping.stop();
});

test('a commit that two boxes carry out, since the first answer was lost, makes one tree', async () => {
  const clock = new FakeClock();
  const boxes: TreeBox[] = [];
  const seed = new Uint8Array(16).fill(7);
  const changes = [file('photos/a', 'x'), directory('photos/empty')];
  const one = await openTreeBox(logFixture(1, clock), undefined, directPeers(memberId(1), boxes));
  const two = await openTreeBox(logFixture(2, clock), undefined, directPeers(memberId(2), boxes));
  await one.service.commit(changes, seed);
  await two.service.commit(changes, seed);
  boxes.push(one, two);
  for (const box of boxes) await box.shipping.pullAll();
  for (const box of boxes) {
    assert.deepEqual(await everything(box), { 'photos/': '', 'photos/a': 'x', 'photos/empty/': '' });
  }
});

test('a box that lost the end of its own log fetches it back before it writes', async () => {
  const clock = new FakeClock();
  const boxes: TreeBox[] = [];
  const peersOf = (index: number) => directPeers(memberId(index), boxes);
  boxes.push(await openTreeBox(logFixture(1, clock), undefined, peersOf(1)));
  boxes.push(await openTreeBox(logFixture(2, clock), undefined, peersOf(2)));
  const [one] = boxes as [TreeBox];
  for (const name of ['a', 'b', 'c']) await one.service.commit([file(name, name)]);
  await one.tree.flush();
  await one.service.close();
  await one.fixture.disk.remove(`log/${toHex(memberId(1))}.log`);
  const back = await openTreeBox(one.fixture, one.store, peersOf(1));
  boxes[0] = back;
  await assert.rejects(back.service.commit([file('d', 'd')]), { code: 'LOG_CORRUPT' });
  await back.shipping.pullAll();
  await back.service.commit([file('d', 'd')]);
  assert.deepEqual(await everything(back), { a: 'a', b: 'b', c: 'c', d: 'd' });
});

test('a tree that cannot be written goes on from its logs, and is written when it can be', async () => {
  const box = await openTreeBox(logFixture(1));
  await box.service.commit([file('a', '1')]);
  box.store.fail('DISK_FULL');
  await assert.rejects(box.tree.flush(), { code: 'DISK_FULL' });
  await box.service.commit([file('b', '2'), remove('a')]);
  await assert.rejects(box.tree.flush(), { code: 'DISK_FULL' });
  assert.deepEqual(await everything(box), { b: '2' });
  box.store.fail(undefined);
  await box.service.commit([file('c', '3')]);
  await box.tree.flush();
  const own = box.logs.vector().get(toHex(memberId(1)));
  box.store.crash();
  const again = await openTreeBox(box.fixture, box.store);
  assert.equal(again.tree.position(memberId(1)), own);
  assert.deepEqual(await everything(again), { b: '2', c: '3' });
});
