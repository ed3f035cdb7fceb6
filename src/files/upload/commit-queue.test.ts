import assert from 'node:assert/strict';
import { test } from 'node:test';
import { uploadCommitDelayMs, uploadCommitsMax } from '../../base/limits.ts';
import { FakeClock, settle } from '../../testing/fake-clock.ts';
import { CommitQueue } from './commit-queue.ts';

interface Asked {
  readonly answer: () => void;
  readonly fail: (error: Error) => void;
}

/** A queue whose commits wait to be answered, with one change in each of the first `count`. */
async function queueWith(count: number) {
  const clock = new FakeClock();
  const asked: Asked[] = [];
  const stored: string[] = [];
  const commit = () =>
    new Promise<{ copies: number }>((resolve, reject) =>
      asked.push({ answer: () => resolve({ copies: 2 }), fail: reject }),
    );
  const queue = new CommitQueue<string>({ clock, commit }, ({ item }) => stored.push(item));
  for (let index = 0; index < count; index++) {
    const name = `d${index}`;
    await queue.add({ op: 'put', path: [name], kind: 'directory', mode: 0o755, mtimeMs: 1, size: 0 }, name);
    await clock.run(uploadCommitDelayMs);
  }
  return { queue, asked, stored };
}

test('what waits for its turn to be sent is waited for', async () => {
  const { queue, asked, stored } = await queueWith(uploadCommitsMax + 1);
  assert.equal(asked.length, uploadCommitsMax);
  let drained = false;
  const draining = queue.drain().then(() => {
    drained = true;
  });
  for (const { answer } of asked) answer();
  await settle();
  assert.equal(asked.length, uploadCommitsMax + 1);
  assert.equal(drained, false);
  asked[uploadCommitsMax]!.answer();
  await draining;
  assert.equal(stored.length, uploadCommitsMax + 1);
});

test('after a commit that failed as a whole nothing more is sent', async () => {
  const { queue, asked, stored } = await queueWith(uploadCommitsMax + 2);
  const lost = new Error('nobody answers');
  const draining = assert.rejects(queue.drain(), lost);
  asked[0]!.fail(lost);
  for (const { answer } of asked.slice(1)) answer();
  await draining;
  assert.equal(asked.length, uploadCommitsMax);
  assert.equal(stored.length, uploadCommitsMax - 1);
});
