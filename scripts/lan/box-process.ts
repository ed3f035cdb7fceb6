import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Outcome, Place, Program } from './processes.ts';

export const repositoryRoot = join(import.meta.dirname, '..', '..');

export interface BoxOptions {
  readonly name: string;
  /** Its state, its log and its disks. */
  readonly folder: string;
  /** `HOST:PORT`; without it any address and the default port. */
  readonly listen?: string;
  /** More of its command line. */
  readonly words?: readonly string[];
  /** A bundle of the program; without it, the program as it stands in the tree. */
  readonly program?: string;
}

/** What a box says when it listens. */
export interface BoxReady {
  readonly name: string;
  readonly port: number;
  /** Member id, hexadecimal. */
  readonly member: string;
  readonly claimCode: string | null;
  /** Its page for browsers, with the SHA-256 of its certificate. */
  readonly page: { readonly port: number; readonly fingerprint: string } | null;
}

const launcher = join(repositoryRoot, 'bin', 'aetherstore');

/** As the launcher gives them; a bundle also gets its thread for the kernel's notices. */
const memoryFlags = [
  '--min-semi-space-size=4',
  '--max-semi-space-size=4',
  '--initial-heap-size=64',
  '--max-old-space-size=192',
];

/** A running box program with two disks (folders). */
export class BoxProcess {
  readonly options: BoxOptions;
  readonly place: Place;
  readonly ready: BoxReady;
  readonly program: Program;

  private constructor(options: BoxOptions, place: Place, ready: BoxReady, program: Program) {
    this.options = options;
    this.place = place;
    this.ready = ready;
    this.program = program;
  }

  /** Resolves when it listens. */
  static async start(options: BoxOptions, place: Place): Promise<BoxProcess> {
    for (const disk of disksOf(options.folder)) await mkdir(disk, { recursive: true });
    const argv = options.program === undefined ? [] : [...memoryFlags, options.program];
    argv.push('--dir', options.folder, '--name', options.name, '--console', 'none', '--json-ready');
    for (const disk of disksOf(options.folder)) argv.push('--volume', disk);
    if (options.listen !== undefined) argv.push('--listen', options.listen);
    argv.push(...(options.words ?? []));
    const command = options.program === undefined ? launcher : process.execPath;
    const env = { UV_THREADPOOL_SIZE: '16' };
    const program = place.start(command, argv, { logFile: logFileOf(options.folder), env });
    try {
      const ready = await program.firstLine(parseReady, 30_000);
      return new BoxProcess(options, place, ready, program);
    } catch (error) {
      program.kill('SIGKILL');
      throw new Error(`box ${options.name} does not start (its log: ${logFileOf(options.folder)})`, {
        cause: error,
      });
    }
  }

  /** Ends it as a power cut would end a machine's programs. */
  async kill(): Promise<void> {
    this.program.kill('SIGKILL');
    await this.program.exited;
  }

  /** Asks it to stop and checks that it did so cleanly. */
  async stop(): Promise<void> {
    const exitCode = await this.program.stop();
    if (exitCode !== 0) throw new Error(`box ${this.options.name} stopped with exit code ${exitCode}`);
  }
}

export function disksOf(folder: string): readonly string[] {
  return [join(folder, 'disk1'), join(folder, 'disk2')];
}

export function logFileOf(folder: string): string {
  return `${folder}.log`;
}

/** The `aether` command as one person's computer runs it: in `place`, with its own state in `home`. */
export class Aether {
  readonly #place: Place;
  readonly #home: string;

  constructor(place: Place, home: string) {
    this.#place = place;
    this.#home = home;
  }

  /** The whole command line, for those who run it themselves. */
  argv(words: readonly string[]): readonly string[] {
    return ['env', `AETHER_HOME=${this.#home}`, ...this.#place.argv(aetherCommand, words)];
  }

  run(words: readonly string[], options: { mayFail?: boolean; timeoutMs?: number } = {}): Promise<Outcome> {
    const env = { AETHER_HOME: this.#home };
    return this.#place.run(aetherCommand, words, { env, timeoutMs: 30 * 60_000, ...options });
  }

  /** Starts a command whose lines of output are wanted as they come. */
  start(words: readonly string[], logFile?: string): Program {
    const env = { AETHER_HOME: this.#home };
    return this.#place.start(aetherCommand, words, logFile === undefined ? { env } : { env, logFile });
  }

  /** Runs with `--json` and returns what it prints, one value a line. */
  async json(words: readonly string[]): Promise<readonly JsonObject[]> {
    const { stdout } = await this.run([...words, '--json']);
    return parseJsonLines(stdout);
  }
}

export type JsonObject = Readonly<Record<string, unknown>>;

export function parseJsonLines(text: string): readonly JsonObject[] {
  return text
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as JsonObject);
}

export const aetherCommand = join(repositoryRoot, 'bin', 'aether');

function parseReady(line: string): BoxReady | undefined {
  if (!line.startsWith('{"ready":true')) return undefined;
  return JSON.parse(line) as BoxReady;
}
