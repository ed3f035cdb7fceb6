import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { parseBoardPins } from './pins.ts';

const text = readFileSync(new URL('../../board/rpi/pins.json', import.meta.url), 'utf8');

test('the Raspberry Pi has green on GPIO17, amber on GPIO27, the button on GPIO3 and the console on UART0', () => {
  const pins = parseBoardPins(text);
  assert.deepEqual(pins.leds, {
    green: { line: 17, activeLow: false, sysfs: 'green:status' },
    amber: { line: 27, activeLow: false, sysfs: 'amber:status' },
  });
  assert.deepEqual(pins.button, { line: 3, activeLow: true });
  assert.deepEqual(pins.console, { baud: 115_200 });
  assert.equal(pins.gpioChips.length, 3);
  assert.equal(pins.singleLed, 'ACT');
});

test('a misspelt key is refused and the nearest known one named', () => {
  assert.throws(() => parseBoardPins(text.replace('"amber"', '"ambre"')), {
    code: 'CONFIG_UNKNOWN_KEY',
    message: 'pins.json: leds: unknown key "ambre"; did you mean "amber"?',
  });
});

test('a line that no controller has is refused', () => {
  assert.throws(() => parseBoardPins(text.replace('17', '-1')), {
    code: 'CONFIG_INVALID',
    message: /leds: green: line: a whole number/,
  });
});
