import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AetherError } from '../base/errors.ts';
import { silentLog } from '../base/log.ts';
import { FakeClock } from '../testing/fake-clock.ts';
import { CatchUp } from './catch-up.ts';
import type { HeardSummary } from './pool-summary.ts';

const digest = (byte: number) => new Uint8Array(32).fill(byte);
const author = 'ab'.repeat(32);
const peer = new Uint8Array(32).fill(5);

/** What a peer says: its member set, and how many records of `author` it has. */
function said(members: number, count: number): HeardSummary {
  return { members: digest(members).subarray(0, 8), logs: new Map([[author.slice(0, 16), count]]) };
}

function start() {
  const clock = new FakeClock();
  const box = { members: 1, count: 5, isReachable: true, asked: [] as string[], fails: false };
  const answer = async (what: string) => {
    box.asked.push(`${what} at ${clock.monotonicMs()}`);
    if (box.fails) throw new AetherError('PEER_UNREACHABLE', 'gone');
  };
  const catchUp = new CatchUp(
    {
      ours: () => ({ members: digest(box.members), logs: new Map([[author, box.count]]) }),
      isReachable: () => box.isReachable,
      exchangeMembers: () => answer('members'),
      pullLogs: () => answer('logs'),
    },
    { clock, log: silentLog },
  );
  return { clock, box, catchUp };
}

test('who has the same, or less, is not asked', async () => {
  const { clock, box, catchUp } = start();
  catchUp.hear(peer, said(1, 5));
  catchUp.hear(peer, said(1, 4));
  await clock.run(10_000);
  assert.deepEqual(box.asked, []);
});

test('who has more is asked once, however often it says so meanwhile: members first', async () => {
  const { clock, box, catchUp } = start();
  for (let count = 6; count < 20; count++) catchUp.hear(peer, said(2, count));
  await clock.run(10_000);
  assert.deepEqual(box.asked, ['members at 300', 'logs at 300']);
});

test('what is pushed in the meantime is not asked for', async () => {
  const { clock, box, catchUp } = start();
  catchUp.hear(peer, said(1, 6));
  await clock.run(100);
  box.count = 6;
  await clock.run(10_000);
  assert.deepEqual(box.asked, []);
});

test('who is not connected, and whoever speaks after the stop, is not asked', async () => {
  const { clock, box, catchUp } = start();
  box.isReachable = false;
  catchUp.hear(peer, said(1, 6));
  await clock.run(1000);
  box.isReachable = true;
  catchUp.hear(peer, said(1, 6));
  catchUp.stop();
  await clock.run(1000);
  assert.deepEqual(box.asked, []);
});

test('a peer that fails is asked again when it speaks again', async () => {
  const { clock, box, catchUp } = start();
  box.fails = true;
  catchUp.hear(peer, said(2, 6));
  await clock.run(1000);
  box.fails = false;
  catchUp.hear(peer, said(1, 6));
  await clock.run(1000);
  assert.deepEqual(box.asked, ['members at 300', 'logs at 1300']);
});
