/**
 * Enough of TypeScript's lexical grammar to see names, strings and comments apart: the tidy rules must not be fooled by
 * a word in a comment, and a parser is more than they need.
 */
export type TokenKind = 'name' | 'string' | 'number' | 'regex' | 'template' | 'sign';

export interface Token {
  readonly kind: TokenKind;
  /** As written; of a string what stands between the quotes. */
  readonly text: string;
  /** From 1. */
  readonly line: number;
}

export interface Scan {
  readonly tokens: readonly Token[];
  readonly comments: readonly Token[];
}

const space = /\s+/y;
const comment = /\/\/[^\n]*|\/\*[\s\S]*?\*\//y;
const name = /[#@]?[\p{ID_Start}$_][\p{ID_Continue}$]*/uy;
const number = /\d[\w.]*/y;
const quoted = /'((?:[^'\\\n]|\\[\s\S])*)'|"((?:[^"\\\n]|\\[\s\S])*)"/y;
const regex = /\/(?:[^/\\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+\/[a-z]*/y;
const templateText = /(?:[^`\\$]|\\[\s\S]|\$(?!\{))*/y;
const sign = /=>|\.\.\.|\?\.|\+\+|--|&&|\|\||\?\?|[=!]==?|[\s\S]/y;

/** After these words an operand follows, so that a slash begins a regular expression. */
const operandFollows = new Set([
  'return',
  'typeof',
  'case',
  'in',
  'of',
  'do',
  'else',
  'void',
  'delete',
  'await',
  'yield',
]);

export function scan(text: string): Scan {
  return new Scanner(text).run();
}

class Scanner {
  readonly #text: string;
  readonly #tokens: Token[] = [];
  readonly #comments: Token[] = [];
  /** For each `${` that is open, how many braces are open inside it. */
  readonly #templates: number[] = [];
  #offset = 0;
  #line = 1;

  constructor(text: string) {
    this.#text = text;
  }

  run(): Scan {
    while (this.#offset < this.#text.length) this.#next();
    return { tokens: this.#tokens, comments: this.#comments };
  }

  #next(): void {
    if (this.#take(space) !== undefined) return;
    const line = this.#line;
    const said = this.#take(comment);
    if (said !== undefined) {
      this.#comments.push({ kind: 'string', text: said[0], line });
      return;
    }
    if (this.#push('name', this.#take(name), line)) return;
    if (this.#push('number', this.#take(number), line)) return;
    const string = this.#take(quoted);
    if (string !== undefined) {
      this.#tokens.push({ kind: 'string', text: string[1] ?? string[2] ?? '', line });
      return;
    }
    if (!this.#operandEnded() && this.#push('regex', this.#take(regex), line)) return;
    const taken = this.#take(sign)![0];
    if (taken === '`') this.#template();
    else this.#sign(taken, line);
  }

  #sign(text: string, line: number): void {
    const depth = this.#templates.length - 1;
    if (depth >= 0 && text === '{') this.#templates[depth]!++;
    if (depth >= 0 && text === '}' && this.#templates[depth]!-- === 0) {
      this.#templates.pop();
      this.#template();
      return;
    }
    this.#tokens.push({ kind: 'sign', text, line });
  }

  /** The literal part of a template up to its end or to an expression, which is then read as code. */
  #template(): void {
    const line = this.#line;
    const text = this.#take(templateText)?.[0] ?? '';
    this.#tokens.push({ kind: 'template', text, line });
    if (this.#text.startsWith('${', this.#offset)) {
      this.#offset += 2;
      this.#templates.push(0);
    } else {
      this.#offset += 1;
    }
  }

  /** Whether the last token ends an operand, after which a slash divides. */
  #operandEnded(): boolean {
    const last = this.#tokens.at(-1);
    if (last === undefined) return false;
    if (last.kind === 'name') return !operandFollows.has(last.text);
    if (last.kind !== 'sign') return true;
    if (last.text === '!') return this.#isAssertion();
    return [')', ']', '}', '++', '--'].includes(last.text);
  }

  /** `value!` ends an operand, `!value` begins one. */
  #isAssertion(): boolean {
    const before = this.#tokens.at(-2);
    return before?.kind === 'name'
      ? !operandFollows.has(before.text)
      : before?.text === ')' || before?.text === ']';
  }

  #push(kind: TokenKind, match: RegExpExecArray | undefined, line: number): boolean {
    if (match !== undefined) this.#tokens.push({ kind, text: match[0], line });
    return match !== undefined;
  }

  #take(pattern: RegExp): RegExpExecArray | undefined {
    pattern.lastIndex = this.#offset;
    const match = pattern.exec(this.#text);
    if (match === null) return undefined;
    this.#offset = pattern.lastIndex;
    for (let at = match[0].indexOf('\n'); at !== -1; at = match[0].indexOf('\n', at + 1)) this.#line++;
    return match;
  }
}
