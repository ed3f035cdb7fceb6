import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Bytes, fromUtf8, utf8 } from '../base/bytes.ts';
import { CborFields, encodeCbor } from '../base/cbor.ts';
import { consoleOutputBytesMax } from '../base/face-limits.ts';
import { createLog } from '../base/log.ts';
import type { Box } from '../box.ts';
import { BoxConsole } from '../box-console.ts';
import { ConsoleFixture } from './console-fixture.ts';
import { FakeClock } from './fake-clock.ts';
import { SeededEntropy } from './seeded-entropy.ts';

type Handler = (payload: Bytes, from: { readonly peer: { readonly memberId: Bytes } }) => Promise<Bytes>;

/** One console of a member, without the network between. */
class Remote {
  readonly clock = new FakeClock();
  readonly fixture = new ConsoleFixture();
  readonly #consoles = new BoxConsole(this.fixture.context, {
    clock: this.clock,
    entropy: new SeededEntropy(1),
  });
  #handler!: Handler;
  #session: Bytes | null = null;

  constructor() {
    const box = {
      handle: (_method: number, handler: Handler) => {
        this.#handler = handler;
      },
    };
    this.#consoles.attach(box as unknown as Box);
  }

  async exchange(input: string): Promise<string> {
    const request = encodeCbor({ session: this.#session, input: utf8(input), columns: 80, waitMs: 100 });
    const peer = { memberId: new Uint8Array(32) };
    const answer = await this.clock.runUntil(this.#handler(request, { peer }));
    const fields = CborFields.decode(answer);
    this.#session = fields.bytes('session');
    return fromUtf8(fields.bytes('output'))!;
  }

  /** Types, and takes until the prompt is there again. */
  async ask(line: string): Promise<string> {
    let output = await this.exchange(`${line}\r`);
    for (let turn = 0; turn < 500 && !output.endsWith('> '); turn++) output += await this.exchange('');
    return output;
  }

  close(): void {
    this.#consoles.close();
  }
}

test('support prints all it has over the network, however much that is', async () => {
  const remote = new Remote();
  await remote.exchange('');
  const lines = Array.from({ length: 8000 }, (_, number) => `line ${number} of a log that is long`);
  const text = `${lines.join('\n')}\n`;
  assert.ok(text.length > 2 * consoleOutputBytesMax);
  remote.fixture.control.supportBundle = async () => [{ name: 'log.txt', text }];
  const output = await remote.ask('support');
  assert.ok(output.includes(lines.join('\r\n')));
  assert.match(output, /==== support bundle ends\r\n.*> $/);
  remote.close();
});

test('one line that is longer than all that waits arrives whole, and news do not get into it', async () => {
  const remote = new Remote();
  await remote.exchange('');
  const log = createLog('store', () => remote.clock.wallMs(), remote.fixture.log.sink);
  for (let count = 0; count < 100; count++)
    log.info('long \u{1f4be}', { text: `${'ä💾'.repeat(1000)}${count}` });
  let output = await remote.exchange('log 100 --json\r');
  log.warn('in between');
  for (let turn = 0; turn < 500 && !output.endsWith('> '); turn++) output += await remote.exchange('');
  const [, json = '', ...after] = output.split('\r\n');
  assert.equal(JSON.parse(json).length, 100);
  assert.match(after.join('\n'), /1 line was left out here/);
  remote.close();
});

test('news that nobody takes are bounded, and how many are left out is told', async () => {
  const remote = new Remote();
  await remote.exchange('');
  const log = createLog('store', () => remote.clock.wallMs(), remote.fixture.log.sink);
  for (let count = 0; count < 5000; count++) log.warn('a disk is slow', { count });
  const taken = await remote.exchange('');
  assert.ok(taken.length <= consoleOutputBytesMax);
  const shown = taken.split('a disk is slow').length - 1;
  assert.ok(shown > 0);
  assert.match(await remote.exchange(''), new RegExp(`${5000 - shown} lines were left out here`));
  remote.close();
});
