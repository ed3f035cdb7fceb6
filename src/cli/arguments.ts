import { parseArgs } from 'node:util';
import { AetherError } from '../base/errors.ts';
import { nearestName } from '../base/nearest.ts';

/** One `--option` of a command. */
export interface OptionSpec {
  readonly type: 'string' | 'boolean';
  /** One letter: `-l`. */
  readonly short?: string;
  /** How its value is called in the help: `CODE`. */
  readonly value?: string;
  readonly help: string;
  readonly multiple?: boolean;
}

export interface CommandLine {
  readonly positionals: readonly string[];
  text(name: string): string | undefined;
  texts(name: string): readonly string[];
  flag(name: string): boolean;
}

/**
 * Reads `words` by `options`. An unknown option, a missing or a superfluous value is `USAGE`, with the nearest
 * known option named.
 */
export function parseCommandLine(
  words: readonly string[],
  options: Readonly<Record<string, OptionSpec>>,
  helpCommand: string,
): CommandLine {
  let parsed: ReturnType<typeof parseArgs>;
  try {
    parsed = parseArgs({
      args: [...words],
      allowPositionals: true,
      strict: true,
      options: Object.fromEntries(
        Object.entries(options).map(([name, spec]) => [
          name,
          {
            type: spec.type,
            multiple: spec.multiple ?? false,
            ...(spec.short === undefined ? {} : { short: spec.short }),
          },
        ]),
      ),
    });
  } catch (cause) {
    throw usageError(explain(cause, Object.keys(options)), helpCommand);
  }
  const values = parsed.values;
  return {
    positionals: parsed.positionals,
    text: (name) => {
      const value = values[name];
      return typeof value === 'string' ? value : undefined;
    },
    texts: (name) => {
      const value = values[name];
      return Array.isArray(value) ? value.filter((entry) => typeof entry === 'string') : [];
    },
    flag: (name) => values[name] === true,
  };
}

export function usageError(message: string, helpCommand: string): AetherError<'USAGE'> {
  return new AetherError('USAGE', message, { help: `Run \`${helpCommand}\` to see what it takes.` });
}

function explain(cause: unknown, known: readonly string[]): string {
  const message = cause instanceof Error ? cause.message : String(cause);
  const [, lacking] =
    /^Option '(?:-\w, )?(--[^ ']+) <value>' argument (?:missing|is ambiguous)/.exec(message) ?? [];
  if (lacking !== undefined) return `${lacking} needs a value`;
  const unknown = /^Unknown option '--?([^']+)'/.exec(message)?.[1];
  if (unknown === undefined) return message.split('. ')[0] ?? message;
  const nearest = nearestName(unknown, known);
  return `unknown option --${unknown}${nearest === undefined ? '' : `; did you mean --${nearest}?`}`;
}

/** The options as aligned help lines. */
export function optionLines(options: Readonly<Record<string, OptionSpec>>): readonly string[] {
  const rows = Object.entries(options).map(([name, spec]) => ({
    left: `  ${spec.short === undefined ? '' : `-${spec.short}, `}--${name}${spec.value === undefined ? '' : ` ${spec.value}`}`,
    help: spec.help,
  }));
  const width = Math.max(0, ...rows.map((row) => row.left.length));
  return rows.map((row) => `${row.left.padEnd(width)}  ${row.help}`);
}
