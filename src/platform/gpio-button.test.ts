import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { createLog, type LogEntry, silentLog } from '../base/log.ts';
import type { GpioLine } from './gpio.ts';
import { openGpioButton } from './gpio-button.ts';

let folder: string;

before(() => {
  folder = mkdtempSync(join(tmpdir(), 'aetherstore-gpio-'));
  mkdirSync(join(folder, 'gpiochip512'));
  writeFileSync(join(folder, 'gpiochip512', 'label'), 'pinctrl-bcm2711\n');
  writeFileSync(join(folder, 'gpiochip512', 'base'), '512\n');
});
after(() => rmSync(folder, { recursive: true }));

/** A button on a line that behaves as `line` says. */
async function open(line: Partial<GpioLine>) {
  const opened: number[] = [];
  const entries: LogEntry[] = [];
  class Gpio {
    readSync = line.readSync ?? (() => 0 as const);
    writeSync = () => {};
    watch = line.watch ?? (() => {});
    unwatchAll = () => {};
    unexport = () => {};
    constructor(gpio: number) {
      opened.push(gpio);
    }
  }
  const log = createLog(
    'gpio',
    () => 0,
    (entry) => entries.push(entry),
  );
  const options = { gpioChips: ['pinctrl-bcm2711'], sysfsFolder: folder, load: async () => ({ Gpio }) };
  const { button } = await openGpioButton({ line: 3, activeLow: true }, options, { log });
  assert.ok(button);
  return { button, opened, entries };
}

test('the button is on the line of the controller, whatever its first number is', async () => {
  const { button, opened } = await open({ readSync: () => 1 });
  assert.deepEqual(opened, [515]);
  assert.equal(button.pressed, true);
});

test('a button that cannot be read or watched is not pressed, and says so once', async () => {
  const fail = () => {
    throw Object.assign(new Error('EPERM'), { code: 'EPERM' });
  };
  const { button, entries } = await open({ readSync: fail, watch: fail });
  button.onChange(() => assert.fail('nothing is heard of it'));
  assert.equal(button.pressed, false);
  assert.equal(button.pressed, false);
  assert.equal(entries.length, 1);
  button.close();
});

test('an error while it is watched puts it out of use, instead of a press', async () => {
  let tell: Parameters<GpioLine['watch']>[0] = () => {};
  const heard: boolean[] = [];
  const { button, entries } = await open({
    watch: (listener) => {
      tell = listener;
    },
  });
  button.onChange((pressed) => heard.push(pressed));
  tell(null, 1);
  tell(new Error('EIO'), 0);
  tell(null, 1);
  assert.deepEqual(heard, [true]);
  assert.equal(entries.length, 1);
});

test('a pin that this program may not use yet may come; a computer without pins is not waited for', async () => {
  class Gpio {
    constructor() {
      throw Object.assign(new Error('EACCES'), { code: 'EACCES' });
    }
  }
  const load = async () => ({ Gpio }) as never;
  const openIn = async (gpioChips: readonly string[], sysfsFolder: string) => {
    const options = { gpioChips, sysfsFolder, load };
    return (await openGpioButton({ line: 3, activeLow: true }, options, { log: silentLog })).mayCome;
  };
  assert.equal(await openIn(['pinctrl-bcm2711'], folder), true);
  assert.equal(await openIn(['pinctrl-rp1'], folder), false);
  assert.equal(await openIn(['pinctrl-bcm2711'], join(folder, 'none')), false);
});
