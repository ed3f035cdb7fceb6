/** Runs tasks that take long on other threads. What goes in and out is copied (structured clone). */
export interface TaskPool {
  /** How many tasks run at once. */
  readonly size: number;
  /**
   * Runs one task; `onMessage` hears what it posts on the way, in order, before the promise settles. Rejects with
   * the task's `AetherError`; with `TASK_CRASHED` when its thread died, which is then replaced; with
   * `TASK_QUEUE_FULL` when too many wait already; with `TASK_POOL_CLOSED`.
   */
  run(task: unknown, onMessage?: (message: unknown) => void): Promise<unknown>;
  /** Stops every thread. Tasks under way reject with `TASK_POOL_CLOSED`. */
  close(): Promise<void>;
}

export type TaskPoolErrorCode = 'TASK_CRASHED' | 'TASK_QUEUE_FULL' | 'TASK_POOL_CLOSED' | 'TASK_FAILED';

/** What a task may do on its thread. */
export interface TaskContext {
  /** Sends `message` to whoever runs the task; the buffers of `transfer` are handed over, not copied. */
  post(message: unknown, transfer?: readonly ArrayBuffer[]): void;
}
