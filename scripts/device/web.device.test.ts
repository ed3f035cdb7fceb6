import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { Aether, BoxProcess } from '../lan/box-process.ts';
import { thisMachine } from '../lan/processes.ts';
import { temporaryFolder } from '../lan/temporary-folder.ts';
import { accessibilityProblems, openBrowser, openContext, whyNoBrowser } from './browser.ts';
import { LoopDisk } from './loop-disk.ts';

/*
 * The page of a real box in Debian's Chromium, as its owner uses it from the first day on. The steps build on each other.
 */
const skip = whyNoBrowser() ?? false;
const newsMsMax = 1000;

let folder: string;
let browser: Browser;
let context: BrowserContext;
let page: Page;
let box: BoxProcess;
let url: string;
let aether: Aether;

before(async () => {
  if (skip !== false) return;
  folder = temporaryFolder('web');
  browser = await openBrowser();
  context = await openContext(browser);
  page = await context.newPage();
  box = await BoxProcess.start(
    {
      name: 'pagebox',
      folder: join(folder, 'box'),
      listen: ':0',
      words: ['--web', String(4300 + Math.floor(Math.random() * 200))],
    },
    thisMachine,
  );
  url = `https://127.0.0.1:${box.ready.page!.port}/`;
  aether = new Aether(thisMachine, join(folder, 'desktop'));
});
after(async () => {
  await browser?.close();
  await box?.stop();
});

test('first claim: a wrong code is refused, the right one shows 24 words, and only then the box is taken', {
  skip,
}, async () => {
  await page.goto(url);
  await page.getByLabel('Claim code').fill('AAAA-AAAA');
  await page.getByRole('button', { name: 'Claim this box' }).click();
  await page.getByRole('alert').waitFor();
  assert.match((await page.getByRole('alert').textContent())!, /code/i);
  await page.getByLabel('Claim code').fill(box.ready.claimCode!);
  await page.getByRole('button', { name: 'Claim this box' }).click();
  await page.getByRole('heading', { name: /24 words/ }).waitFor();
  assert.equal(await page.getByRole('listitem').count(), 24);
  assert.deepEqual(await accessibilityProblems(page), []);

  // Whoever leaves now has changed nothing: the code is still good.
  await page.goto(url);
  await page.getByLabel('Claim code').fill(box.ready.claimCode!);
  await page.getByRole('button', { name: 'Claim this box' }).click();
  await page.getByRole('button', { name: /written them down/ }).click();
  await page.getByText('This box is yours').waitFor();
  await page.getByText('the only box of its pool').first().waitFor();
});

test('the words are shown once: nobody gets them again', { skip }, async () => {
  for (const path of ['', 'settings', 'claim', 'claim/finish']) {
    await page.goto(`${url}${path}`);
    assert.equal(await page.getByText('Recovery words').count(), 0);
  }
  const form = { code: box.ready.claimCode! };
  const answer = await context.request.post(`${url}claim`, { form, maxRedirects: 0 });
  assert.equal(answer.status(), 303);
  await page.goto(url);
});

test('somebody else sees a door, and logs in with a code from a member desktop', { skip }, async () => {
  const code = await makeCode();
  await aether.run(['login', `127.0.0.1:${box.ready.port}`, '--code', code]);
  const stranger = await openContext(browser);
  const other = await stranger.newPage();
  await other.goto(`${url}files`);
  assert.equal(await other.getByRole('heading', { level: 1 }).textContent(), 'Log in to pagebox');
  const [web] = await aether.json(['web', 'pagebox']);
  assert.equal(web!.certificate, box.ready.page!.fingerprint);
  await other.goto(String(web!.url));
  await other.getByLabel('Code').fill(String(web!.code));
  await other.keyboard.press('Enter');
  await other.getByRole('heading', { name: 'Room' }).waitFor();
  // A code opens once.
  await other.getByRole('button', { name: 'Log out' }).click();
  await other.getByLabel('Code').fill(String(web!.code));
  await other.keyboard.press('Enter');
  await other.getByRole('alert').waitFor();
  await stranger.close();
});

test('what happens to the box is on the page within a second, without loading it again', {
  skip,
}, async () => {
  await page.goto(url);
  const started = await page.evaluate<number>('performance.timeOrigin');
  const second = await BoxProcess.start(
    { name: 'second', folder: join(folder, 'second'), listen: ':0', words: ['--web', 'off'] },
    thisMachine,
  );
  const heading = page.getByRole('heading', { level: 1, name: /All is well: 2 boxes/ });
  const claimed = aether.run(['claim', `127.0.0.1:${second.ready.port}`, '--code', second.ready.claimCode!]);
  await claimed;
  const toldMs = performance.now();
  await heading.waitFor();
  const sinceMs = performance.now() - toldMs;
  // A box that has just started does not miss its peers yet.
  await delay(16_000);
  await second.kill();
  // A box whose host still answers is known to be gone at once: its connection ends.
  const away = performance.now();
  await page.getByRole('heading', { level: 1, name: /second is away/ }).waitFor();
  const awayMs = performance.now() - away;
  assert.equal(await page.evaluate<number>('performance.timeOrigin'), started);
  assert.ok(sinceMs < newsMsMax && awayMs < newsMsMax, `${sinceMs.toFixed(0)} and ${awayMs.toFixed(0)} ms`);
});

test('a notice that was seen goes on to be told, but does not disturb any more', { skip }, async () => {
  await page.getByRole('button', { name: /I have seen it.*second is away/ }).click();
  await page.getByText('Seen.').waitFor();
});

test('files are stored, found, fetched and removed, with what they hold unchanged', { skip }, async () => {
  const local = join(folder, 'local');
  mkdirSync(local);
  const names = ['harbour & "sunset" <b>.jpg', 'größe.bin', 'empty'];
  const contents = [randomBytes(3_000_000), randomBytes(70_000), Buffer.alloc(0)];
  for (const [index, name] of names.entries()) writeFileSync(join(local, name), contents[index]!);
  await page.getByRole('link', { name: 'Files' }).click();
  await page.getByLabel('New folder').fill('photos 2026');
  await page.getByRole('button', { name: 'Make it' }).click();
  await page.getByRole('link', { name: 'photos 2026/' }).click();
  await page.getByLabel('Files of this computer').setInputFiles(names.map((name) => join(local, name)));
  await page.getByRole('link', { name: 'größe.bin' }).waitFor();
  assert.deepEqual(await accessibilityProblems(page), []);
  for (const [index, name] of names.entries()) {
    const waiting = page.waitForEvent('download');
    await page.getByRole('link', { name, exact: true }).click();
    const download = await waiting;
    assert.equal(download.suggestedFilename(), name.replaceAll(/["<>]/g, '_'));
    assert.equal(sha256(readFileSync((await download.path())!)), sha256(contents[index]!), name);
  }
  // The same by the desktop: one pool, whatever the way in.
  await aether.run(['get', '/photos 2026', join(folder, 'back')]);
  assert.equal(sha256(readFileSync(join(folder, 'back', names[0]!))), sha256(contents[0]!));
  await page.getByRole('button', { name: 'Remove größe.bin' }).click();
  await page.getByRole('heading', { name: /Remove größe.bin\?/ }).waitFor();
  await page.getByRole('button', { name: 'Remove it' }).click();
  await page.getByText('größe.bin is removed.').waitFor();
  assert.equal(await page.getByRole('link', { name: 'größe.bin' }).count(), 0);
});

test('a part of a file is served as a part, and a part that is not there is refused', { skip }, async () => {
  const path = `${url}files/photos%202026/${encodeURIComponent('harbour & "sunset" <b>.jpg')}`;
  const part = await context.request.get(path, { headers: { range: 'bytes=1000-1999' } });
  assert.equal(part.status(), 206);
  assert.equal((await part.body()).length, 1000);
  assert.equal(part.headers()['content-range'], 'bytes 1000-1999/3000000');
  assert.equal((await context.request.get(path, { headers: { range: 'bytes=3000000-' } })).status(), 416);
});

test('a blank disk that is attached shows up, blinks when it is asked to, and is taken into use', {
  skip,
}, async (t) => {
  const disk = LoopDisk.attach(join(folder, 'blank.img'));
  if (disk === undefined) {
    t.skip('attaching a file as a disk takes root and loop devices');
    return;
  }
  t.after(() => disk.detach());
  await page.goto(url);
  const { name } = disk;
  await page.getByRole('button', { name: `Blink its lamp (${name})` }).click();
  await page.getByRole('button', { name: `Stop its lamp (${name})` }).waitFor();
  const before = disk.sectorsRead();
  await delay(1500);
  assert.ok(disk.sectorsRead() > before, 'its lamp has something to show');
  await page.getByRole('button', { name: `Stop its lamp (${name})` }).click();
  await page.getByRole('button', { name: `Format it for the pool (${name})` }).click();
  await page.getByText(`Disk ${name} is in use now.`).waitFor();
  await page.getByRole('button', { name: /Empty it, to pull it \(aether-[0-9a-f]{6}\)/ }).click();
  await page.getByText('is empty and may be pulled').first().waitFor();
});

test('both lights of the box blink, so that it can be found', { skip }, async () => {
  await page.goto(url);
  await page.getByRole('button', { name: 'Blink its lights' }).click();
  await page.getByRole('button', { name: 'Stop blinking' }).click();
  await page.getByRole('button', { name: 'Blink its lights' }).waitFor();
});

test('a PIN can be set, and opens the door; wrong ones are counted', { skip }, async () => {
  await page.goto(`${url}settings`);
  await page.getByLabel('PIN', { exact: true }).fill('open sesame');
  await page.getByRole('button', { name: 'Set it' }).click();
  await page.getByText('The PIN is set.').waitFor();
  const stranger = await openContext(browser);
  const other = await stranger.newPage();
  await other.goto(url);
  await other.getByLabel('Code or PIN').fill('open sesame');
  await other.keyboard.press('Enter');
  await other.getByRole('heading', { name: 'Room' }).waitFor();
  await other.getByRole('button', { name: 'Log out' }).click();
  for (let tries = 0; tries < 6; tries++) {
    await other.getByLabel('Code or PIN').fill('wrong wrong');
    await other.keyboard.press('Enter');
    await other.getByRole('alert').waitFor();
  }
  assert.match((await other.getByRole('alert').textContent())!, /too many/i);
  await stranger.close();
});

test('a page of somebody else can do nothing here', { skip }, async () => {
  const cookies = await context.cookies();
  const session = cookies.find(({ name }) => name === '__Host-aether');
  assert.ok(session?.httpOnly && session.secure && session.sameSite === 'Strict');
  // With the session, without the token; and with the token of nobody.
  for (const form of [{ on: 'yes' }, { on: 'yes', token: '0'.repeat(32) }]) {
    const answer = await context.request.post(`${url}identify`, { form });
    assert.equal(answer.status(), 403);
  }
  const foreign = await context.request.post(`${url}login`, {
    form: { code: 'AAAA-AAAA' },
    headers: { origin: 'https://elsewhere.example', 'sec-fetch-site': 'cross-site' },
  });
  assert.equal(foreign.status(), 403);
  const put = await context.request.put(`${url}files/x`, { data: 'x' });
  assert.notEqual(put.status(), 201);
});

test('metrics are for members: with the token that a desktop has, or logged in', { skip }, async () => {
  const [{ token }] = (await aether.json(['metrics'])) as [{ token: string }];
  const stranger = await openContext(browser);
  const ask = async (headers: Record<string, string>) => stranger.request.get(`${url}metrics`, { headers });
  assert.equal((await ask({})).status(), 401);
  assert.equal((await ask({ authorization: `Bearer ${'0'.repeat(64)}` })).status(), 401);
  const answer = await ask({ authorization: `Bearer ${token}` });
  assert.match(await answer.text(), /^aetherstore_pool_boxes 2$/m);
  await stranger.close();
});

test('the box is shut down by its name only', { skip }, async () => {
  await page.goto(`${url}settings`);
  await page.getByLabel(/Name of this box/).fill('otherbox');
  await page.getByRole('button', { name: 'Shut down safely' }).click();
  await page.getByText('That is not the name of this box').waitFor();
  await page.getByLabel(/Name of this box/).fill('pagebox');
  await page.getByRole('button', { name: 'Restart' }).click();
  // It comes back by itself, and nobody is logged in any more; until then the browser finds nothing there.
  for (let tries = 0; tries < 60; tries++) {
    await delay(250);
    await page.goto(url, { timeout: 2000 }).catch(() => {});
    if ((await page.getByRole('heading', { name: 'Log in to pagebox' }).count()) > 0) return;
  }
  assert.fail('the box does not come back');
});

async function makeCode(): Promise<string> {
  await page.goto(`${url}settings`);
  await page.getByRole('button', { name: 'Make a code' }).click();
  return (await page.locator('.code').textContent())!;
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
