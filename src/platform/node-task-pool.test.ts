import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { tasksWaitingMax } from '../base/limits.ts';
import type { TestTask } from '../testing/task-worker.ts';
import { NodeTaskPool } from './node-task-pool.ts';

function newPool(context: TestContext, size = 2): NodeTaskPool {
  const program = new URL('../testing/task-worker.ts', import.meta.url);
  const pool = new NodeTaskPool({ program, size, setup: { base: 100 } });
  context.after(() => pool.close());
  return pool;
}

const add = (by: number): TestTask => ({ kind: 'add', by });

test('tasks beyond the threads wait, and each gets its own answer', async (context) => {
  const pool = newPool(context);
  const answers = await Promise.all([1, 2, 3, 4, 5, 6].map((by) => pool.run(add(by))));
  assert.deepEqual(answers, [101, 102, 103, 104, 105, 106]);
});

test('threads that were warmed up take the tasks', async (context) => {
  const pool = newPool(context);
  pool.warmUp();
  pool.warmUp();
  assert.deepEqual(await Promise.all([1, 2, 3].map((by) => pool.run(add(by)))), [101, 102, 103]);
});

test('what a task posts comes in order, before its answer', async (context) => {
  const pool = newPool(context);
  const sizes: number[] = [];
  await pool.run({ kind: 'post', sizes: [3, 200, 7] } satisfies TestTask, (message) => {
    const bytes = message as Uint8Array;
    assert.ok(bytes.every((byte) => byte === bytes.length));
    sizes.push(bytes.length);
  });
  assert.deepEqual(sizes, [3, 200, 7]);
});

test('an error keeps its code, fields and help; a bug is TASK_FAILED; the thread goes on', async (context) => {
  const pool = newPool(context, 1);
  const error = { code: 'TEST_CODE', message: 'as asked', help: 'None.', fields: { runs: 1 } };
  await assert.rejects(pool.run({ kind: 'throw' } satisfies TestTask), error);
  await assert.rejects(pool.run({ kind: 'bug' } satisfies TestTask), {
    code: 'TASK_FAILED',
    message: /a bug/,
  });
  assert.equal(await pool.run(add(1)), 101);
});

test('a thread that dies rejects its task alone, and is replaced', async (context) => {
  const pool = newPool(context, 1);
  const [died, after] = [pool.run({ kind: 'die' } satisfies TestTask), pool.run(add(2))];
  await assert.rejects(died, { code: 'TASK_CRASHED' });
  assert.equal(await after, 102);
});

test('the queue is bounded, and closing rejects what is under way', async (context) => {
  const pool = newPool(context, 1);
  const cells = new Int32Array(new SharedArrayBuffer(4));
  const tasks = Array.from({ length: tasksWaitingMax + 1 }, () =>
    pool.run({ kind: 'wait', cells } satisfies TestTask),
  );
  const settled = Promise.allSettled(tasks);
  await assert.rejects(pool.run(add(1)), { code: 'TASK_QUEUE_FULL' });
  await pool.close();
  for (const result of await settled) {
    assert.equal(result.status === 'rejected' && result.reason.code, 'TASK_POOL_CLOSED');
  }
  await assert.rejects(pool.run(add(1)), { code: 'TASK_POOL_CLOSED' });
});
