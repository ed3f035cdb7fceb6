import { closeSync, constants, openSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { ReadStream } from 'node:tty';
import koffi from 'koffi';
import { type Bytes, utf8 } from '../base/bytes.ts';

/** A quarter of what the kernel keeps of a line that nobody reads. */
const pieceBytes = 1024;

/** A pair of pseudo-terminals: a program opens `path` as it would a serial line, the test is the person at the other end. */
export class Pty {
  readonly path: string;
  readonly #master: ReadStream;
  /** The program's end is kept open, so that the line outlives a program that closes it, as a UART does. */
  readonly #held: number;

  private constructor(master: number, path: string) {
    this.path = path;
    this.#held = openSync(path, constants.O_RDWR | constants.O_NOCTTY);
    this.#master = new ReadStream(master);
    this.#master.on('error', () => {});
    this.#master.pause();
  }

  static open(): Pty {
    const c = koffi.load('libc.so.6');
    const master: number = c.func('int posix_openpt(int)')(constants.O_RDWR | constants.O_NOCTTY);
    if (master < 0) throw new Error('no pseudo-terminal can be had');
    c.func('int grantpt(int)')(master);
    c.func('int unlockpt(int)')(master);
    return new Pty(master, c.func('const char *ptsname(int)')(master));
  }

  /** Begins to read what the program writes. */
  read(listener: (bytes: Bytes) => void): void {
    this.#master.on('data', (bytes: Buffer) => listener(new Uint8Array(bytes)));
    this.#master.resume();
  }

  /**
   * Types a piece at a time: Node's writes to a terminal wait for it, and the program that must take it is in this
   * process too.
   */
  async type(input: string | Bytes): Promise<void> {
    const bytes = typeof input === 'string' ? utf8(input) : input;
    for (let offset = 0; offset < bytes.length; offset += pieceBytes) {
      if (offset > 0) await delay(2);
      this.#master.write(bytes.subarray(offset, offset + pieceBytes));
    }
  }

  /** Pulls the cable. */
  close(): void {
    this.#master.destroy();
    closeSync(this.#held);
  }
}
