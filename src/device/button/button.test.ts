import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLog, type LogEntry } from '../../base/log.ts';
import { unclaimedFacts } from '../../testing/appliance-facts.ts';
import { FakeButton } from '../../testing/fake-button.ts';
import { FakeClock } from '../../testing/fake-clock.ts';
import { NotingControl } from '../../testing/noting-control.ts';
import { Button } from './button.ts';
import { factoryResetMs, resetAccessMs, shutdownMs, stuckMs } from './button-machine.ts';

function open({ pressed = false, atPowerOn = true } = {}) {
  const clock = new FakeClock();
  const port = new FakeButton();
  port.pressed = pressed;
  const control = new NotingControl();
  const stages: (string | undefined)[] = [];
  const entries: LogEntry[] = [];
  const log = createLog(
    'button',
    () => 0,
    (entry) => entries.push(entry),
  );
  const lights = { showPress: (stage: string | undefined) => void stages.push(stage) };
  const codes: string[] = [];
  const onCode = ({ code }: { code: string }) => void codes.push(code);
  const button = new Button({ port, control, lights, onCode, atPowerOn }, { clock, log });
  const hold = async (ms: number) => {
    port.set(true);
    await clock.run(ms);
    port.set(false);
    await clock.run(0);
  };
  return { button, clock, port, control, stages, entries, codes, hold };
}

test('a tap blinks both lights and makes a login code; another ends the blinking', async () => {
  const { control, codes, hold } = open();
  await hold(200);
  assert.deepEqual(control.asked, ['identify true']);
  assert.deepEqual(codes, ['4821-9930']);
  await hold(200);
  assert.deepEqual(control.asked, ['identify true', 'identify false']);
  assert.equal(codes.length, 1);
});

test('on a box that nobody has claimed a tap makes no code: it has its claim code', async () => {
  const { control, hold } = open();
  control.set(unclaimedFacts);
  control.pair = () => assert.fail('no code is asked for');
  await hold(200);
  assert.deepEqual(control.asked, ['identify true']);
});

test('held five seconds it shuts down, ten it resets; the lights follow at each threshold', async () => {
  const five = open();
  await five.hold(shutdownMs + 100);
  assert.deepEqual(five.control.asked, ['shutdown']);
  assert.deepEqual(five.stages, [undefined, 'pressed', 'held', 'shutdown', undefined]);
  const ten = open();
  await ten.hold(resetAccessMs + 100);
  assert.deepEqual(ten.control.asked, ['resetAccess']);
  assert.deepEqual(ten.stages, [undefined, 'pressed', 'held', 'shutdown', 'reset-access', undefined]);
});

test('let go early it does nothing', async () => {
  const { control, hold } = open();
  await hold(3000);
  assert.deepEqual(control.asked, []);
});

test('held through power-on it is a factory reset', async () => {
  const { control, clock, port, stages } = open({ pressed: true });
  await clock.run(factoryResetMs + 10);
  port.set(false);
  assert.deepEqual(control.asked, ['factoryReset']);
  assert.deepEqual(stages, ['held', 'factory-reset', undefined]);
});

test('a program that starts again under a finger does nothing of it, and the lights go on as they were', async () => {
  for (const heldMs of [100, shutdownMs + 100, factoryResetMs + 100, stuckMs + 100]) {
    const { control, clock, port, stages, hold } = open({ pressed: true, atPowerOn: false });
    await clock.run(heldMs);
    port.set(false);
    await clock.run(0);
    assert.deepEqual(control.asked, [], `${heldMs} ms`);
    assert.deepEqual(new Set(stages), new Set([undefined]));
    await hold(shutdownMs + 100);
    assert.deepEqual(control.asked, ['shutdown'], 'the next press counts');
  }
});

test('that a held button means nothing is in the log, with its start or not at all', () => {
  const said = (of: Parameters<typeof open>[0]) => open(of).entries.map(({ message }) => message);
  assert.match(said({ pressed: true, atPowerOn: false }).join(), /means nothing until it is let go/);
  assert.deepEqual(said({ pressed: true, atPowerOn: true }), []);
  assert.deepEqual(said({ pressed: false, atPowerOn: false }), []);
});

test('a button that is stuck is said once, and does nothing', async () => {
  const { control, hold, entries } = open();
  await hold(stuckMs + 60_000);
  assert.deepEqual(control.asked, []);
  assert.equal(entries.filter(({ level }) => level === 'warn').length, 1);
});

test('a deed that fails is logged, and the button goes on', async () => {
  const { control, hold, entries } = open();
  control.fail(new Error('no'));
  await hold(shutdownMs);
  assert.equal(entries.filter(({ level }) => level === 'error').length, 1);
  await hold(100);
  assert.deepEqual(control.asked, ['shutdown', 'identify true']);
});

test('while one order is carried out another is not begun', async () => {
  const { control, hold } = open();
  control.shutdown = () => {
    control.asked.push('shutdown');
    return new Promise(() => {});
  };
  await hold(shutdownMs + 100);
  await hold(resetAccessMs + 100);
  assert.deepEqual(control.asked, ['shutdown']);
});
