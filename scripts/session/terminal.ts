import { type ChildProcess, spawn } from 'node:child_process';

const commandTimeoutMs = 60_000;
/** npm, and set-up where it has something to do. */
export const startTimeoutMs = 120_000;
const answerTimeoutMs = 15_000;
const settleMs = 150;
/** An answer that has begun and does not go on for so long has ended. */
const quietMsMax = 5000;

export interface Outcome {
  readonly exitStatus: number | null;
  readonly lines: readonly string[];
}

/** A person's terminal: commands run one after the other; one that goes on (a box) is typed to and stopped. */
export class Terminal {
  readonly #options: { readonly cwd: string; readonly env: Readonly<Record<string, string>> };
  /** What was exported; each command runs in a shell of its own. */
  #exports = '';
  #running: Running | undefined;

  constructor(options: { readonly cwd: string; readonly env: Readonly<Record<string, string>> }) {
    this.#options = options;
  }

  /** Runs a command to its end. */
  async run(command: string): Promise<Outcome> {
    if (command.startsWith('export ')) this.#exports += `${command}\n`;
    const running = this.#spawn(command);
    running.child.stdin?.end();
    const exitStatus = await running.ended(commandTimeoutMs);
    return { exitStatus, lines: running.takeLines() };
  }

  /** Starts a command that goes on. */
  start(command: string): void {
    // Without a shell in between, whose end an interrupt would be.
    this.#running = this.#spawn(`exec ${command}`);
  }

  /** Types a line to what goes on. */
  type(text: string): void {
    this.#needRunning().child.stdin?.write(`${text}\n`);
  }

  /** What has been printed since last asked, once it is whole, or has begun and does not go on. */
  async answer(
    stageOf: (lines: readonly string[]) => 'none' | 'begun' | 'whole',
    timeoutMs = answerTimeoutMs,
  ): Promise<readonly string[]> {
    const running = this.#needRunning();
    const limitMs = performance.now() + timeoutMs;
    while (performance.now() < limitMs && running.exitStatus === undefined) {
      const stage = stageOf(running.lines);
      if (stage === 'whole' || (stage === 'begun' && running.quietMs() > quietMsMax)) break;
      await pause(50);
    }
    // What belongs to the answer has been written by now, and so has what does not.
    await pause(settleMs);
    return running.takeLines();
  }

  /** Ctrl-C: interrupts what goes on, and everything it has started, and waits for its end. */
  async interrupt(): Promise<readonly string[]> {
    const running = this.#needRunning();
    running.signal('SIGINT');
    await running.ended(answerTimeoutMs);
    this.#running = undefined;
    return running.takeLines();
  }

  /** Ends what still goes on. */
  async close(): Promise<void> {
    if (this.#running === undefined) return;
    this.#running.signal('SIGTERM');
    await this.#running.ended(answerTimeoutMs).catch(() => this.#running?.signal('SIGKILL'));
    this.#running = undefined;
  }

  #spawn(command: string): Running {
    const { cwd, env } = this.#options;
    // In a terminal, results and remarks come in one stream.
    const child = spawn('sh', ['-c', `${this.#exports}exec 2>&1\n${command}`], {
      cwd,
      env: { ...process.env, ...env },
      // A process group of its own, as a terminal makes one: an interrupt goes to all of it, and to nobody else.
      detached: true,
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    return new Running(child);
  }

  #needRunning(): Running {
    if (this.#running === undefined) throw new Error('nothing goes on in this terminal');
    return this.#running;
  }
}

class Running {
  readonly child: ChildProcess;
  /** Undefined while it runs; null when a signal ended it. */
  exitStatus: number | null | undefined;
  #text = '';
  #heardMs = performance.now();
  readonly #end: Promise<void>;

  constructor(child: ChildProcess) {
    this.child = child;
    child.stdin?.on('error', () => {});
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.#text += text;
      this.#heardMs = performance.now();
    });
    this.#end = new Promise((resolve) => {
      child.once('close', (status) => {
        this.exitStatus = status;
        resolve();
      });
    });
  }

  get lines(): readonly string[] {
    if (this.#text === '') return [];
    return this.#text.replace(/\n$/, '').split('\n');
  }

  /** How long nothing has been printed. */
  quietMs(): number {
    return performance.now() - this.#heardMs;
  }

  takeLines(): readonly string[] {
    const { lines } = this;
    this.#text = '';
    return lines;
  }

  signal(name: NodeJS.Signals): void {
    const { pid } = this.child;
    if (pid === undefined || this.exitStatus !== undefined) return;
    try {
      process.kill(-pid, name);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  }

  async ended(timeoutMs: number): Promise<number | null> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        this.signal('SIGKILL');
        reject(new Error(`it did not end within ${timeoutMs} ms; it printed:\n${this.#text}`));
      }, timeoutMs);
    });
    try {
      await Promise.race([this.#end, late]);
    } finally {
      clearTimeout(timer);
    }
    return this.exitStatus ?? null;
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
