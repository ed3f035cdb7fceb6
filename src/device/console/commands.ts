import { printable, wrapText } from '../../base/format.ts';
import { didYouMean } from '../../base/nearest.ts';
import {
  type Command,
  type CommandContext,
  type CommandResult,
  done,
  failed,
  UsageError,
} from './command.ts';
import { deedCommands } from './deed-commands.ts';
import { readCommands } from './read-commands.ts';

const help: Command = {
  name: 'help',
  usage: '[command]',
  summary: 'what can be asked',
  words: [],
  open: true,
  run: ([name], context) => (name === undefined ? helpOverview(context) : helpOn(name, context)),
};

/** In the order that help lists them. */
const order = [
  'help status disks net pool boxes files update history log pair identify ack pin mqtt support reset restart',
  'shutdown version',
]
  .join(' ')
  .split(' ');

export const commands: readonly Command[] = [help, ...readCommands, ...deedCommands].sort(
  (a, b) => order.indexOf(a.name) - order.indexOf(b.name),
);

/** Whether this line may be run while a PIN is set and was not given: it shows no more than the lights do. */
export function isOpen(text: string): boolean {
  const [name] = text.trim().split(/\s+/);
  const command = commands.find((each) => each.name === name);
  return command === undefined || command.open === true;
}

/** Runs one line. Never rejects: whatever goes wrong is told in words, with an exit status. */
export async function runCommandLine(text: string, context: CommandContext): Promise<CommandResult> {
  const [name, ...args] = text.trim().split(/\s+/);
  if (name === undefined || name === '') return done([]);
  const command = commands.find((each) => each.name === name);
  if (command === undefined) {
    const hint = nearest(name) || '; help lists what there is';
    return { lines: [printable(`unknown command: ${name}${hint}`)], exitStatus: 127 };
  }
  try {
    if (args.includes('--json') && command.data !== undefined) {
      const rest = args.filter((each) => each !== '--json');
      return done([JSON.stringify(await command.data(rest, context))]);
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

function helpOverview({ columns }: CommandContext): CommandResult {
  const nameCells = Math.max(...commands.map(({ name }) => name.length)) + 2;
  const lines = commands.flatMap((command) =>
    wrapText(command.summary, Math.max(20, columns - nameCells - 2)).map(
      (line, index) => `  ${(index === 0 ? command.name : '').padEnd(nameCells)}${line}`,
    ),
  );
  const more = 'help and a command tells its arguments. Reads take --json.';
  const keys = 'Keys: Tab completes, Up and Down recall, Ctrl-C stops, Ctrl-D leaves.';
  return done([...lines, '', ...wrapText(more, columns), ...wrapText(keys, columns)]);
}

function helpOn(name: string, { columns }: CommandContext): CommandResult {
  const command = commands.find((each) => each.name === name);
  if (command === undefined) throw new UsageError(`no command ${name}${nearest(name)}`);
  return done(wrapText(`${usageOf(command)}: ${command.summary}`, columns));
}

function nearest(name: string): string {
  return didYouMean(
    name,
    commands.map((each) => each.name),
  );
}

function usageOf(command: Command): string {
  return command.usage === '' ? command.name : `${command.name} ${command.usage}`;
}
