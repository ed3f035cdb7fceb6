import { parentPort, type Transferable, Worker, workerData } from 'node:worker_threads';
import { assert } from '../base/assert.ts';
import { AetherError, type ErrorFields } from '../base/errors.ts';
import { tasksWaitingMax } from '../base/limits.ts';
import type { TaskContext, TaskPool, TaskPoolErrorCode } from '../ports/task-pool.ts';

export interface NodeTaskPoolOptions {
  /** The worker's program; it calls {@link serveTasks}. */
  readonly program: URL;
  readonly size: number;
  /** Given to each worker at its start. */
  readonly setup: unknown;
}

/**
 * Of a thread. What the ciphers give out is memory outside V8's heap, which it frees with the young objects that hold
 * it: where these are few it is used again while it is in the processor's cache (sealing is a tenth faster).
 */
const maxYoungGenerationSizeMb = 2;

interface Task {
  readonly input: unknown;
  readonly onMessage: ((message: unknown) => void) | undefined;
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: unknown) => void;
}

type FromWorker =
  | { readonly kind: 'message'; readonly message: unknown }
  | { readonly kind: 'done'; readonly result: unknown }
  | { readonly kind: 'failed'; readonly error: WireError };

interface WireError {
  readonly code: string | undefined;
  readonly message: string;
  readonly help: string;
  readonly fields: ErrorFields;
}

/** Worker threads, started when first needed or by `warmUp`, one task each at a time. */
export class NodeTaskPool implements TaskPool {
  readonly size: number;
  readonly #options: NodeTaskPoolOptions;
  readonly #waiting: Task[] = [];
  readonly #idle: Worker[] = [];
  readonly #busy = new Map<Worker, Task>();
  #closed = false;

  constructor(options: NodeTaskPoolOptions) {
    assert(options.size > 0, 'a pool has workers');
    this.size = options.size;
    this.#options = options;
  }

  /** Starts all threads, so that they are ready by the time that there is something to do. */
  warmUp(): void {
    while (this.#idle.length + this.#busy.size < this.size) this.#idle.push(this.#start());
  }

  run(input: unknown, onMessage?: (message: unknown) => void): Promise<unknown> {
    if (this.#closed) return Promise.reject(failure('TASK_POOL_CLOSED', 'the task pool is closed'));
    if (this.#waiting.length >= tasksWaitingMax) {
      return Promise.reject(failure('TASK_QUEUE_FULL', 'too many tasks wait'));
    }
    return new Promise((resolve, reject) => {
      this.#waiting.push({ input, onMessage, resolve, reject });
      this.#next();
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    const workers = [...this.#idle, ...this.#busy.keys()];
    const tasks = [...this.#waiting.splice(0), ...this.#busy.values()];
    this.#busy.clear();
    for (const { reject } of tasks) reject(failure('TASK_POOL_CLOSED', 'the task pool was closed'));
    await Promise.all(workers.map((worker) => worker.terminate()));
  }

  #next(): void {
    while (this.#waiting.length > 0) {
      const worker = this.#idle.pop() ?? (this.#busy.size < this.size ? this.#start() : undefined);
      if (worker === undefined) return;
      const task = this.#waiting.shift()!;
      this.#busy.set(worker, task);
      worker.postMessage(task.input);
    }
  }

  #start(): Worker {
    const { program, setup } = this.#options;
    const worker = new Worker(program, { workerData: setup, resourceLimits: { maxYoungGenerationSizeMb } });
    worker.on('message', (message: FromWorker) => this.#hear(worker, message));
    worker.on('error', (cause) => this.#lost(worker, cause));
    worker.on('exit', () => this.#lost(worker, undefined));
    return worker;
  }

  #hear(worker: Worker, message: FromWorker): void {
    const task = this.#busy.get(worker);
    if (task === undefined) return;
    if (message.kind === 'message') {
      task.onMessage?.(message.message);
      return;
    }
    this.#busy.delete(worker);
    this.#idle.push(worker);
    if (message.kind === 'done') task.resolve(message.result);
    else task.reject(fromWire(message.error));
    this.#next();
  }

  #lost(worker: Worker, cause: unknown): void {
    const idle = this.#idle.indexOf(worker);
    if (idle >= 0) this.#idle.splice(idle, 1);
    const task = this.#busy.get(worker);
    this.#busy.delete(worker);
    task?.reject(failure('TASK_CRASHED', 'the thread of a task died', cause));
    this.#next();
  }
}

/** In a worker: runs `handle` for each task. What `prepare` makes of the pool's `setup` is made once. */
export function serveTasks<Setup, Input>(
  prepare: (setup: Setup) => (input: Input, context: TaskContext) => unknown,
): void {
  assert(parentPort !== null, 'serveTasks runs in a worker');
  const port = parentPort;
  const handle = prepare(workerData as Setup);
  const context: TaskContext = {
    post: (message, transfer = []) =>
      port.postMessage({ kind: 'message', message }, transfer as readonly Transferable[]),
  };
  port.on('message', async (input: Input) => {
    try {
      port.postMessage({ kind: 'done', result: await handle(input, context) });
    } catch (error) {
      port.postMessage({ kind: 'failed', error: toWire(error) });
    }
  });
}

function toWire(error: unknown): WireError {
  if (error instanceof AetherError) {
    return { code: error.code, message: error.message, help: error.help, fields: error.fields };
  }
  const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return { code: undefined, message, help: '', fields: {} };
}

function fromWire({ code, message, help, fields }: WireError): AetherError {
  return new AetherError(code ?? 'TASK_FAILED', message, { help, fields });
}

function failure(code: TaskPoolErrorCode, message: string, cause?: unknown): AetherError<TaskPoolErrorCode> {
  return new AetherError(code, message, { cause });
}
