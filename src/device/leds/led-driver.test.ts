import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LedDisplay, LedPort, LightsLeft } from '../../ports/leds.ts';
import { FakeClock } from '../../testing/fake-clock.ts';
import { LedDriver } from './led-driver.ts';

class RecordingLeds implements LedPort {
  readonly shown: LedDisplay[] = [];
  left: LightsLeft | undefined;

  show(display: LedDisplay): void {
    this.shown.push(display);
  }

  close(left: LightsLeft): void {
    this.left = left;
  }
}

function start(startsAgain = false): { driver: LedDriver; leds: RecordingLeds; clock: FakeClock } {
  const leds = new RecordingLeds();
  const clock = new FakeClock();
  const options = { ports: [leds], startsAgain: () => startsAgain };
  return { driver: new LedDriver(options, { clock }), leds, clock };
}

test('the lights follow the rhythm on the clock', async () => {
  const { driver, leds, clock } = start();
  driver.show({ light: { kind: 'booting' }, headline: 'The box is starting.' });
  await clock.run(2100);
  assert.deepEqual(
    leds.shown.map(({ green }) => green),
    [1, 0, 1, 0, 1],
  );
  assert.equal(leds.shown[0]!.rhythm, 'green blinks, amber off');
  assert.equal(leds.shown[0]!.headline, 'The box is starting.');
});

test('a steady state is shown once and sets no timer', async () => {
  const { driver, leds, clock } = start();
  driver.show({ light: { kind: 'healthy' }, headline: 'All is well.' });
  await clock.run(60_000);
  assert.equal(leds.shown.length, 1);
});

test('telling the same state again does not disturb its rhythm', async () => {
  const { driver, leds, clock } = start();
  const status = { light: { kind: 'unclaimed' }, headline: 'Nobody’s yet.' } as const;
  driver.show(status);
  for (let tick = 0; tick < 10; tick++) {
    await clock.run(200);
    driver.show(status);
  }
  assert.deepEqual(
    leds.shown.map(({ amber }) => amber),
    [0, 1, 0, 1],
  );
});

test('new words for the same lights are shown at once, and the rhythm goes on', async () => {
  const { driver, leds, clock } = start();
  driver.show({ light: { kind: 'booting' }, headline: 'one' });
  await clock.run(300);
  driver.show({ light: { kind: 'booting' }, headline: 'two' });
  assert.equal(leds.shown.at(-1)?.headline, 'two');
  await clock.run(201);
  assert.equal(leds.shown.at(-1)?.green, 0);
});

test('a new state starts its rhythm from the beginning', async () => {
  const { driver, leds, clock } = start();
  driver.show({ light: { kind: 'booting' }, headline: 'starting' });
  await clock.run(700);
  driver.show({ light: { kind: 'attention', flashes: 2 }, headline: 'disk' });
  assert.equal(leds.shown.at(-1)?.amber, 0);
  await clock.run(401);
  assert.equal(leds.shown.at(-1)?.amber, 1);
});

test('closing stops the rhythm and turns the lights off', async () => {
  const { driver, leds, clock } = start();
  driver.show({ light: { kind: 'booting' }, headline: 'starting' });
  driver.close();
  await clock.run(5000);
  assert.equal(leds.shown.length, 1);
  assert.equal(leds.left, 'dark');
});

test('a box that has stopped is dark; one that ends only to start again never looks so', () => {
  const stopped = { light: { kind: 'off' }, headline: 'The box has stopped: it is safe to unplug.' } as const;
  const seen = (startsAgain: boolean) => {
    const { driver, leds } = start(startsAgain);
    driver.show({ light: { kind: 'working' }, headline: 'The box is stopping.' });
    driver.show(stopped);
    driver.close();
    const { green, amber, rhythm, headline } = leds.shown.at(-1)!;
    return [green, amber, rhythm, headline, leds.left];
  };
  assert.deepEqual(seen(false), [0, 0, 'green off, amber off', stopped.headline, 'dark']);
  assert.deepEqual(seen(true), [1, 0, 'green blinks, amber off', 'The box starts again.', 'booting']);
});
