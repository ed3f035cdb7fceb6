import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { createLog, type LogEntry, silentLog } from '../base/log.ts';
import type { GpioLibrary, GpioLine } from './gpio.ts';
import { openGpioLeds } from './gpio-leds.ts';

const gpioChips = ['pinctrl-bcm2835', 'pinctrl-bcm2711'];
const pins = { green: { line: 17, activeLow: false }, amber: { line: 27, activeLow: true } };

function sysfs(t: TestContext, label: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'gpio-'));
  t.after(() => rmSync(folder, { recursive: true }));
  for (const [chip, files] of Object.entries({
    gpiochip504: { label: 'raspberrypi-exp-gpio', base: '504' },
    gpiochip512: { label, base: '512' },
  })) {
    mkdirSync(join(folder, chip));
    for (const [name, value] of Object.entries(files)) writeFileSync(join(folder, chip, name), `${value}\n`);
  }
  return folder;
}

class FakePins {
  readonly events: string[] = [];
  broken: string | undefined;

  readonly load = async (): Promise<GpioLibrary> => {
    const pins = this;
    class Gpio implements GpioLine {
      readonly #gpio: number;

      constructor(gpio: number, direction: string, _edge: string, { activeLow }: { activeLow: boolean }) {
        if (pins.broken === `open ${gpio}`) throw Object.assign(new Error('busy'), { code: 'EBUSY' });
        pins.events.push(`open ${gpio} ${direction}${activeLow ? ' active low' : ''}`);
        this.#gpio = gpio;
      }

      writeSync(value: 0 | 1): void {
        if (pins.broken === 'write') throw Object.assign(new Error('input/output error'), { code: 'EIO' });
        pins.events.push(`${this.#gpio}=${value}`);
      }

      readSync(): 0 | 1 {
        return 0;
      }

      watch(): void {}

      unwatchAll(): void {}

      unexport(): void {
        pins.events.push(`close ${this.#gpio}`);
      }
    }
    return { Gpio };
  };
}

test('pins are counted from the base of the controller that the board names, and written only on a change', async (t) => {
  const fake = new FakePins();
  const options = { gpioChips, sysfsFolder: sysfs(t, 'pinctrl-bcm2711'), load: fake.load };
  const { leds } = await openGpioLeds(pins, options, { log: silentLog });
  assert.ok(leds);
  const words = { rhythm: '', headline: '' };
  leds.show({ green: 1, amber: 0, ...words });
  leds.show({ green: 1, amber: 0.4, ...words });
  leds.show({ green: 1, amber: 0.6, ...words });
  leds.close('dark');
  assert.deepEqual(fake.events, [
    'open 529 low',
    'open 539 low active low',
    '529=1',
    '539=1',
    '529=0',
    '539=0',
    'close 529',
    'close 539',
  ]);
});

test('of a box that only starts again green stays lit: the pins are not given back, and the next start takes them', async (t) => {
  const fake = new FakePins();
  const options = { gpioChips, sysfsFolder: sysfs(t, 'pinctrl-bcm2711'), load: fake.load };
  const { leds } = await openGpioLeds(pins, options, { log: silentLog });
  leds!.show({ green: 0, amber: 1, rhythm: '', headline: '' });
  leds!.close('booting');
  leds!.show({ green: 0, amber: 1, rhythm: '', headline: '' });
  assert.deepEqual(fake.events.slice(2), ['539=1', '529=1', '539=0']);
});

test('another controller, no controller, or a pin in use are reasons, not failures', async (t) => {
  const fake = new FakePins();
  const reason = async (sysfsFolder: string, load = fake.load) =>
    (await openGpioLeds(pins, { gpioChips, sysfsFolder, load }, { log: silentLog })).reason;
  assert.match((await reason(sysfs(t, 'other')))!, /no GPIO controller named pinctrl-bcm2835 or/);
  assert.equal(await reason(join(tmpdir(), 'gpio-that-is-not-there')), 'this computer has no GPIO pins');
  const there = sysfs(t, 'pinctrl-bcm2835');
  const unbuilt = async () => {
    throw Object.assign(new Error('wrong version'), { code: 'ERR_DLOPEN_FAILED' });
  };
  assert.match((await reason(there, unbuilt))!, /built for another Node/);
  fake.broken = 'open 539';
  assert.equal(await reason(there), 'busy');
  assert.deepEqual(fake.events, ['open 529 low', 'close 529'], 'what was opened is given back');
});

test('a light that fails later is said once and stays dark', async (t) => {
  const fake = new FakePins();
  const entries: LogEntry[] = [];
  const log = createLog(
    'leds',
    () => 0,
    (entry) => entries.push(entry),
  );
  const options = { gpioChips, sysfsFolder: sysfs(t, 'pinctrl-bcm2835'), load: fake.load };
  const { leds } = await openGpioLeds(pins, options, { log });
  assert.ok(leds);
  fake.broken = 'write';
  for (const green of [1, 0, 1]) leds.show({ green, amber: 0, rhythm: '', headline: '' });
  leds.close('dark');
  assert.deepEqual(
    entries.map(({ message, fields }) => [message, fields.reason]),
    [['lights failed', 'input/output error']],
  );
});

test('on a computer without pins the real thing says so', async (t) => {
  if (existsSync('/sys/class/gpio')) {
    t.skip('this computer has GPIO pins');
    return;
  }
  assert.deepEqual(await openGpioLeds(pins, { gpioChips }, { log: silentLog }), {
    reason: 'this computer has no GPIO pins',
  });
});

test('the package onoff loads, or its absence is a reason', async (t) => {
  const options = { gpioChips, sysfsFolder: sysfs(t, 'pinctrl-bcm2835') };
  const { leds, reason } = await openGpioLeds(pins, options, { log: silentLog });
  leds?.close('dark');
  assert.ok(leds !== undefined || (reason !== undefined && reason !== ''), 'never a rejection');
});
