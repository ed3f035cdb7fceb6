import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { Browser, Page } from 'playwright-core';
import { Mosquitto, mosquittoMissing } from '../../src/testing/mosquitto.ts';
import { Pty } from '../../src/testing/pty.ts';
import { Aether, BoxProcess, type JsonObject } from '../lan/box-process.ts';
import { thisMachine } from '../lan/processes.ts';
import { temporaryFolder } from '../lan/temporary-folder.ts';
import { openBrowser, openContext, whyNoBrowser } from './browser.ts';
import { sampleLights, shareWrong } from './light-samples.ts';
import { LoopDisk } from './loop-disk.ts';
import { layOutLed, takeSysfsClass } from './sysfs-class.ts';

/*
 * One truth, five faces: a disk is pulled out of a running box, and the lights, the serial console, the page, MQTT and
 * `aether status` say the same within three seconds. The lights are files of a sysfs of this test's own, the console is
 * on a pseudo-terminal, the broker is mosquitto, the disk is a file that the kernel shows as one.
 */
const limitMs = 3000;
const sentence = 'Disk disk1 is not attached any more; the box goes on without it.';
const lights = { green: 'green:status', amber: 'amber:status' };
const skip = whyNoBrowser() ?? mosquittoMissing() ?? takeSysfsClass() ?? false;

let folder: string;
let disk: LoopDisk | undefined;
let mosquitto: Mosquitto | undefined;
let browser: Browser | undefined;
let page: Page;
let pty: Pty | undefined;
let typed = '';
let box: BoxProcess | undefined;
let aether: Aether;

before(async () => {
  if (skip !== false) return;
  folder = temporaryFolder('faces');
  mkdirSync(join(folder, 'box'), { recursive: true });
  disk = LoopDisk.attach(join(folder, 'disk.img'));
  if (disk === undefined) return;
  disk.mount(join(folder, 'box', 'disk1'));
  for (const name of Object.values(lights)) layOutLed(name);
  mosquitto = await Mosquitto.start();
  pty = Pty.open();
  const decoder = new TextDecoder();
  pty.read((bytes) => {
    typed += decoder.decode(bytes, { stream: true });
  });
  const config = { mqtt: { url: `mqtt://127.0.0.1:${mosquitto.port}` }, serial: [pty.path] };
  writeFileSync(join(folder, 'box', 'box.json'), JSON.stringify(config));
  box = await BoxProcess.start(
    { name: 'faces', folder: join(folder, 'box'), listen: ':0', words: ['--web', '0'] },
    thisMachine,
  );
  aether = new Aether(thisMachine, join(folder, 'desktop'));
  await aether.run(['claim', `127.0.0.1:${box.ready.port}`, '--code', box.ready.claimCode!]);
  browser = await openBrowser();
  page = await (await openContext(browser)).newPage();
  const [web] = await aether.json(['web', 'faces']);
  await page.goto(String(web!.url));
  await page.getByLabel('Code').fill(String(web!.code));
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'Room' }).waitFor();
});
after(async () => {
  await browser?.close();
  await box?.stop();
  await mosquitto?.close();
  pty?.close();
  disk?.detach();
});

test('a disk is pulled: five faces say the same sentence within three seconds', { skip }, async (t) => {
  if (disk === undefined) {
    t.skip('attaching a file as a disk takes loop devices');
    return;
  }
  const listener = await mosquitto!.follow('aetherstore/+/state');
  disk.pull();
  const startMs = performance.now();
  const since = () => performance.now() - startMs;
  const [page, mqtt, status, console] = await Promise.all([
    pageSays().then(since),
    until(() => listener.messages.some(({ payload }) => payload.includes(sentence))).then(since),
    statusSays().then(since),
    consoleSays().then(since),
  ]);
  // The lights speak in rhythms: what they play from now on is that of a box in this state.
  const [samples] = await sampleLights([lights], 5000);
  const [report] = await aether.json(['status']);
  const light = statusOf(report!).light as { kind: 'attention'; flashes: number };
  assert.ok(shareWrong(light, samples!) < 0.1, `the lights do not play ${JSON.stringify(light)}`);
  assert.ok(shareWrong({ kind: 'healthy' }, samples!) > 0.3, 'nor that of a healthy box');
  const figures = { page, mqtt, status, console };
  for (const [face, ms] of Object.entries(figures)) {
    t.diagnostic(`${face}: ${ms.toFixed(0)} ms`);
    assert.ok(ms < limitMs, `${face} took ${ms.toFixed(0)} ms`);
  }
  t.diagnostic(`lights: ${JSON.stringify(light)}`);
});

async function pageSays(): Promise<void> {
  await page.getByRole('heading', { level: 1, name: sentence }).waitFor({ timeout: 2 * limitMs });
}

async function statusSays(): Promise<void> {
  await until(async () => {
    const [report] = await aether.json(['status']);
    return statusOf(report!).headline === sentence;
  });
}

/** The console is asked, as a person would who sees the lights. */
async function consoleSays(): Promise<void> {
  await until(async () => {
    typed = '';
    await pty!.type('status\r');
    await delay(150);
    return typed.replaceAll('\r\n', ' ').includes(sentence);
  });
}

function statusOf(report: JsonObject): JsonObject {
  return (report.boxes as readonly JsonObject[])[0]!.status as JsonObject;
}

async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  const startMs = performance.now();
  while (!(await holds())) {
    if (performance.now() - startMs > 4 * limitMs) throw new Error('it does not say so');
    await delay(20);
  }
}
