import { type Bytes, concat, emptyBytes, fromUtf8 } from '../../base/bytes.ts';
import { CborFields, encodeCbor } from '../../base/cbor.ts';
import { AetherError, hasCode } from '../../base/errors.ts';
import { consoleWaitMsMax } from '../../base/face-limits.ts';
import { TerminalLine } from '../../platform/terminal-line.ts';
import { methods } from '../../pool/transfer/methods.ts';
import type { PeerConnection } from '../../pool/transfer/peer-connection.ts';
import { usageError } from '../arguments.ts';
import type { Command } from '../command.ts';
import { Desktop } from '../desktop.ts';
import { exitCodes } from '../exit-codes.ts';
import { PoolSession } from '../pool-session.ts';

export const console: Command = {
  name: 'console',
  summary: 'the maintenance console of a box',
  usage: 'BOX',
  options: {},
  notes: ['Ctrl-D on an empty line leaves it. The box’s PIN is asked for where one is set.'],
  // It is left as by closing its window: a `log -f` there would never end by itself.
  stopsUnread: true,
  run: async (line, { homePath, signal }) => {
    const [wanted, ...more] = line.positionals;
    if (wanted === undefined || more.length > 0)
      throw usageError('console takes one box', 'aether console --help');
    const desktop = await Desktop.open(homePath);
    const session = await PoolSession.open(desktop, { wait: 'one', box: wanted, signal });
    try {
      const member = session.member(wanted);
      await new RemoteConsole(await session.connection(member.memberId), new TerminalLine()).run();
    } finally {
      await session.close();
    }
    return exitCodes.done;
  },
};

/** One console of a box on this terminal: what is typed goes there at once, what is written there comes back. */
class RemoteConsole {
  readonly #connection: PeerConnection;
  readonly #line: TerminalLine;
  #session: Bytes | null = null;
  #input: Bytes[] = [];
  #sending = false;
  #inputEnded = false;
  readonly #ended = Promise.withResolvers<void>();

  constructor(connection: PeerConnection, line: TerminalLine) {
    this.#connection = connection;
    this.#line = line;
  }

  async run(): Promise<void> {
    try {
      await this.#exchange(emptyBytes, 0);
      this.#line.onData((bytes) => {
        this.#input.push(bytes);
        void this.#send();
      });
      this.#line.onEnd(() => {
        this.#inputEnded = true;
        void this.#send();
      });
      void this.#listen();
      await this.#ended.promise;
    } finally {
      this.#line.close();
    }
  }

  async #listen(): Promise<void> {
    try {
      while (!(await this.#exchange(emptyBytes, consoleWaitMsMax)));
      this.#ended.resolve();
    } catch (error) {
      this.#fail(error);
    }
  }

  /** What was typed meanwhile goes together; the order stays. */
  async #send(): Promise<void> {
    if (this.#sending) return;
    this.#sending = true;
    try {
      while (this.#input.length > 0) {
        const bytes = concat(this.#input);
        this.#input = [];
        if (await this.#exchange(bytes, 0)) this.#ended.resolve();
      }
      // The end of a pipe is that of the person: leave as by Ctrl-D.
      if (this.#inputEnded && (await this.#exchange(new Uint8Array([0x04]), consoleWaitMsMax)))
        this.#ended.resolve();
    } catch (error) {
      this.#fail(error);
    } finally {
      this.#sending = false;
    }
  }

  /** A box that was asked to stop or to restart ends the connection. */
  #fail(error: unknown): void {
    if (!hasCode(error, 'LINK_CLOSED')) {
      this.#ended.reject(error);
      return;
    }
    this.#line.write('\r\nThe box has ended the connection.\r\n');
    this.#ended.resolve();
  }

  /** True: the console has ended. */
  async #exchange(input: Bytes, waitMs: number): Promise<boolean> {
    const { columns } = this.#line;
    const request = encodeCbor({ session: this.#session, input, columns, waitMs });
    const timeoutMs = waitMs + 10_000;
    const answer = await this.#connection.request(methods.consoleExchange, [request], { timeoutMs });
    const fields = CborFields.decode(answer);
    this.#session = fields.bytes('session');
    const output = fromUtf8(fields.bytes('output'));
    if (output === undefined)
      throw new AetherError('CBOR_INVALID', 'the box wrote something that is no text');
    this.#line.write(output);
    return fields.flag('ended');
  }
}
