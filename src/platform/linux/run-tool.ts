import { execFile } from 'node:child_process';
import { smartBytesMax, smartTimeoutMs } from '../../base/face-limits.ts';

/** What a tool of the system answered; `exitCode` null: it could not be run, or took too long. */
export interface ToolAnswer {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

const killedWithinMs = 1000;

/**
 * Runs a tool of the system, without a shell, for a bounded time and with bounded output. One that cannot be killed, since
 * it waits in the kernel for a disk, is left to itself. Never rejects.
 */
export function runTool(
  command: string,
  words: readonly string[],
  timeoutMs = smartTimeoutMs,
): Promise<ToolAnswer> {
  const options = {
    timeout: timeoutMs,
    killSignal: 'SIGKILL' as const,
    maxBuffer: smartBytesMax,
    // An ordinary user's PATH lacks the folders of the system's tools.
    env: { ...process.env, PATH: `${process.env.PATH ?? ''}:/usr/sbin:/sbin`, LC_ALL: 'C' },
  };
  return new Promise((resolve) => {
    const child = execFile(command, [...words], options, (error, stdout, stderr) => {
      clearTimeout(left);
      const code = error === null ? 0 : error.code;
      resolve({ exitCode: typeof code === 'number' ? code : null, stdout, stderr });
    });
    const left = setTimeout(() => {
      child.unref();
      resolve({ exitCode: null, stdout: '', stderr: '' });
    }, timeoutMs + killedWithinMs);
  });
}
