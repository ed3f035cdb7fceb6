import { AetherError } from '../base/errors.ts';
import type { TaskContext, TaskPool } from '../ports/task-pool.ts';

/** Runs tasks on the calling thread, one after another, in a later turn. */
export class InlineTaskPool implements TaskPool {
  readonly size = 2;
  readonly #handle: (task: never, context: TaskContext) => unknown;
  /** Tasks from now on die on the way, after they have posted what they did. */
  crashing = false;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(handle: (task: never, context: TaskContext) => unknown) {
    this.#handle = handle;
  }

  run(task: unknown, onMessage: (message: unknown) => void = () => {}): Promise<unknown> {
    const run = async () => {
      if (this.crashing) throw new AetherError('TASK_CRASHED', 'the thread of a task died');
      return this.#handle(task as never, { post: onMessage });
    };
    const result = this.#turn.then(run);
    this.#turn = result.catch(() => {});
    return result;
  }

  async close(): Promise<void> {}
}
