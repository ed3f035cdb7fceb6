import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pairingLockMs, pairingTriesMax } from '../../base/limits.ts';
import {
  anna,
  boxA,
  claimedBox,
  entropy,
  newPool,
  pair,
  TestBox,
  wrong,
} from '../../testing/pairing-fixture.ts';
import { claimCodePath } from './code-file.ts';
import { PagePairing } from './page-pairing.ts';

function pageOf(box: TestBox): PagePairing {
  const { host, enrolment, identity, clock } = box;
  return new PagePairing({ host, enrolment, identity, name: 'aether-3f2a' }, { clock, entropy });
}

test('a pool is made of the box alone, once its words are on paper, and not before', async () => {
  const box = await TestBox.start(boxA);
  const page = pageOf(box);
  await page.prove(box.code);
  const pool = page.newPool();
  assert.equal(pool.words.length, 24);
  assert.equal(page.claimed, false);
  await box.restart();
  assert.ok(box.code !== undefined, 'the code is still good');
  const again = pageOf(box);
  await again.prove(box.code);
  await again.newPool().finish();
  assert.equal(again.claimed, true);
  assert.deepEqual(
    box.enrolment.enrolled!.roster.members().map(({ name, role }) => [name, role]),
    [['aether-3f2a', 'box']],
  );
  assert.ok(!box.disk.paths().includes(claimCodePath));
});

test('who comes second is told so, and nothing of the first claim changes', async () => {
  const box = await TestBox.start(boxA);
  const page = pageOf(box);
  await page.prove(box.code);
  const pool = page.newPool();
  await pair(box, anna, box.code, newPool(box.clock).message);
  const members = box.enrolment.enrolled!.roster.members().length;
  await assert.rejects(pool.finish(), { code: 'ALREADY_CLAIMED' });
  assert.equal(box.enrolment.enrolled!.roster.members().length, members);
});

test('wrong codes on the page spend the same tries as those of desktops, and lock the same', async () => {
  const box = await TestBox.start(boxA);
  const page = pageOf(box);
  const code = box.code;
  for (let tries = 1; tries < pairingTriesMax; tries++) {
    await assert.rejects(page.prove(wrong(code)), { code: 'PAIRING_CODE_WRONG' });
  }
  await assert.rejects(page.prove('not a code at all'), { code: 'PAIRING_LOCKED' });
  await assert.rejects(page.prove(code), { code: 'PAIRING_LOCKED' });
  await box.clock.run(pairingLockMs);
  await assert.rejects(page.prove(code), { code: 'PAIRING_CODE_WRONG' }, 'a new code was made');
  await page.prove(box.code);
});

test('a login code opens the page once', async () => {
  const { box } = await claimedBox();
  const page = pageOf(box);
  await assert.rejects(page.prove('0000-0000'), { code: 'PAIRING_NO_CODE' });
  const code = box.host.requestLoginCode();
  await page.prove(code.toLowerCase());
  await assert.rejects(page.prove(code), { code: 'PAIRING_NO_CODE' });
});
