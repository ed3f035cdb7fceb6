import assert from 'node:assert/strict';
import { test } from 'node:test';
import { buttonOpenMs, buttonPowerOnMs, buttonRetryMs } from '../../base/face-limits.ts';
import { silentLog } from '../../base/log.ts';
import type { ButtonResult } from '../../ports/button.ts';
import { FakeButton } from '../../testing/fake-button.ts';
import { FakeClock } from '../../testing/fake-clock.ts';
import { AwaitedButton } from './awaited-button.ts';

const refused: ButtonResult = { reason: 'the GPIO pins may not be used by this user', mayCome: true };

/** A button whose openings end so, one after another; the last goes for all that follow. */
function open(...ends: readonly ButtonResult[]) {
  const clock = new FakeClock();
  const did: string[] = [];
  let tries = 0;
  const button = new AwaitedButton(
    {
      open: async () => {
        did.push('open');
        return ends[Math.min(tries++, ends.length - 1)]!;
      },
      listen: (_, soon) => {
        did.push(soon ? 'listen' : 'listen late');
        return { close: () => void did.push('close') };
      },
    },
    { clock, log: silentLog },
  );
  return { button, clock, did };
}

test('a button that the system gives to the program a while later is listened at then, once', async () => {
  const { button, clock, did } = open(refused, refused, { button: new FakeButton() });
  await button.start();
  assert.deepEqual(did, ['open']);
  await clock.run(10 * buttonRetryMs);
  assert.deepEqual(did, ['open', 'open', 'open', 'listen']);
  button.close();
  assert.equal(did.at(-1), 'close');
  const tries = Array.from({ length: 1 + buttonPowerOnMs / buttonRetryMs }, () => refused);
  const late = open(...tries, { button: new FakeButton() });
  await late.button.start();
  await late.clock.run(buttonOpenMs);
  assert.equal(late.did.at(-1), 'listen late', 'a press may be younger than power-on');
});

test('a computer without a button is asked once, one that refuses it for a while only', async () => {
  const none = open({ reason: 'this computer has no GPIO pins', mayCome: false });
  await none.button.start();
  await none.clock.run(2 * buttonOpenMs);
  assert.deepEqual(none.did, ['open']);
  const never = open(refused);
  await never.button.start();
  await never.clock.run(10 * buttonOpenMs);
  assert.equal(never.did.length, 1 + buttonOpenMs / buttonRetryMs);
});

test('a box that ends tries no more, and gives back what comes then', async () => {
  const closing = open(refused);
  await closing.button.start();
  closing.button.close();
  await closing.clock.run(buttonOpenMs);
  assert.deepEqual(closing.did, ['open']);
  const port = new FakeButton();
  let closed = false;
  port.close = () => {
    closed = true;
  };
  const late = open({ button: port });
  const started = late.button.start();
  late.button.close();
  await started;
  assert.deepEqual([late.did, closed], [['open'], true]);
});
