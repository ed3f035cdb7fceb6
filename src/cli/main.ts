import { fstatSync, writeFileSync } from 'node:fs';
import { availableParallelism, homedir, hostname } from 'node:os';
import { join, resolve } from 'node:path';
import { AetherError } from '../base/errors.ts';
import { didYouMean } from '../base/nearest.ts';
import { version } from '../base/version.ts';
import { NodeDisk } from '../platform/node-disk.ts';
import { askOnTerminal } from '../platform/node-prompt.ts';
import { optionLines, parseCommandLine, usageError } from './arguments.ts';
import { type Command, commonOptions } from './command.ts';
import { claim } from './commands/claim.ts';
import { console } from './commands/console.ts';
import { get } from './commands/get.ts';
import { login } from './commands/login.ts';
import { ls } from './commands/ls.ts';
import { metrics } from './commands/metrics.ts';
import { put } from './commands/put.ts';
import { rm } from './commands/rm.ts';
import { scan } from './commands/scan.ts';
import { status } from './commands/status.ts';
import { update } from './commands/update.ts';
import { web } from './commands/web.ts';
import { type ExitCode, exitCodeOf, exitCodes } from './exit-codes.ts';
import { errorLines, Output } from './output.ts';
import { showUnshownWords } from './recovery-words.ts';
import { StandardStream, type Write } from './standard-stream.ts';

const commands: readonly Command[] = [
  scan,
  claim,
  login,
  put,
  get,
  ls,
  rm,
  status,
  web,
  console,
  update,
  metrics,
];

const overview = [
  'usage: aether COMMAND [arguments]',
  '',
  'Finds AetherStore boxes on this network, and keeps files in their pool.',
  '',
  ...commands.map(({ name, summary }) => `  ${name.padEnd(9)}${summary}`),
  '',
  '`aether COMMAND --help` tells more. Every command takes --json and --home DIR.',
  '',
  'Exit status: 0 done; 1 failed; 2 wrong usage; 3 done but for some files; 4 not found;',
  '5 no box answers; 6 refused by the box; 7 no space; 130 interrupted.',
];

async function main(words: readonly string[], output: Output): Promise<ExitCode> {
  const [name, ...rest] = words[0] === 'help' && words.length > 1 ? [...words.slice(1, 2), '--help'] : words;
  if (name === undefined || ['help', '--help', '-h'].includes(name)) {
    output.result({ usage: overview.join('\n') }, overview);
    return name === undefined ? exitCodes.usage : exitCodes.done;
  }
  if (name === '--version') {
    output.result({ version }, [version]);
    return exitCodes.done;
  }
  const command = commands.find((each) => each.name === name);
  if (command === undefined) {
    const hint = didYouMean(
      name,
      commands.map((each) => each.name),
    );
    throw usageError(`there is no command ${name}${hint}`, 'aether --help');
  }
  const options = { ...command.options, ...commonOptions };
  const line = parseCommandLine(rest, options, `aether ${name} --help`);
  if (line.flag('help')) {
    const lines = helpLines(command);
    output.result({ usage: lines.join('\n') }, lines);
    return exitCodes.done;
  }
  const homePath = resolve(line.text('home') ?? defaultHomePath());
  await showUnshownWords(new NodeDisk(homePath), output);
  stopsUnread = command.stopsUnread ?? false;
  return command.run(line, {
    output,
    homePath,
    desktopName: desktopName(),
    cores: availableParallelism(),
    signal: interrupted(),
  });
}

function helpLines({ name, summary, usage, options, notes }: Command): readonly string[] {
  return [
    `usage: aether ${name} ${usage}`.trimEnd(),
    '',
    `${summary[0]?.toUpperCase()}${summary.slice(1)}.`,
    ...(notes === undefined ? [] : ['', ...notes]),
    '',
    ...optionLines({ ...options, ...commonOptions }),
  ];
}

function defaultHomePath(): string {
  const { AETHER_HOME, XDG_CONFIG_HOME } = process.env;
  return AETHER_HOME || join(XDG_CONFIG_HOME || join(homedir(), '.config'), 'aether');
}

function desktopName(): string {
  return hostname().split('.')[0]?.slice(0, 63) || 'desktop';
}

/** Aborted by the first Ctrl-C; the second ends the program at once. */
function interrupted(): AbortSignal {
  const controller = new AbortController();
  process.once('SIGINT', () => {
    controller.abort(new AetherError('INTERRUPTED', 'interrupted'));
    process.once('SIGINT', () => process.exit(exitCodes.interrupted));
  });
  return controller.signal;
}

/** Node drops the rest where a file takes only a part, as on a disk that is almost full. */
function writerOf(stream: typeof process.stdout | typeof process.stderr): Write {
  if (!fstatSync(stream.fd).isFile()) return (text, done) => void stream.write(text, done);
  return (text, done) => {
    try {
      writeFileSync(stream.fd, text);
    } catch (error) {
      done(error as Error);
      return;
    }
    done();
  };
}

/** The exit status of a command that came to `status`, but whose results were not all written. */
function statusUnwritten(failure: NodeJS.ErrnoException, status: ExitCode): ExitCode {
  // A reader that has seen enough (`aether ls | head`) is no trouble.
  if (failure.code === 'EPIPE') return status;
  const error = new AetherError('OUTPUT_FAILED', `standard output cannot be written to: ${failure.message}`);
  void output.note(errorLines('aether', error).join('\n'));
  return status === exitCodes.done || status === exitCodes.partly ? exitCodes.failed : status;
}

const words = process.argv.slice(2);
/** Of the command that runs: before one does nothing is changed, after an error there is nothing left to stop. */
let stopsUnread = true;
const results = new StandardStream(writerOf(process.stdout), (failure) => {
  if (stopsUnread) process.exit(statusUnwritten(failure, exitCodes.done));
});
const remarks = new StandardStream(writerOf(process.stderr));
process.stdout.on('error', (failure) => results.fail(failure));
process.stderr.on('error', (failure) => remarks.fail(failure));
const output = new Output(
  {
    out: (text) => results.write(text),
    error: (text) => remarks.write(text),
    outColumns: process.stdout.isTTY ? process.stdout.columns : undefined,
    errorColumns: process.stderr.isTTY ? process.stderr.columns : undefined,
    ask: askOnTerminal,
  },
  words.includes('--json'),
);
let exitCode: ExitCode;
try {
  exitCode = await main(words, output);
} catch (error) {
  stopsUnread = false;
  if (!(await output.error(error))) output.note(errorLines('aether', error).join('\n'));
  exitCode = exitCodeOf(error);
}
await results.settled();
process.exitCode = results.failure === undefined ? exitCode : statusUnwritten(results.failure, exitCode);
