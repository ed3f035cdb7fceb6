/**
 * Configuration: JSON that is parsed once, checked against a schema once, defaults filled in, and then plain data.
 * An unknown key is an error that names the nearest known one: a misspelt setting must not be ignored in silence.
 */
import { AetherError } from './errors.ts';
import { didYouMean } from './nearest.ts';

export type ConfigErrorCode =
  /** Not JSON, or a value of the wrong type or out of range. Field `path` says where. */
  | 'CONFIG_INVALID'
  /** A key that the schema does not have. Fields `path` and, where one is near, `nearest` in the message. */
  | 'CONFIG_UNKNOWN_KEY';

/** How one value is checked. `read` throws `CONFIG_INVALID` or `CONFIG_UNKNOWN_KEY`, naming `path`. */
export interface ConfigField<T> {
  readonly read: (value: unknown, path: string) => T;
  /** The value when the key is absent; without it the key is required. */
  readonly absent?: () => T;
}

export type ConfigShape = Readonly<Record<string, ConfigField<unknown>>>;

/** The plain data that a field or shape yields: `ConfigOf<typeof schema>`. */
export type ConfigOf<Field> = Field extends ConfigField<infer T> ? T : never;

type ObjectOf<Shape extends ConfigShape> = { readonly [Key in keyof Shape]: ConfigOf<Shape[Key]> };

/** Parses `text` as JSON and checks it. `source` names it in errors (`box.json`). */
export function parseConfig<T>(text: string, schema: ConfigField<T>, source: string): T {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new AetherError<ConfigErrorCode>('CONFIG_INVALID', `${source} is not JSON`, {
      cause,
      fields: { path: source },
      help: `Correct ${source}: ${cause instanceof Error ? cause.message : 'it cannot be parsed'}.`,
    });
  }
  return schema.read(value, source);
}

/** Text of `charactersMin` (1 unless said otherwise) to `charactersMax` characters. */
export function textField(
  options: {
    readonly charactersMin?: number;
    readonly charactersMax?: number;
    readonly pattern?: RegExp;
  } = {},
): ConfigField<string> {
  const { charactersMin = 1, charactersMax = 4096, pattern } = options;
  return {
    read: (value, path) => {
      if (typeof value !== 'string') throw invalid(path, 'text', value);
      if (value.length < charactersMin || value.length > charactersMax) {
        throw invalid(path, `text of ${charactersMin} to ${charactersMax} characters`, value);
      }
      if (pattern !== undefined && !pattern.test(value)) throw invalid(path, `text like ${pattern}`, value);
      return value;
    },
  };
}

/** A whole number from `min` (0 unless said otherwise) to `max`. */
export function countField(
  options: { readonly min?: number; readonly max?: number } = {},
): ConfigField<number> {
  const { min = 0, max = Number.MAX_SAFE_INTEGER } = options;
  return {
    read: (value, path) => {
      if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < min || value > max) {
        throw invalid(
          path,
          max === Number.MAX_SAFE_INTEGER
            ? `a whole number from ${min}`
            : `a whole number from ${min} to ${max}`,
          value,
        );
      }
      return value;
    },
  };
}

export function flagField(): ConfigField<boolean> {
  return {
    read: (value, path) => {
      if (typeof value !== 'boolean') throw invalid(path, 'true or false', value);
      return value;
    },
  };
}

/** One of a few words. */
export function choiceField<const Choice extends string>(choices: readonly Choice[]): ConfigField<Choice> {
  return {
    read: (value, path) => {
      const choice = choices.find((candidate) => candidate === value);
      if (choice !== undefined) return choice;
      const hint = typeof value === 'string' ? didYouMean(value, choices) : '';
      throw invalid(path, `one of ${choices.map((candidate) => `"${candidate}"`).join(', ')}`, value, hint);
    },
  };
}

/** A list of at least `itemsMin` (0) and at most `itemsMax` values. */
export function listField<T>(
  item: ConfigField<T>,
  options: { readonly itemsMin?: number; readonly itemsMax: number },
): ConfigField<readonly T[]> {
  const { itemsMin = 0, itemsMax } = options;
  return {
    read: (value, path) => {
      if (!Array.isArray(value) || value.length < itemsMin || value.length > itemsMax) {
        throw invalid(path, `a list of ${itemsMin} to ${itemsMax}`, value);
      }
      return value.map((each, index) => item.read(each, `${path}[${index}]`));
    },
  };
}

/** An object with exactly these keys; those with a default may be absent. */
export function objectField<Shape extends ConfigShape>(shape: Shape): ConfigField<ObjectOf<Shape>> {
  const known = Object.keys(shape);
  return {
    read: (value, path) => {
      if (typeof value !== 'object' || value === null || Array.isArray(value)) {
        throw invalid(path, 'an object', value);
      }
      for (const key of Object.keys(value)) {
        if (!Object.hasOwn(shape, key)) throw unknownKey(path, key, known);
      }
      const entries = known.map((key) => [key, readKey(shape[key]!, value, key, path)] as const);
      return Object.fromEntries(entries) as ObjectOf<Shape>;
    },
  };
}

/** The same field, with the value it has when the key is absent. */
export function withDefault<T>(field: ConfigField<T>, value: T): ConfigField<T> {
  return { read: field.read, absent: () => value };
}

/** The same field, null when the key is absent or null. */
export function nullable<T>(field: ConfigField<T>): ConfigField<T | null> {
  return { read: (value, path) => (value === null ? null : field.read(value, path)), absent: () => null };
}

function readKey(field: ConfigField<unknown>, from: object, key: string, path: string): unknown {
  if (Object.hasOwn(from, key)) return field.read((from as Record<string, unknown>)[key], `${path}: ${key}`);
  if (field.absent !== undefined) return field.absent();
  throw new AetherError<ConfigErrorCode>('CONFIG_INVALID', `${path}: ${key} is missing`, {
    fields: { path: `${path}: ${key}` },
    help: `Add "${key}".`,
  });
}

function unknownKey(path: string, key: string, known: readonly string[]): AetherError<ConfigErrorCode> {
  const shown = JSON.stringify(key.slice(0, 64));
  return new AetherError('CONFIG_UNKNOWN_KEY', `${path}: unknown key ${shown}${didYouMean(key, known)}`, {
    fields: { path: `${path}: ${key.slice(0, 64)}` },
    help: `Remove or correct it. Known keys: ${known.join(', ')}.`,
  });
}

function invalid(path: string, expected: string, value: unknown, hint = ''): AetherError<ConfigErrorCode> {
  return new AetherError('CONFIG_INVALID', `${path}: ${expected} was expected, not ${brief(value)}${hint}`, {
    fields: { path },
    help: `Change it to ${expected}.`,
  });
}

function brief(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length <= 40 ? text : `${text.slice(0, 39)}…`;
}
