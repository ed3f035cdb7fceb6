import { type ChildProcess, spawn } from 'node:child_process';
import { createWriteStream, readFileSync } from 'node:fs';

/** Somewhere programs run: this machine, or one host of the LAN. */
export interface Place {
  readonly name: string;
  /** The command line that runs `command` there. */
  argv(command: string, args: readonly string[]): readonly string[];
  /** Runs a program to its end. Throws {@link CommandFailed} unless it exits 0 or `mayFail` is set. */
  run(command: string, args: readonly string[], options?: RunOptions): Promise<Outcome>;
  /** Starts a program and returns at once. */
  start(command: string, args: readonly string[], options?: StartOptions): Program;
}

export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly input?: string;
  /** After this many milliseconds the program is killed and the run fails. */
  readonly timeoutMs?: number;
  readonly mayFail?: boolean;
}

export interface StartOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** File that stderr is appended to; without it stderr is dropped. */
  readonly logFile?: string;
}

export interface Outcome {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly seconds: number;
}

export class CommandFailed extends Error {
  override readonly name = 'CommandFailed';
  readonly outcome: Outcome;

  constructor(argv: readonly string[], outcome: Outcome, why = `exit code ${outcome.exitCode}`) {
    const said = (outcome.stderr.trim() || outcome.stdout.trim()).split('\n').slice(-8).join('\n');
    super(`${argv.join(' ')}: ${why}${said === '' ? '' : `\n${said}`}`);
    this.outcome = outcome;
  }
}

/** This machine, as it is. */
export const thisMachine: Place = {
  name: 'this machine',
  argv: (command, args) => [command, ...args],
  run: (command, args, options) => runProgram([command, ...args], options),
  start: (command, args, options) => new Program([command, ...args], options),
};

/** How a place starts programs: who is told of each child, and what errors call the command. */
export interface Launch {
  readonly watch: (child: ChildProcess) => void;
  readonly shown: readonly string[];
}

export async function runProgram(
  argv: readonly string[],
  options: RunOptions = {},
  launch?: Launch,
): Promise<Outcome> {
  const startedMs = performance.now();
  const child = spawn(argv[0]!, argv.slice(1), {
    cwd: options.cwd,
    env: { ...process.env, ...options.env },
    stdio: [options.input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
  });
  launch?.watch(child);
  const stdout = collect(child, 'stdout');
  const stderr = collect(child, 'stderr');
  if (options.input !== undefined) {
    // A program that ends without reading its input is judged by its exit code, not by the broken pipe.
    child.stdin!.on('error', () => {});
    child.stdin!.end(options.input);
  }
  let timedOut = false;
  const timer =
    options.timeoutMs === undefined
      ? undefined
      : setTimeout(() => {
          timedOut = true;
          child.kill('SIGKILL');
        }, options.timeoutMs);
  const exitCode = await exitOf(child);
  clearTimeout(timer);
  const seconds = (performance.now() - startedMs) / 1000;
  const outcome = { exitCode, stdout: stdout(), stderr: stderr(), seconds };
  const shown = launch?.shown ?? argv;
  if (timedOut) throw new CommandFailed(shown, outcome, `no end after ${options.timeoutMs} ms`);
  if (exitCode !== 0 && options.mayFail !== true) throw new CommandFailed(shown, outcome);
  return outcome;
}

/** A program that runs until it ends or is killed; its stdout is read line by line. */
export class Program {
  readonly exited: Promise<number>;
  readonly #child: ChildProcess;
  readonly #shown: readonly string[];
  readonly #lines: string[] = [];
  readonly #listeners = new Set<(line: string) => void>();
  #exitCode: number | undefined;

  constructor(argv: readonly string[], options: StartOptions = {}, launch?: Launch) {
    this.#shown = launch?.shown ?? argv;
    this.#child = spawn(argv[0]!, argv.slice(1), {
      cwd: options.cwd,
      env: { ...process.env, ...options.env },
      stdio: ['ignore', 'pipe', options.logFile === undefined ? 'ignore' : 'pipe'],
    });
    launch?.watch(this.#child);
    if (options.logFile !== undefined) {
      this.#child.stderr!.pipe(createWriteStream(options.logFile, { flags: 'a' }));
    }
    splitLines(this.#child, (line) => {
      this.#lines.push(line);
      for (const listener of this.#listeners) listener(line);
    });
    this.exited = exitOf(this.#child).then((code) => {
      this.#exitCode = code;
      return code;
    });
  }

  get pid(): number {
    return this.#child.pid ?? -1;
  }

  get running(): boolean {
    return this.#exitCode === undefined;
  }

  /** Calls `listener` for every line of stdout, those already printed first. */
  onLine(listener: (line: string) => void): void {
    for (const line of this.#lines) listener(line);
    this.#listeners.add(listener);
  }

  /** The first line of stdout that `accept` turns into something. Rejects when the program ends or time is up. */
  async firstLine<T>(accept: (line: string) => T | undefined, timeoutMs: number): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const timer = setTimeout(() => reject(new Error(this.#silence(`${timeoutMs} ms passed`))), timeoutMs);
    void this.exited.then((code) => reject(new Error(this.#silence(`it ended with exit code ${code}`))));
    this.onLine((line) => {
      const value = accept(line);
      if (value !== undefined) resolve(value);
    });
    return promise.finally(() => clearTimeout(timer));
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Asks it to end (SIGTERM), kills it after `graceMs`, and resolves with its exit code. */
  async stop(graceMs = 10_000): Promise<number> {
    this.kill('SIGTERM');
    const timer = setTimeout(() => this.kill('SIGKILL'), graceMs);
    return this.exited.finally(() => clearTimeout(timer));
  }

  #silence(why: string): string {
    const last = this.#lines.slice(-5).join('\n');
    return `${this.#shown.join(' ')} did not say what was awaited: ${why}${last === '' ? '' : `; it said:\n${last}`}`;
  }
}

/** Resolves with the exit code, or 128 and the signal's number, or 127 when there is no such program. */
async function exitOf(child: ChildProcess): Promise<number> {
  const { promise, resolve } = Promise.withResolvers<number>();
  child.once('error', () => resolve(127));
  child.once('close', (code, signal) => resolve(code ?? 128 + signalNumber(signal)));
  return promise;
}

function signalNumber(signal: NodeJS.Signals | null): number {
  return { SIGHUP: 1, SIGINT: 2, SIGKILL: 9, SIGTERM: 15 }[signal as string] ?? 0;
}

function collect(child: ChildProcess, name: 'stdout' | 'stderr'): () => string {
  const parts: Buffer[] = [];
  child[name]!.on('data', (part: Buffer) => parts.push(part));
  return () => Buffer.concat(parts).toString('utf8');
}

function splitLines(child: ChildProcess, listener: (line: string) => void): void {
  let rest = '';
  child.stdout!.setEncoding('utf8').on('data', (text: string) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop()!;
    for (const line of lines) listener(line);
  });
}

/** Seconds of processor time that a running process has used so far (proc(5): utime and stime, a hundred ticks a second). */
export function cpuSecondsOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /s, '')
    .split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}
