import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { silentLog } from '../../src/base/log.ts';
import { parseBoardPins } from '../../src/device/pins.ts';
import { openGpioLeds } from '../../src/platform/gpio-leds.ts';
import { sampleLights, shareWrong } from './light-samples.ts';
import { lightStates } from './light-states.ts';
import { layOutLed, ledBrightness, ledsFolder, takeSysfsClass } from './sysfs-class.ts';

/*
 * The lights against a sysfs of files: this process takes a mount namespace of its own, puts a tmpfs on /sys/class and
 * lays out there what a Raspberry Pi has. The production code finds it where it always looks.
 */
const root = join(import.meta.dirname, '..', '..');
const skip = takeSysfsClass() ?? false;
const sampleMs = 10_000;

let child: ChildProcess | undefined;

before(async () => {
  if (skip !== false) return;
  for (const index of lightStates.keys())
    for (const name of ['green', 'amber']) layOutLed(`${index}-${name}`);
  layOutLed('green:status');
  layOutLed('amber:status');
  child = spawn(process.execPath, [join(import.meta.dirname, 'lights-child.ts')], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await new Promise((resolve) => child!.stdout!.once('data', resolve));
});
after(() => child?.kill('SIGKILL'));

test('each state of the box, sampled for ten seconds from the files of the lights, has its rhythm', {
  skip,
}, async (t) => {
  const pairs = lightStates.map((_, index) => ({ green: `${index}-green`, amber: `${index}-amber` }));
  const samples = await sampleLights(pairs, sampleMs);
  for (const [index, state] of lightStates.entries()) {
    // The kernel blinks then, and files have none.
    if (state.kind === 'booting') continue;
    const wrong = shareWrong(state, samples[index]!);
    t.diagnostic(
      `${JSON.stringify(state)}: ${(100 * wrong).toFixed(1)}% of ${samples[index]!.atMs.length} samples`,
    );
    assert.ok(wrong < 0.1, `${JSON.stringify(state)}: ${(100 * wrong).toFixed(1)}% of the samples differ`);
    for (const other of lightStates.filter((each) => each !== state)) {
      assert.ok(shareWrong(other, samples[index]!) > wrong, `it is not taken for ${JSON.stringify(other)}`);
    }
  }
});

test('the kernel is told to leave the lights alone while the program plays them, and to blink while it starts', {
  skip,
}, () => {
  for (const [index, { kind }] of lightStates.entries()) {
    const trigger = readFileSync(join(ledsFolder, `${index}-green`, 'trigger'), 'utf8');
    assert.equal(trigger, kind === 'booting' ? 'timer' : 'none', kind);
  }
});

test('a program that is killed leaves its lights to the kernel, by what its service runs then', {
  skip,
}, async () => {
  child!.kill('SIGKILL');
  await new Promise((resolve) => child!.once('exit', resolve));
  writeFileSync(join(ledsFolder, 'green:status', 'brightness'), '1');
  const script = join(root, 'overlays/rootfs/usr/lib/aetherstore/lights-to-kernel');
  const run = (result: string) =>
    spawnSync(script, { env: { SERVICE_RESULT: result, PATH: process.env.PATH } });
  assert.equal(run('success').status, 0);
  assert.equal(
    readFileSync(join(ledsFolder, 'amber:status', 'trigger'), 'utf8'),
    'default-on',
    'a clean stop leaves them off',
  );
  assert.equal(run('signal').status, 0);
  assert.equal(readFileSync(join(ledsFolder, 'amber:status', 'trigger'), 'utf8').trim(), 'heartbeat');
  assert.equal(ledBrightness('green:status'), 0);
});

test('lights on pins of a Raspberry Pi with a new kernel: GPIO 17 is 529, by the real onoff', {
  skip,
}, async (t) => {
  const gpio = '/sys/class/gpio';
  mkdirSync(join(gpio, 'gpiochip512'), { recursive: true });
  writeFileSync(join(gpio, 'gpiochip512', 'label'), 'pinctrl-bcm2711\n');
  writeFileSync(join(gpio, 'gpiochip512', 'base'), '512\n');
  writeFileSync(join(gpio, 'export'), '');
  for (const line of [529, 539]) {
    mkdirSync(join(gpio, `gpio${line}`));
    for (const [name, text] of Object.entries({ direction: 'in', value: '0', active_low: '0', edge: 'none' }))
      writeFileSync(join(gpio, `gpio${line}`, name), text);
  }
  const pins = parseBoardPins(readFileSync(join(root, 'board/rpi/pins.json'), 'utf8'));
  const opened = await openGpioLeds(pins.leds, pins, { log: silentLog });
  if (opened.leds === undefined) {
    t.skip(`onoff cannot be used here: ${opened.reason}`);
    return;
  }
  opened.leds.show({ green: 1, amber: 0, rhythm: '', headline: '' });
  assert.equal(readFileSync(join(gpio, 'gpio529', 'value'), 'utf8')[0], '1');
  opened.leds.show({ green: 0, amber: 1, rhythm: '', headline: '' });
  assert.equal(readFileSync(join(gpio, 'gpio539', 'value'), 'utf8')[0], '1');
  opened.leds.close('dark');
});

test('edges of a button on a pin', (t) => {
  t.skip(
    'files give no edges: this takes GPIO lines of a kernel, as the emulated board of the hardware tests has',
  );
});
