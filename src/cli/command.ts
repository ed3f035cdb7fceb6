import type { CommandLine, OptionSpec } from './arguments.ts';
import type { ExitCode } from './exit-codes.ts';
import type { Output } from './output.ts';

/** One `aether` command. */
export interface Command {
  readonly name: string;
  readonly summary: string;
  /** What follows the name: `BOX --code CODE`. */
  readonly usage: string;
  readonly options: Readonly<Record<string, OptionSpec>>;
  /** What a person should know beyond the options, as ready lines. */
  readonly notes?: readonly string[];
  /**
   * Ends at once when its results cannot be written any more, as by `aether ls | head`, because it changes nothing by
   * itself. The others go on without a reader.
   */
  readonly stopsUnread?: boolean;
  run(line: CommandLine, context: CommandContext): Promise<ExitCode>;
}

export interface CommandContext {
  readonly output: Output;
  /** Folder of this desktop's identity and pool. */
  readonly homePath: string;
  /** What a pool calls this desktop unless told otherwise: its host name. */
  readonly desktopName: string;
  /** Processors that may be used. */
  readonly cores: number;
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal;
}

/** Options every command takes. */
export const commonOptions: Readonly<Record<string, OptionSpec>> = {
  json: { type: 'boolean', help: 'print JSON, one object a line' },
  home: {
    type: 'string',
    value: 'DIR',
    help: "this desktop's state (default: $AETHER_HOME, else ~/.config/aether)",
  },
  help: { type: 'boolean', short: 'h', help: 'show this' },
};
