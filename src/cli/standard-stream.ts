/** Hands `text` to the system; `done` is told why when it did not take all of it. */
export type Write = (text: string, done: (failure?: Error | null) => void) => void;

/**
 * Standard output or standard error. Either may fail half way: the reader of a pipe leaves, a disk gets full. From then
 * on everything is dropped.
 */
export class StandardStream {
  readonly #write: Write;
  readonly #onFailure: (failure: Error) => void;
  #failure: Error | undefined;
  #last: Promise<boolean> = Promise.resolve(true);

  /** `onFailure` is called once. */
  constructor(write: Write, onFailure: (failure: Error) => void = () => {}) {
    this.#write = write;
    this.#onFailure = onFailure;
  }

  /** Why nothing is written any more. */
  get failure(): Error | undefined {
    return this.#failure;
  }

  /** Resolves with whether the system has taken all of `text`. Never rejects. */
  write(text: string): Promise<boolean> {
    if (this.#failure !== undefined) return Promise.resolve(false);
    this.#last = new Promise((resolve) => {
      this.#write(text, (failure) => {
        if (failure) this.fail(failure);
        resolve(!failure);
      });
    });
    return this.#last;
  }

  /** Resolves when it is known of all that was written whether it was taken. */
  async settled(): Promise<void> {
    await this.#last;
  }

  /** To be called when the stream fails by itself. */
  fail(failure: Error): void {
    if (this.#failure !== undefined) return;
    this.#failure = failure;
    this.#onFailure(failure);
  }
}
