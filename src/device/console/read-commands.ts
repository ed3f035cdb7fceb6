import { printable } from '../../base/format.ts';
import { formatLogEntry, type LogEntry } from '../../base/log.ts';
import { filesError } from '../../files/files-error.ts';
import { parseRemotePath } from '../../files/remote-path.ts';
import type { ListPage } from '../../files/tree-service.ts';
import type { ApplianceStatus } from '../../status/appliance-status.ts';
import {
  type Command,
  type CommandContext,
  type CommandResult,
  done,
  refuseMore,
  UsageError,
} from './command.ts';
import { fileLines } from './file-view.ts';
import { historyLines, updateLines } from './history-view.ts';
import { multicastLines } from './multicast-view.ts';
import { networkLines } from './network-views.ts';
import { boxLines, poolLines, statusLines } from './views.ts';

const logLinesDefault = 20;
const historyLinesDefault = 20;
const listEntriesShown = 500;

/** Commands that only read. */
export const readCommands: readonly Command[] = [
  { ...read('status', 'how the box is', (status) => status, statusLines), open: true },
  {
    name: 'net',
    usage: '[multicast] [--json]',
    summary: "addresses, names, services, and who was heard; multicast: the pool's group",
    words: ['--json', 'multicast'],
    data: (args, { box }) => {
      const { network } = box.control.status();
      return isMulticast(args) ? network.multicast : network;
    },
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
    name: 'files',
    usage: '[/path] [--json]',
    summary: 'what the pool stores, by its names',
    words: ['--json'],
    data: async (args, context) => {
      const { entries, more } = await listing(args, context);
      return {
        entries: entries.map(({ name, kind, size, mtimeMs }) => ({ name, kind, size, mtimeMs })),
        more,
      };
    },
    run: async (args, context) => done(fileLines(await listing(args, context), context.columns)),
  },
  {
    name: 'history',
    usage: '[n] [--json]',
    summary: `the last ${historyLinesDefault} or n things that happened to this box`,
    words: ['--json'],
    data: (args, { box }) => box.control.history().slice(-countOf(args, historyLinesDefault)),
    run: (args, { box, columns }) =>
      done(historyLines(box.control.history().slice(-countOf(args, historyLinesDefault)), columns)),
  },
  {
    name: 'log',
    usage: '[-f] [n] [--json]',
    summary: `the last ${logLinesDefault} or n lines of the log; -f: go on until Ctrl-C`,
    words: ['-f', '--json'],
    data: (args, { box }) => box.log.newest(logCount(args)),
    run: showLog,
  },
  {
    ...read(
      'version',
      'the version of this box',
      ({ box }) => ({ name: box.name, version: box.version }),
      ({ box }) => [printable(`AetherStore ${box.version} on ${box.name}`)],
    ),
    open: true,
  },
];

/** One line for an entry of the log, safe for a terminal. */
export function logLine(entry: LogEntry): string {
  return printable(formatLogEntry(entry));
}

/** What `update` shows when nothing is to be done. */
export function showUpdate({ box, columns }: CommandContext): CommandResult {
  return done(updateLines(box.control.status().update, columns));
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

function listing(args: readonly string[], { box }: CommandContext): Promise<ListPage> {
  refuseMore(args, 1);
  const files = box.files?.();
  if (files === undefined) throw filesError('PATH_NOT_FOUND', 'this box belongs to no pool yet');
  return files.list(parseRemotePath(args[0] ?? '/'), undefined, listEntriesShown);
}

async function showLog(args: readonly string[], context: CommandContext): Promise<CommandResult> {
  const { log } = context.box;
  const newest = log.newest(logCount(args)).map(logLine);
  if (!args.includes('-f')) return done(newest.length === 0 ? ['The log is empty.'] : newest);
  const stop = context.followLog();
  await context.show(newest);
  await aborted(context.signal);
  stop();
  return done([]);
}

function logCount(args: readonly string[]): number {
  return countOf(
    args.filter((arg) => arg !== '-f'),
    logLinesDefault,
  );
}

/** The one argument, a number of lines. */
function countOf(args: readonly string[], otherwise: number): number {
  refuseMore(args, 1);
  const [count] = args;
  if (count === undefined) return otherwise;
  if (!/^[1-9]\d{0,5}$/.test(count)) throw new UsageError(`not a number of lines: ${count}`);
  return Number(count);
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
