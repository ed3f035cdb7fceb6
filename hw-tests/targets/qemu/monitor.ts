import type { AwaitedSocket } from './awaited-socket.ts';

interface Answer {
  readonly return?: unknown;
  readonly error?: { readonly class: string; readonly desc: string };
  readonly event?: string;
  readonly QMP?: unknown;
}

interface Asked {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
  readonly command: string;
}

/** QEMU's monitor, by QMP: one line of JSON for a question, one for its answer, in order; events between. */
export class Monitor {
  readonly #socket: AwaitedSocket;
  readonly #asked: Asked[] = [];
  readonly #eventListeners = new Set<(event: string) => void>();
  #rest = '';
  #greeted = Promise.withResolvers<void>();

  constructor(socket: AwaitedSocket) {
    this.#socket = socket;
    socket.onText((text) => this.#hear(text));
  }

  /** Before the next QEMU is started. */
  reset(): void {
    this.gone();
    this.#rest = '';
    this.#greeted = Promise.withResolvers<void>();
  }

  /** Resolves when QEMU takes commands. */
  async ready(): Promise<void> {
    await this.#greeted.promise;
    await this.run('qmp_capabilities');
  }

  onEvent(listener: (event: string) => void): void {
    this.#eventListeners.add(listener);
  }

  run(command: string, words: Readonly<Record<string, unknown>> = {}): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.#asked.push({ resolve, reject, command });
      this.#socket.write(`${JSON.stringify({ execute: command, arguments: words })}\n`);
    });
  }

  /** A command of the monitor for people, and what it says. */
  async human(line: string): Promise<string> {
    return String(await this.run('human-monitor-command', { 'command-line': line })).trim();
  }

  /** As {@link human}, for one that says nothing unless something is wrong. */
  async deed(line: string): Promise<void> {
    const said = await this.human(line);
    if (said !== '') throw new Error(`${line}: ${said}`);
  }

  /** QEMU has ended: nobody answers any more. */
  gone(): void {
    for (const { reject, command } of this.#asked.splice(0)) reject(new Error(`${command}: QEMU has ended`));
  }

  #hear(text: string): void {
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) this.#take(JSON.parse(line) as Answer);
  }

  #take(answer: Answer): void {
    if (answer.QMP !== undefined) this.#greeted.resolve();
    else if (answer.event !== undefined) {
      for (const listener of this.#eventListeners) listener(answer.event);
    } else {
      const asked = this.#asked.shift();
      if (answer.error === undefined) asked?.resolve(answer.return);
      else asked?.reject(new Error(`${asked.command}: ${answer.error.desc}`));
    }
  }
}
