import type { SerialPortStream } from '@serialport/stream';
import { type Bytes, utf8 } from '../base/bytes.ts';
import { AetherError } from '../base/errors.ts';
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
 * A serial line (8N1, no flow control) with a person's terminal at its other end, or nobody: then a UART takes what is
 * written all the same, and a USB gadget takes nothing.
 */
export class SerialLine implements ConsoleLine {
  readonly style: ConsoleLineStyle;
  readonly columns = columnsUnknown;
  readonly #port: SerialPortStream;
  #onEnd: () => void = () => {};
  #onTaken: () => void = () => {};
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

  get pending(): number {
    return this.#port.writableLength;
  }

  onTaken(listener: () => void): void {
    this.#onTaken = listener;
  }

  write(text: string): void {
    if (this.#ended || text === '') return;
    this.#port.write(Buffer.from(utf8(text)), (error) => {
      if (error === null || error === undefined) this.#onTaken();
    });
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
