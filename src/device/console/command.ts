import { AetherError } from '../../base/errors.ts';
import { printable, wrapText } from '../../base/format.ts';
import type { LogRing } from '../../base/log.ts';
import type { ApplianceControl } from '../../control/appliance-control.ts';
import type { PoolFiles } from '../../files/pool-files.ts';

/** What the console needs of the box. Faces do not compute: they ask and render. */
export interface ConsoleContext {
  readonly control: ApplianceControl;
  readonly log: LogRing;
  /** The pool's files; undefined while the box belongs to no pool. */
  readonly files?: () => Pick<PoolFiles, 'list'> | undefined;
  /** Absent where this box speaks to no MQTT broker at all. */
  readonly broker?: BrokerChoice;
}

/** Which MQTT broker the box reports to: one that was found on the network counts when a person approves it. */
export interface BrokerChoice {
  state(): {
    readonly phase: string;
    readonly broker: string | null;
    readonly error: { readonly message: string } | null;
  };
  found(): readonly {
    readonly instance: string;
    readonly host: string;
    readonly port: number;
    readonly approved: boolean;
  }[];
  approve(instance: string): Promise<unknown>;
  forget(): Promise<unknown>;
}

/** What one run of a command has. */
export interface CommandContext {
  readonly box: ConsoleContext;
  readonly columns: number;
  readonly wallMs: number;
  /** Writes a line at once, before the command has ended. */
  readonly print: (line: string) => void;
  /** Writes lines as they are taken; resolves after the last, or on Ctrl-C. */
  readonly show: (lines: readonly string[]) => Promise<void>;
  /** Shows every entry of the log from now on, until the function it returns is called. */
  readonly followLog: () => () => void;
  /** Asks the person; undefined when there is no answer (Ctrl-C, end of input). `hidden`: nothing is echoed. */
  readonly ask: (question: string, options?: { readonly hidden?: boolean }) => Promise<string | undefined>;
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
  /** It may be run while a PIN is set and was not given. */
  readonly open?: boolean;
  /** For commands that only read: the same as plain data, for `--json`. */
  readonly data?: (args: readonly string[], context: CommandContext) => unknown;
  readonly run: (args: readonly string[], context: CommandContext) => Promise<CommandResult> | CommandResult;
}

/** A command that was asked wrongly: shown with its usage. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

export function refuseMore(args: readonly string[], max: number): void {
  const surplus = args[max];
  if (surplus !== undefined) throw new UsageError(`what is meant by ${surplus}?`);
}

/** The argument at `index`. Errors: `UsageError` naming `what`. */
export function required(args: readonly string[], index: number, what: string): string {
  const value = args[index];
  if (value === undefined) throw new UsageError(`${what} is needed`);
  return value;
}

export function done(lines: readonly string[]): CommandResult {
  return { lines, exitStatus: 0 };
}

export function failed(error: unknown): CommandResult {
  const lines = [`error: ${error instanceof Error ? error.message : String(error)}`];
  if (error instanceof AetherError && error.help !== '') lines.push(error.help);
  return { lines: lines.map(printable), exitStatus: 1 };
}

/**
 * Runs `deed` once the person has typed the box's name: with several consoles open, it must not be done to the wrong
 * one. `warning` says what will happen; `refused`, what did not.
 */
export async function withName(
  context: CommandContext,
  { warning, refused }: { readonly warning: string; readonly refused: string },
  deed: () => Promise<CommandResult>,
): Promise<CommandResult> {
  const { name } = context.box.control.status().box;
  const question = printable(`Type the name of this box (${name}) ${warning}.`);
  for (const line of wrapText(question, context.columns)) context.print(line);
  const answer = await context.ask('name: ');
  if (answer?.trim() !== name) return { lines: [`${refused}.`], exitStatus: 1 };
  return deed();
}
