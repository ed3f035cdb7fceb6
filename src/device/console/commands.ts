import { AetherError } from '../../base/errors.ts';
import { formatDuration, printable, wrapText } from '../../base/format.ts';
import { formatLogEntry, type LogEntry, type LogRing } from '../../base/log.ts';
import { didYouMean } from '../../base/nearest.ts';
import type { ApplianceControl, PairingCode } from '../../control/appliance-control.ts';
import type { ApplianceStatus } from '../../status/appliance-status.ts';
import { multicastLines } from './multicast-view.ts';
import { networkLines } from './network-views.ts';
import { boxLines, diskLines, poolLines, statusLines } from './views.ts';

/** What the console needs of the box. Faces do not compute: they ask and render. */
export interface ConsoleContext {
  readonly control: ApplianceControl;
  readonly log: LogRing;
}

/** What one run of a command has. */
export interface CommandContext {
  readonly box: ConsoleContext;
  readonly columns: number;
  readonly wallMs: number;
  /** Writes a line at once, before the command has ended. */
  readonly print: (line: string) => void;
  /** Shows every entry of the log from now on, until the function it returns is called. */
  readonly followLog: () => () => void;
  /** Asks the person; undefined when there is no answer (Ctrl-C, end of input). */
  readonly ask: (question: string) => Promise<string | undefined>;
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal;
}

export interface CommandResult {
  readonly lines: readonly string[];
  /** 0 done, 1 failed, 2 asked wrongly, 127 no such command. */
  readonly exitStatus: number;
}

export interface Command {
  readonly name: string;
  /** Arguments as a person types them: `[-f] [n]`. */
  readonly usage: string;
  readonly summary: string;
  /** Words that Tab may offer after the name. */
  readonly words: readonly string[];
  /** For commands that only read: the same as plain data, for `--json`. */
  readonly data?: (args: readonly string[], context: CommandContext) => unknown;
  readonly run: (args: readonly string[], context: CommandContext) => Promise<CommandResult> | CommandResult;
}

const logLinesDefault = 20;

export const commands: readonly Command[] = [
  {
    name: 'help',
    usage: '[command]',
    summary: 'what can be asked',
    words: [],
    run: ([name], context) => (name === undefined ? helpOverview(context) : helpOn(name, context)),
  },
  read('status', 'how the box is', (status) => status, statusLines),
  read('disks', 'the disks of this box', (status) => status.volumes, diskLines),
  {
    name: 'net',
    usage: '[multicast] [--json]',
    summary: "addresses, names, services, and who was heard; multicast: the pool's group",
    words: ['--json', 'multicast'],
    data: (args, { box }) =>
      isMulticast(args) ? box.control.status().network.multicast : box.control.status().network,
    run: (args, { box, columns }) =>
      done((isMulticast(args) ? multicastLines : networkLines)(box.control.status(), columns)),
  },
  read(
    'pool',
    'the pool: boxes, copies, space',
    (status) => ({ pool: status.pool, copies: status.copies }),
    poolLines,
  ),
  read('boxes', 'the boxes of the pool', (status) => ({ box: status.box, peers: status.peers }), boxLines),
  {
    name: 'log',
    usage: '[-f] [n] [--json]',
    summary: `the last ${logLinesDefault} or n lines of the log; -f: go on until Ctrl-C`,
    words: ['-f', '--json'],
    data: (args, { box }) => box.log.newest(logCount(args)),
    run: showLog,
  },
  {
    name: 'pair',
    usage: '',
    summary: 'a code for a desktop to claim this box or log in',
    words: [],
    run: async (args, context) => {
      refuseMore(args, 0);
      return done(pairLines(await context.box.control.pair(), context));
    },
  },
  {
    name: 'shutdown',
    usage: '',
    summary: 'stop the box, so that it can be unplugged',
    words: [],
    run: shutDown,
  },
  read(
    'version',
    'the version of this box',
    ({ box }) => ({ name: box.name, version: box.version }),
    ({ box }) => [printable(`AetherStore ${box.version} on ${box.name}`)],
  ),
];

/** Runs one line. Never rejects: whatever goes wrong is told in words, with an exit status. */
export async function runCommandLine(text: string, context: CommandContext): Promise<CommandResult> {
  const [name, ...args] = text.trim().split(/\s+/);
  if (name === undefined || name === '') return done([]);
  const command = commands.find((each) => each.name === name);
  if (command === undefined) {
    const hint =
      didYouMean(
        name,
        commands.map((each) => each.name),
      ) || '; help lists what there is';
    return { lines: [printable(`unknown command: ${name}${hint}`)], exitStatus: 127 };
  }
  try {
    if (args.includes('--json') && command.data !== undefined) {
      const data = command.data(
        args.filter((each) => each !== '--json'),
        context,
      );
      return done([JSON.stringify(data)]);
    }
    return await command.run(args, context);
  } catch (error) {
    if (error instanceof UsageError) {
      return { lines: [printable(error.message), `usage: ${usageOf(command)}`], exitStatus: 2 };
    }
    return failed(error);
  }
}

/** Completes command names, and after a name that command's own words. */
export function completeCommand(before: string): { word: string; candidates: readonly string[] } {
  const typed = before.trimStart().split(/\s+/);
  const word = typed.at(-1) ?? '';
  const first = typed[0] ?? '';
  const names = commands.map((each) => each.name);
  const words =
    typed.length <= 1 || first === 'help'
      ? names
      : (commands.find((each) => each.name === first)?.words ?? []);
  return { word, candidates: words.filter((each) => each.startsWith(word)).toSorted() };
}

/** A command that was asked wrongly: shown with its usage. */
class UsageError extends Error {
  override readonly name = 'UsageError';
}

function read(
  name: string,
  summary: string,
  data: (status: ApplianceStatus) => unknown,
  view: (status: ApplianceStatus, columns: number) => readonly string[],
): Command {
  return {
    name,
    usage: '[--json]',
    summary,
    words: ['--json'],
    data: (args, { box }) => {
      refuseMore(args, 0);
      return data(box.control.status());
    },
    run: (args, { box, columns }) => {
      refuseMore(args, 0);
      return done(view(box.control.status(), columns));
    },
  };
}

/** What `net` is asked about. */
function isMulticast(args: readonly string[]): boolean {
  const [word] = args;
  if (word !== undefined && word !== 'multicast') throw new UsageError(`what is meant by ${word}?`);
  refuseMore(args, 1);
  return word === 'multicast';
}

function helpOverview({ columns }: CommandContext): CommandResult {
  const usageCells = Math.max(...commands.map((command) => usageOf(command).length)) + 2;
  const lines = commands.flatMap((command) =>
    wrapText(command.summary, Math.max(20, columns - usageCells - 2)).map(
      (line, index) => `  ${(index === 0 ? usageOf(command) : '').padEnd(usageCells)}${line}`,
    ),
  );
  const keys = 'Keys: Tab completes, Up and Down recall, Ctrl-C stops, Ctrl-D leaves.';
  return done([...lines, '', ...wrapText(keys, columns)]);
}

function helpOn(name: string, { columns }: CommandContext): CommandResult {
  const command = commands.find((each) => each.name === name);
  if (command === undefined) {
    throw new UsageError(
      `no command ${name}${didYouMean(
        name,
        commands.map((each) => each.name),
      )}`,
    );
  }
  return done(wrapText(`${usageOf(command)}: ${command.summary}`, columns));
}

async function showLog(args: readonly string[], context: CommandContext): Promise<CommandResult> {
  const { log } = context.box;
  const newest = log.newest(logCount(args)).map(logLine);
  if (!args.includes('-f')) return done(newest.length === 0 ? ['The log is empty.'] : newest);
  for (const line of newest) context.print(line);
  const stop = context.followLog();
  await aborted(context.signal);
  stop();
  return done([]);
}

function logCount(args: readonly string[]): number {
  const counts = args.filter((arg) => arg !== '-f');
  refuseMore(counts, 1);
  const [count] = counts;
  if (count === undefined) return logLinesDefault;
  if (!/^[1-9]\d{0,5}$/.test(count)) throw new UsageError(`not a number of lines: ${count}`);
  return Number(count);
}

/** One line for an entry of the log, safe for a terminal. */
export function logLine(entry: LogEntry): string {
  return printable(formatLogEntry(entry));
}

function pairLines(
  { code, expiresAtMs }: PairingCode,
  { box, wallMs, columns }: CommandContext,
): readonly string[] {
  const { box: self, pool } = box.control.status();
  const kind = pool === null ? 'Claim code' : 'Login code';
  const verb = pool === null ? 'claim' : 'login';
  const validity = expiresAtMs === null ? '' : `, valid for ${formatDuration(expiresAtMs - wallMs)}`;
  const text = `${kind}: ${code}${validity}`;
  return [text, `On a desktop, run: aether ${verb} ${self.name}`].flatMap((line) =>
    wrapText(printable(line), columns),
  );
}

/** Asks for the box's name: a person with several consoles open must not stop the wrong one. */
async function shutDown(args: readonly string[], context: CommandContext): Promise<CommandResult> {
  refuseMore(args, 0);
  const { name } = context.box.control.status().box;
  context.print(`Type the name of this box (${name}) to shut it down.`);
  const answer = await context.ask('name: ');
  if (answer?.trim() !== name) return { lines: ['Not shut down.'], exitStatus: 1 };
  context.print('Shutting down. Do not unplug the box yet.');
  await context.box.control.shutdown();
  return done(['The box has stopped.']);
}

function refuseMore(args: readonly string[], max: number): void {
  const surplus = args[max];
  if (surplus !== undefined) throw new UsageError(`what is meant by ${surplus}?`);
}

function usageOf(command: Command): string {
  return command.usage === '' ? command.name : `${command.name} ${command.usage}`;
}

function done(lines: readonly string[]): CommandResult {
  return { lines, exitStatus: 0 };
}

function failed(error: unknown): CommandResult {
  const lines = [`error: ${error instanceof Error ? error.message : String(error)}`];
  if (error instanceof AetherError && error.help !== '') lines.push(error.help);
  return { lines: lines.map(printable), exitStatus: 1 };
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
