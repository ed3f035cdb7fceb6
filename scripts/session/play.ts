import { Matcher } from './matcher.ts';
import type { Step } from './script.ts';
import { startTimeoutMs, Terminal } from './terminal.ts';

/** The folder that the document tries things in. */
const documentFolder = '/tmp/try';
/** How long a state (a box that is missed) may take to show. */
const stateTimeoutMs = 40_000;
/** Lines that come and go: the last row of a terminal, and one of computers that have a responder of their own. */
const passingLines = /^(lights: |Port 5353 is shared with )/;

export interface PlayedStep extends Step {
  /** What this run typed, and what was printed: as in the document, with this run's names, codes and times. */
  readonly typed: string;
  readonly printed: readonly string[];
}

export interface PlayOptions {
  /** Where the document's commands are typed: the tree's root. */
  readonly cwd: string;
  /** An existing empty folder that stands for the document's `/tmp/try`. */
  readonly folder: string;
  readonly onStep?: (step: PlayedStep) => void;
  /** Called after the last step, while the boxes still run; `ask` types at a box's console. */
  readonly onEnd?: (ask: (terminal: string, text: string) => Promise<readonly string[]>) => Promise<void>;
}

/** Does what the steps say, each in its terminal, and compares. Rejects at the first step that goes otherwise. */
export async function playSession(
  steps: readonly Step[],
  options: PlayOptions,
): Promise<readonly PlayedStep[]> {
  const player = new Player(options);
  const played: PlayedStep[] = [];
  try {
    for (const step of steps) {
      const done = await player.play(step);
      played.push(done);
      options.onStep?.(done);
    }
    await options.onEnd?.((terminal, text) => player.ask(terminal, text));
    return played;
  } finally {
    await player.close();
  }
}

class Player {
  readonly #options: PlayOptions;
  readonly #matcher = new Matcher();
  readonly #terminals = new Map<string, Terminal>();

  constructor(options: PlayOptions) {
    this.#options = options;
  }

  async play(step: Step): Promise<PlayedStep> {
    const terminal = this.#terminal(step.terminal);
    const typed = this.#here(this.#matcher.translate(step.text));
    const printed = await this.#perform(step, terminal, typed);
    const expected = step.output.map((line) => this.#here(line));
    const difference = isScan(step)
      ? this.#compareScan(expected, printed)
      : this.#matcher.compare(expected, printed);
    if (difference !== undefined) throw new Error(`line ${step.line}: ${typed}\n  ${difference}`);
    return { ...step, typed: this.#there(typed), printed: printed.map((line) => this.#there(line)) };
  }

  async ask(name: string, text: string): Promise<readonly string[]> {
    const terminal = this.#terminal(name);
    terminal.type(text);
    return withoutPassing(
      await terminal.answer((lines) => (withoutPassing(lines).length > 0 ? 'whole' : 'none')),
    );
  }

  async close(): Promise<void> {
    await Promise.all([...this.#terminals.values()].map((terminal) => terminal.close()));
  }

  #terminal(name: string): Terminal {
    const known = this.#terminals.get(name);
    if (known !== undefined) return known;
    const terminal = new Terminal({ cwd: this.#options.cwd, env: {} });
    this.#terminals.set(name, terminal);
    return terminal;
  }

  async #perform(step: Step, terminal: Terminal, typed: string): Promise<readonly string[]> {
    if (step.kind === 'console') return this.#atConsole(step, terminal, typed);
    if (typed.startsWith('npm start')) {
      terminal.start(typed);
      return this.#answer(step, terminal, startTimeoutMs);
    }
    const limitMs = performance.now() + stateTimeoutMs;
    for (;;) {
      const { exitStatus, lines } = await terminal.run(typed);
      if (exitStatus !== 0)
        throw new Error(`line ${step.line}: ${typed}: exit status ${exitStatus}\n${lines.join('\n')}`);
      // A state may take its time to become what the document shows; a result may not.
      const differs = new Matcher().compare(step.output, lines) !== undefined;
      if (!differs || !typed.startsWith('aether status') || performance.now() > limitMs) return lines;
    }
  }

  async #atConsole(step: Step, terminal: Terminal, typed: string): Promise<readonly string[]> {
    if (typed !== '^C') {
      terminal.type(typed);
      return this.#answer(step, terminal);
    }
    // npm hands the interrupt on to its own exit; that the box stopped cleanly, the box says.
    return withoutPassing(await terminal.interrupt());
  }

  async #answer(step: Step, terminal: Terminal, timeoutMs?: number): Promise<readonly string[]> {
    const [first = '', ...rest] = step.output;
    const found = (lines: readonly string[]) => lines.findIndex((line) => new Matcher().matches(first, line));
    const stageOf = (lines: readonly string[]) => {
      const from = found(lines);
      if (from < 0) return 'none';
      return withoutPassing(lines.slice(from)).length > rest.length ? 'whole' : 'begun';
    };
    const lines = await terminal.answer(stageOf, timeoutMs);
    // npm says what it starts, and set-up what it does, before the box says anything.
    const from = step.kind === 'command' ? Math.max(0, found(lines)) : 0;
    return withoutPassing(lines.slice(from));
  }

  /** Others' boxes may be on the network: those that the document shows have to be there, among whoever else is. */
  #compareScan(expected: readonly string[], printed: readonly string[]): string | undefined {
    const rows = expected.filter((line) => line.startsWith('BOX ') || line.startsWith('aether-'));
    const missing = rows.find((row) => !printed.some((line) => this.#matcher.matches(row, line)));
    return missing === undefined
      ? undefined
      : `the document has: ${missing}\n  printed is:\n${printed.join('\n')}`;
  }

  #here(text: string): string {
    return text.replaceAll(documentFolder, this.#options.folder);
  }

  #there(text: string): string {
    return text.replaceAll(this.#options.folder, documentFolder);
  }
}

function isScan({ text }: Step): boolean {
  return text === 'aether scan';
}

function withoutPassing(lines: readonly string[]): readonly string[] {
  return lines.filter((line) => !passingLines.test(line));
}
