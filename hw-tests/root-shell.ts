import { type TextLine, Transcript, withoutEscapes } from './text-line.ts';

/** It is there some time before the box serves, where nothing is wrong with the start. */
const awakeMs = 90_000;

/**
 * A root shell of a development image, for looking at what cannot be seen from outside, and for doing harm. No test
 * may need it to succeed at what a person does without.
 */
export class RootShell {
  readonly #line: TextLine;
  readonly #slowness: number;
  readonly #transcript: Transcript;
  #commands = 0;

  /** `slowness`: as the target has it; everything is waited for so many times as long. */
  constructor(line: TextLine, slowness = 1) {
    this.#line = line;
    this.#slowness = slowness;
    this.#transcript = new Transcript(line, slowness);
  }

  /** Runs a line of shell and returns what it prints. Rejects when it fails. */
  async run(command: string, timeoutMs = 30_000): Promise<string> {
    const tag = `${process.pid}-${++this.#commands}`;
    await this.#awake();
    this.#transcript.skip();
    // The echo of the line has the marks torn apart.
    this.#line.write(`printf '%s\\n' be''gin-${tag}; ${command}; printf '\\nen''d-%s %s\\n' ${tag} $?\r`);
    const [, text = '', status] = await this.#transcript.waitFor(
      new RegExp(`begin-${tag}\\r?\\n([\\s\\S]*?)\\r?\\nend-${tag} (\\d+)`),
      timeoutMs,
    );
    const said = withoutEscapes(text).trim();
    if (status !== '0') throw new Error(`root shell: ${command}: exit ${status}\n  ${said}`);
    return said;
  }

  /** Waits for a prompt; where nobody answers, the shell may just be starting. */
  async #awake(): Promise<void> {
    const endMs = performance.now() + awakeMs * this.#slowness;
    for (;;) {
      this.#transcript.skip();
      this.#line.write('\r');
      const answer = await this.#transcript.waitFor(/[#] /, 1500).catch(() => undefined);
      if (answer !== undefined) return;
      if (performance.now() > endMs) throw new Error('no root shell: is it a development image?');
    }
  }
}
