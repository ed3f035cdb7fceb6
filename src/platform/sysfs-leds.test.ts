import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { createLog, type LogEntry } from '../base/log.ts';
import { openSysfsLeds, type SysfsLedNames } from './sysfs-leds.ts';

const both = { green: 'green:status', amber: 'amber:status' };

/** Lights as the kernel has them when a box is switched on: green at its timer. */
function open(t: TestContext, names: SysfsLedNames = both, max = 1) {
  const folder = mkdtempSync(join(tmpdir(), 'leds-'));
  t.after(() => rmSync(folder, { recursive: true }));
  for (const name of Object.values(names)) {
    mkdirSync(join(folder, name));
    writeFileSync(join(folder, name, 'trigger'), 'timer');
    writeFileSync(join(folder, name, 'brightness'), '0');
    writeFileSync(join(folder, name, 'max_brightness'), `${max}\n`);
  }
  const entries: LogEntry[] = [];
  const log = createLog(
    'leds',
    () => 0,
    (entry) => entries.push(entry),
  );
  const { leds } = openSysfsLeds(names, { log, folder });
  assert.ok(leds);
  const read = (name: string) =>
    ['trigger', 'brightness'].map((file) => readFileSync(join(folder, name, file), 'utf8').trim()).join(' ');
  return { leds, read, folder, entries };
}

const display = (green: number, amber: number) => ({ green, amber, rhythm: '', headline: '' });

test('lights are taken from the kernel, and are as bright as they can', (t) => {
  const { leds, read } = open(t, both, 255);
  assert.deepEqual(Object.values(both).map(read), ['none 0', 'none 0']);
  leds.show(display(1, 0.5));
  assert.deepEqual(Object.values(both).map(read), ['none 255', 'none 128']);
});

test('a box that has stopped for good is dark', (t) => {
  const { leds, read } = open(t);
  leds.show(display(1, 1));
  leds.close('dark');
  assert.deepEqual(Object.values(both).map(read), ['none 0', 'none 0']);
});

test('of a box that starts again green is given back to the rhythm it has at power-on, and amber is dark', (t) => {
  const { leds, read } = open(t);
  leds.show(display(1, 1));
  leds.close('booting');
  leds.show(display(0, 1));
  assert.equal(read('green:status').split(' ')[0], 'timer');
  assert.equal(read('amber:status'), 'none 0');
});

test('while the box starts green blinks by itself, however busy the program is', (t) => {
  const { leds, read, folder } = open(t);
  const booting = (green: number) => ({ ...display(green, 0), booting: true });
  leds.show(display(1, 1));
  leds.show(booting(1));
  leds.show(booting(0));
  assert.deepEqual(Object.values(both).map(read), ['timer 1', 'none 0']);
  leds.show(display(0, 1));
  assert.deepEqual(Object.values(both).map(read), ['none 0', 'none 1']);
  leds.show(booting(1));
  leds.close('dark');
  assert.equal(readFileSync(join(folder, 'green:status', 'brightness'), 'utf8'), '0');
});

test('where the kernel has no timer the program blinks while the box starts', (t) => {
  const { leds, folder } = open(t);
  rmSync(join(folder, 'green:status', 'trigger'));
  mkdirSync(join(folder, 'green:status', 'trigger'));
  const shown = [1, 0, 1].map((green) => {
    leds.show({ ...display(green, 0), booting: true });
    return readFileSync(join(folder, 'green:status', 'brightness'), 'utf8');
  });
  assert.deepEqual(shown, ['1', '0', '1']);
});

test('one light that plays for both blinks as green does', (t) => {
  const { leds, read } = open(t, { single: 'ACT' });
  leds.close('booting');
  assert.equal(read('ACT').split(' ')[0], 'timer');
});

test('where the kernel has no timer green stays lit: dark would mean that it may be unplugged', (t) => {
  const { leds, folder, entries } = open(t);
  // A file that takes no word.
  rmSync(join(folder, 'green:status', 'trigger'));
  mkdirSync(join(folder, 'green:status', 'trigger'));
  leds.close('booting');
  assert.equal(readFileSync(join(folder, 'green:status', 'brightness'), 'utf8'), '1');
  assert.deepEqual(entries, []);
});
