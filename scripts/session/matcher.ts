/**
 * Compares what a document shows with what a run printed. What is drawn or measured anew in each run (names, codes,
 * addresses, words, sizes of disks, times) only has to have the same shape; a name or code that the document uses
 * twice has to be the same one twice in the run as well. Everything else is compared letter by letter.
 */
export class Matcher {
  /** The document's names and codes, and this run's. */
  readonly #bound = new Map<string, string>();

  /** `text` of the document with this run's names and codes. */
  translate(text: string): string {
    return text.replace(bindable, (sample) => this.#bound.get(sample) ?? sample);
  }

  /** Undefined when `actual` is what the document shows as `expected`; else what differs, in words. */
  compare(expected: readonly string[], actual: readonly string[]): string | undefined {
    for (const [index, line] of expected.entries()) {
      const got = actual[index];
      if (got === undefined) return `nothing is printed where the document has: ${line}`;
      if (!this.matches(line, got)) return `the document has: ${line}\n  printed is: ${got}`;
    }
    const more = actual[expected.length];
    return more === undefined ? undefined : `the document does not have: ${more}`;
  }

  /** Whether one line fits; if so, its names and codes are remembered. */
  matches(expected: string, actual: string): boolean {
    if (shapeOf(expected) !== shapeOf(actual)) return false;
    const samples = expected.match(bindable) ?? [];
    const values = actual.match(bindable) ?? [];
    if (samples.some((sample, index) => (this.#bound.get(sample) ?? values[index]) !== values[index]))
      return false;
    for (const [index, sample] of samples.entries()) this.#bound.set(sample, values[index]!);
    return true;
  }
}

/** Names of boxes and codes. */
const bindable = /\baether-[0-9a-f]{4}\b|\b[0-9A-Z]{4}-[0-9A-Z]{4}\b/g;

const shapes: readonly (readonly [RegExp, string])[] = [
  [bindable, '<name>'],
  [/^(?: {1,4}\d{1,2} [a-z]{3,8} *){4}$/, '<recovery words>'],
  [/(?:\d+\.\d+\.\d+\.\d+|\[[0-9a-f:]+(?:%\w+)?\]):\d+/g, '<address>'],
  [/\b\d{4}-\d\d-\d\d \d\d:\d\d\b/g, '<time>'],
  [/\b\d+\.\d+\.\d+\b/g, '<version>'],
  [/[<>]?\b\d+(?:\.\d)? [GT]iB\b/g, '<space>'],
  [/\b\d+(?:\.\d)? \w+\/s\b/g, '<rate>'],
  [/\bjust now\b|\b\d+ (?:second|minute)s? ago\b/g, '<age>'],
  [/\b\d+(?:\.\d)? (?:s|min)\b(?: \d+ s\b)?/g, '<duration>'],
  [/ +/g, ' '],
];

function shapeOf(line: string): string {
  return shapes.reduce((text, [pattern, shape]) => text.replace(pattern, shape), line.trimEnd());
}
