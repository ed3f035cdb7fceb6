import assert from 'node:assert/strict';
import { test } from 'node:test';
import { serialRetryMsMax, serialRetryMsMin } from '../../base/face-limits.ts';
import { createLog, type LogEntry } from '../../base/log.ts';
import { ConsoleFixture } from '../../testing/console-fixture.ts';
import { FakeClock } from '../../testing/fake-clock.ts';
import { FakeConsoleLine } from '../../testing/fake-console-line.ts';
import { SerialConsole } from './serial-console.ts';

function open(isThere: () => boolean) {
  const clock = new FakeClock();
  const lines: FakeConsoleLine[] = [];
  const triedMs: number[] = [];
  const entries: LogEntry[] = [];
  const log = createLog(
    'console',
    () => 0,
    (entry) => entries.push(entry),
  );
  const console = new SerialConsole(
    {
      name: '/dev/ttyS1',
      open: async () => {
        triedMs.push(clock.monotonicMs());
        if (!isThere()) throw new Error('no such device');
        const line = new FakeConsoleLine('ansi');
        lines.push(line);
        return line;
      },
      context: new ConsoleFixture().context,
    },
    { clock, log },
  );
  return { console, clock, lines, triedMs, entries };
}

test('who leaves makes room for the next, who is greeted', async () => {
  const { console, clock, lines } = open(() => true);
  await clock.run(0);
  assert.match(lines[0]!.written, /AetherStore .*aether-3f2a/);
  lines[0]!.type('\x04');
  await clock.run(serialRetryMsMin);
  assert.equal(lines[0]!.closed, true);
  assert.match(lines[1]!.written, /AetherStore .*aether-3f2a/);
  console.print('a line for everybody');
  assert.match(lines[1]!.written, /a line for everybody/);
  console.close();
  assert.equal(lines[1]!.closed, true);
});

test('a line that is not there is tried less and less often, and its absence is said once', async () => {
  let isThere = false;
  const { console, clock, lines, triedMs, entries } = open(() => isThere);
  await clock.run(10 * serialRetryMsMax);
  const gaps = triedMs.slice(1).map((ms, index) => ms - triedMs[index]!);
  assert.equal(gaps[0], serialRetryMsMin);
  assert.equal(Math.max(...gaps), serialRetryMsMax);
  assert.equal(entries.length, 1);
  isThere = true;
  await clock.run(serialRetryMsMax);
  assert.equal(lines.length, 1);
  // A cable that is pulled: it comes back soon again.
  lines[0]!.hangUp();
  await clock.run(serialRetryMsMin);
  assert.equal(lines.length, 2);
  console.close();
});

test('a line that goes away while a command runs is opened again', async () => {
  const { console, clock, lines } = open(() => true);
  await clock.run(0);
  lines[0]!.type('log -f\r');
  await clock.run(0);
  lines[0]!.hangUp();
  await clock.run(serialRetryMsMin);
  assert.equal(lines.length, 2);
  console.close();
});

test('nothing is opened after it was closed', async () => {
  const { console, clock, triedMs } = open(() => false);
  await clock.run(0);
  console.close();
  await clock.run(serialRetryMsMax);
  assert.equal(triedMs.length, 1);
});
