import { spawn } from 'node:child_process';

export interface ChildOptions {
  /** The program's path and its words. */
  readonly argv: readonly string[];
  readonly timeLimitMs: number;
  readonly heapMebibytesMax: number;
  readonly outputBytesMax: number;
}

export interface ChildOutcome {
  /** Whole lines of its standard output, those of a child that was killed too. */
  readonly lines: readonly string[];
  readonly ending: 'finished' | 'failed' | 'too slow' | 'too much output';
}

/** Runs a program of ours on our runtime, without our environment, for as long as it may. Never rejects. */
export function runChild(options: ChildOptions): Promise<ChildOutcome> {
  const { argv, timeLimitMs, heapMebibytesMax, outputBytesMax } = options;
  const flags = ['--disable-warning=ExperimentalWarning', `--max-old-space-size=${heapMebibytesMax}`];
  const child = spawn(process.execPath, [...flags, ...argv], {
    env: {},
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  let ending: ChildOutcome['ending'] | undefined;
  const end = (why: ChildOutcome['ending']) => {
    ending ??= why;
    child.kill('SIGKILL');
  };
  const timer = setTimeout(() => end('too slow'), timeLimitMs);
  const chunks: Buffer[] = [];
  let size = 0;
  child.stdout.on('data', (chunk: Buffer) => {
    size += chunk.length;
    if (size > outputBytesMax) end('too much output');
    else chunks.push(chunk);
  });
  return new Promise((resolve) => {
    const done = (exitCode: number | null) => {
      clearTimeout(timer);
      const text = Buffer.concat(chunks).toString('utf8');
      const lines = text
        .slice(0, text.lastIndexOf('\n') + 1)
        .split('\n')
        .slice(0, -1);
      resolve({ lines, ending: ending ?? (exitCode === 0 ? 'finished' : 'failed') });
    };
    child.once('error', () => done(null));
    child.once('close', done);
  });
}
