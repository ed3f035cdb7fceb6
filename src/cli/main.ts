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
import { Output } from './output.ts';
import { showUnshownWords } from './recovery-words.ts';

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

const words = process.argv.slice(2);
const output = new Output(
  {
    out: (text) => void process.stdout.write(text),
    error: (text) => void process.stderr.write(text),
    outColumns: process.stdout.isTTY ? process.stdout.columns : undefined,
    errorColumns: process.stderr.isTTY ? process.stderr.columns : undefined,
    ask: askOnTerminal,
  },
  words.includes('--json'),
);
// A reader that has seen enough (`aether ls | head`) is no trouble.
process.stdout.on('error', () => process.exit(exitCodes.done));
try {
  process.exitCode = await main(words, output);
} catch (error) {
  output.error(error);
  process.exitCode = exitCodeOf(error);
}
