import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LedDisplay, LedPort } from '../../ports/leds.ts';
import { FakeClock } from '../../testing/fake-clock.ts';
import { LedDriver } from './led-driver.ts';

class RecordingLeds implements LedPort {
  readonly shown: LedDisplay[] = [];
  closed = false;

  show(display: LedDisplay): void {
    this.shown.push(display);
  }

  close(): void {
    this.closed = true;
  }
}

function start(): { driver: LedDriver; leds: RecordingLeds; clock: FakeClock } {
  const leds = new RecordingLeds();
  const clock = new FakeClock();
  return { driver: new LedDriver({ ports: [leds] }, { clock }), leds, clock };
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
  assert.ok(leds.closed);
});
