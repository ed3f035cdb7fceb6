import { type SpawnSyncOptions, spawnSync } from 'node:child_process';

export interface ToolOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** What it is given to read. */
  readonly input?: string | Uint8Array;
  /** What it prints goes to this descriptor, and to nobody else. */
  readonly output?: number;
}

/** A megabyte of text is what the most talkative of our tools prints; a manifest of files is larger. */
const outputBytesMax = 256 * 1024 * 1024;

/** Runs a program to its end and returns what it printed. Throws with its last words when it fails or is not there. */
export function run(program: string, words: readonly string[], options: ToolOptions = {}): string {
  return runForBytes(program, words, options).toString();
}

/** The same for a program that prints something else than text. */
export function runForBytes(program: string, words: readonly string[], options: ToolOptions = {}): Buffer {
  const { cwd, env, input, output } = options;
  const spawnOptions: SpawnSyncOptions = {
    env: { ...process.env, LC_ALL: 'C.UTF-8', ...env },
    stdio: [input === undefined ? 'ignore' : 'pipe', output ?? 'pipe', 'pipe'],
    maxBuffer: outputBytesMax,
    ...(cwd === undefined ? {} : { cwd }),
    ...(input === undefined ? {} : { input }),
  };
  const { status, signal, stdout, stderr, error } = spawnSync(program, words, spawnOptions);
  if (error !== undefined) throw new Error(`${program}: ${error.message}`);
  if (status !== 0) {
    const said = [stdout, stderr].map((text) => text?.toString().trim() ?? '').join('\n');
    const last = said.trim().split('\n').slice(-12).join('\n  ');
    throw new Error(`${program} ${words.join(' ').slice(0, 200)}: ${signal ?? `exit ${status}`}\n  ${last}`);
  }
  return Buffer.from(stdout ?? '');
}

/** Whether a program of this name can be run here. */
export function isInstalled(program: string): boolean {
  return spawnSync('sh', ['-c', `command -v "$0"`, program], { stdio: 'ignore' }).status === 0;
}
