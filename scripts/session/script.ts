/** A session as a document shows it: what is typed in which terminal, and what is answered. */
export interface Step {
  /** `terminal-1`, as the block's first line says. */
  readonly terminal: string;
  /** `command`: after `$ `. `console`: after a box's prompt; `^C` stops the box. */
  readonly kind: 'command' | 'console';
  readonly text: string;
  /** The box's name before `>`; empty for a command. */
  readonly prompt: string;
  /** What is shown for it, without empty lines at the end. */
  readonly output: readonly string[];
  /** `1. Start a box`: the bold words that the paragraph before begins with. */
  readonly chapter: string;
  /** Line in the document, from 1. */
  readonly line: number;
}

const promptPattern = /^(aether-[0-9a-f]{4})>(?: (.*))?$/;

/** The steps in the blocks that begin with ```` ```console NAME ````. */
export function readSession(markdown: string): readonly Step[] {
  const steps: (Step & { readonly output: string[] })[] = [];
  let terminal: string | undefined;
  let chapter = '';
  for (const [index, text] of markdown.split('\n').entries()) {
    const fence = /^```(?:console (\S+))?/.exec(text);
    if (fence !== null) {
      terminal = fence[1];
      continue;
    }
    if (terminal === undefined) {
      chapter = /^\*\*(.+?)\.?\*\*/.exec(text)?.[1] ?? chapter;
      continue;
    }
    const typed = typedIn(text);
    if (typed === undefined) {
      const last = steps.at(-1);
      if (last?.terminal !== terminal) throw new Error(`line ${index + 1}: an answer to nothing: ${text}`);
      last.output.push(text);
    } else if (typed.text !== '') {
      steps.push({ terminal, ...typed, output: [], chapter, line: index + 1 });
    }
  }
  for (const { output } of steps) while (output.at(-1) === '') output.pop();
  return steps;
}

function typedIn(line: string): Pick<Step, 'kind' | 'text' | 'prompt'> | undefined {
  if (line.startsWith('$ ')) return { kind: 'command', prompt: '', text: line.slice(2) };
  const prompt = promptPattern.exec(line);
  if (prompt === null) return undefined;
  return { kind: 'console', prompt: prompt[1]!, text: prompt[2] ?? '' };
}
