/** The program of a worker that the tests of the task pool use. */
import { AetherError } from '../base/errors.ts';
import { serveTasks } from '../platform/node-task-pool.ts';

export type TestTask =
  | { readonly kind: 'add'; readonly by: number }
  | { readonly kind: 'post'; readonly sizes: readonly number[] }
  | { readonly kind: 'throw' }
  | { readonly kind: 'bug' }
  | { readonly kind: 'die' }
  | { readonly kind: 'wait'; readonly cells: Int32Array };

serveTasks((setup: { readonly base: number }) => {
  let runs = 0;
  return (task: TestTask, { post }) => {
    runs++;
    switch (task.kind) {
      case 'add':
        return setup.base + task.by;
      case 'post':
        for (const size of task.sizes) {
          const bytes = new Uint8Array(new ArrayBuffer(size)).fill(size);
          post(bytes, [bytes.buffer]);
        }
        return runs;
      case 'throw':
        throw new AetherError('TEST_CODE', 'as asked', { help: 'None.', fields: { runs } });
      case 'bug':
        throw new TypeError('a bug');
      case 'die':
        return process.exit(3);
      case 'wait':
        Atomics.wait(task.cells, 0, 0);
        return 'woken';
    }
  };
});
