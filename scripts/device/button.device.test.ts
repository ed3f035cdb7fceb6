import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { silentLog } from '../../src/base/log.ts';
import { Button } from '../../src/device/button/button.ts';
import { LedDriver } from '../../src/device/leds/led-driver.ts';
import { NodeClock } from '../../src/platform/node-clock.ts';
import type { LedDisplay } from '../../src/ports/leds.ts';
import { FakeButton } from '../../src/testing/fake-button.ts';
import { NotingControl } from '../../src/testing/noting-control.ts';

/*
 * The button in real time: the machine, the driver of the lights and the clock are the box's own; only the contact is a
 * test's. How fast the lights blink while it is held is counted from what the lights were told.
 */
interface Press {
  readonly asked: readonly string[];
  /** Times that the lights changed in the second before it was let go. */
  readonly changes: number;
}

async function press(heldMs: number, fromStart = false): Promise<Press> {
  const clock = new NodeClock();
  const control = new NotingControl();
  const port = new FakeButton();
  port.pressed = fromStart;
  const shown: number[] = [];
  const light = { show: (_: LedDisplay) => void shown.push(performance.now()), close: () => {} };
  const lights = new LedDriver({ ports: [light], startsAgain: () => false }, { clock });
  lights.show(control.status());
  const options = { port, control, lights, onCode: () => {}, atPowerOn: fromStart };
  const button = new Button(options, { clock, log: silentLog });
  if (!fromStart) port.set(true);
  await delay(heldMs);
  const letGoMs = performance.now();
  port.set(false);
  const changes = shown.filter((ms) => ms > letGoMs - 1000 && ms <= letGoMs).length;
  button.close();
  lights.close();
  return { asked: control.asked, changes };
}

test('a tap, letting go early, five seconds, ten seconds, and ten through power-on', async (t) => {
  const [tap, early, five, ten, through] = await Promise.all([
    press(300),
    press(3000),
    press(6500),
    press(11_500),
    press(11_500, true),
  ]);
  assert.deepEqual(tap!.asked, ['identify true']);
  assert.deepEqual(early!.asked, []);
  assert.deepEqual(five!.asked, ['shutdown']);
  assert.deepEqual(ten!.asked, ['resetAccess']);
  assert.deepEqual(through!.asked, ['factoryReset']);
  t.diagnostic(
    `changes of the lights in the last second: ${[early, five, ten, through].map((each) => each!.changes).join(', ')}`,
  );
  assert.equal(early!.changes, 0, 'steady: nothing will happen');
  // How fast is a matter of patterns.test.ts; on a busy machine some changes come late.
  assert.ok(five!.changes > 0 && ten!.changes > five!.changes && through!.changes > five!.changes);
});
