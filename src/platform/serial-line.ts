import type { SerialPortStream } from '@serialport/stream';
import { type Bytes, utf8 } from '../base/bytes.ts';
import { AetherError } from '../base/errors.ts';
import { consoleOutputBytesMax } from '../base/face-limits.ts';
import type { ConsoleLine, ConsoleLineStyle } from '../ports/terminal-line.ts';
import { exportsOf } from './commonjs.ts';

export interface SerialLineOptions {
  /** `/dev/ttyAMA0`, `/dev/ttyS1`. */
  readonly path: string;
  readonly baud: number;
  /** What the terminal at the other end obeys; nobody can ask it. */
  readonly style: ConsoleLineStyle;
}

const columnsUnknown = 80;

/**
 * A serial line (8N1, no flow control) with a person's terminal at its other end, or nobody: it never waits for anyone.
 * What is not taken soon is dropped, as on a line that nobody listens to.
 */
export class SerialLine implements ConsoleLine {
  readonly style: ConsoleLineStyle;
  readonly columns = columnsUnknown;
  readonly #port: SerialPortStream;
  #onEnd: () => void = () => {};
  #ended = false;

  private constructor(port: SerialPortStream, style: ConsoleLineStyle) {
    this.#port = port;
    this.style = style;
    port.on('close', () => this.#end());
    port.on('error', () => this.#end());
  }

  /** Errors: `SERIAL_UNAVAILABLE`: the device is not there, may not be used, or is in use. */
  static async open({ path, baud, style }: SerialLineOptions): Promise<SerialLine> {
    // Only boxes with a serial line load this.
    const { autoDetect } = await import('@serialport/bindings-cpp');
    const { SerialPortStream: Port } = exportsOf(await import('@serialport/stream'));
    const port: SerialPortStream = new Port({
      binding: autoDetect(),
      path,
      baudRate: baud,
      dataBits: 8,
      parity: 'none',
      stopBits: 1,
      autoOpen: false,
    });
    return new Promise((resolve, reject) => {
      port.open((error) => {
        if (error === null || error === undefined) resolve(new SerialLine(port, style));
        else reject(unavailable(path, error));
      });
    });
  }

  onData(listener: (bytes: Bytes) => void): void {
    this.#port.on('data', (bytes: Buffer) => listener(new Uint8Array(bytes)));
  }

  onEnd(listener: () => void): void {
    this.#onEnd = listener;
    if (this.#ended) listener();
  }

  write(text: string): void {
    if (this.#ended || text === '') return;
    const bytes = utf8(text);
    if (this.#port.writableLength + bytes.length > consoleOutputBytesMax) return;
    this.#port.write(Buffer.from(bytes));
  }

  close(): void {
    if (this.#ended) return;
    this.#ended = true;
    // What nobody takes would keep the line open for ever.
    this.#port.flush(() => this.#port.close(() => {}));
  }

  #end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#onEnd();
    if (this.#port.isOpen) this.#port.close(() => {});
  }
}

function unavailable(path: string, cause: Error): AetherError {
  return new AetherError('SERIAL_UNAVAILABLE', `the serial line ${path} cannot be had: ${cause.message}`, {
    help: 'See that the device is there, and that this user may use it (group dialout).',
    cause,
  });
}
