import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import {
  closeSync,
  constants,
  fsyncSync,
  linkSync,
  openSync,
  readFileSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Pty } from '../../src/testing/pty.ts';
import { LoopDisk } from '../device/loop-disk.ts';
import { temporaryFolder } from '../lan/temporary-folder.ts';
import type { Card, OpenCard } from './card.ts';
import { chunkBytes, type FlashStep, flash } from './flash.ts';
import { Image } from './image.ts';
import { LinuxCardShelf } from './linux/linux-card-shelf.ts';
import { identityPatch } from './provision.ts';

const main = fileURLToPath(new URL('main.ts', import.meta.url));
const mebibyte = 1024 * 1024;
const identityOffset = 20 * mebibyte;
const identityBytes = 64 * 1024;
const imageBytes = 48 * mebibyte;
const provision = { serial: 'AS-TEST000001', claimCode: '7K3M-9QXR' };

/** An image whose table a foreign tool wrote, with something to write here and there; undefined without the tool. */
function makeImage(folder: string): string | undefined {
  const file = join(folder, 'box.img');
  writeFileSync(file, '');
  truncateSync(file, imageBytes);
  const layout = `label: gpt
start=2048, size=16384, name=boot
start=${identityOffset / 512}, size=${identityBytes / 512}, name=identity
start=65536, size=28672, name=rootA
`;
  try {
    execFileSync('sfdisk', ['--quiet', file], { input: layout, env: { ...process.env, PATH: toolPath } });
  } catch {
    return undefined;
  }
  const descriptor = openSync(file, 'r+');
  for (const offset of [mebibyte, 9 * mebibyte - 100, 33 * mebibyte])
    writeSync(descriptor, Buffer.alloc(70_000, offset / 1000), 0, 70_000, offset);
  closeSync(descriptor);
  return file;
}

const toolPath = `${process.env.PATH ?? ''}:/usr/sbin:/sbin`;

/** An image and a loop device full of old data; skips the test where they cannot be had. */
function bench(
  t: TestContext,
): { readonly image: string; readonly disk: LoopDisk; readonly folder: string } | undefined {
  if (process.platform !== 'linux') return void t.skip('loop devices are of Linux');
  const folder = temporaryFolder('flash');
  const image = makeImage(folder);
  if (image === undefined) return void t.skip('there is no sfdisk to make an image with');
  const disk = LoopDisk.attach(join(folder, 'card.img'));
  if (disk === undefined) return void t.skip('no loop device can be had: it takes root');
  t.after(() => disk.detach());
  const descriptor = openSync(`/dev/${disk.name}`, 'r+');
  for (let offset = 0; offset < 64 * mebibyte; offset += mebibyte)
    writeSync(descriptor, Buffer.alloc(mebibyte, 0x5a), 0, mebibyte, offset);
  fsyncSync(descriptor);
  closeSync(descriptor);
  return { image, disk, folder };
}

interface Ended {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function run(...words: readonly string[]): Promise<Ended> {
  return runWith('ignore', words);
}

function runWith(stdin: number | 'ignore', words: readonly string[]): Promise<Ended> {
  const child = spawn(process.execPath, [main, ...words], { stdio: [stdin, 'pipe', 'pipe'] });
  let stdout = '';
  let stderr = '';
  child.stdout!.on('data', (text) => (stdout += text));
  child.stderr!.on('data', (text) => (stderr += text));
  return new Promise((resolve) => child.once('close', (exitCode) => resolve({ exitCode, stdout, stderr })));
}

const given = ['--serial', provision.serial, '--claim-code', provision.claimCode];

test('a card is written, provisioned and verified; the program says what it did', async (t) => {
  const found = bench(t);
  if (found === undefined) return;
  const { image, disk, folder } = found;
  const device = `/dev/${disk.name}`;
  const label = join(folder, 'label.svg');
  const ended = await run(device, '--image', image, '--yes', '--label', label, ...given);
  assert.equal(ended.exitCode, 0, ended.stderr);
  const wanted = readFileSync(image);
  const line = `{"v":1,"serial":"${provision.serial}","claimCode":"${provision.claimCode}"}\n`;
  wanted.fill(0, identityOffset, identityOffset + identityBytes);
  wanted.write(line, identityOffset);
  const card = readFileSync(device);
  assert.ok(card.subarray(0, imageBytes).equals(wanted), 'the card is the image with its identity');
  assert.equal(card[imageBytes], 0x5a, 'and nothing after it was touched');
  for (const text of [provision.serial, provision.claimCode, '█▀', device])
    assert.ok(ended.stdout.includes(text), text);
  assert.match(ended.stderr, /^Writing 100% .*\nWriting: 48.0 MiB in .*\n/m);
  assert.match(ended.stderr, /^Verifying 100% /m);
  assert.match(readFileSync(label, 'utf8'), /7K3M-9QXR/);
  assert.equal(statSync(label).mode & 0o777, 0o600);
  const again = await run(device, '--image', image, '--yes', '--label', label);
  assert.equal(again.exitCode, 1);
  assert.match(again.stderr, /label\.svg is there already/);
});

test('a mounted card is refused by name, and the kernel refuses it as well', async (t) => {
  const found = bench(t);
  if (found === undefined) return;
  const { image, disk, folder } = found;
  const device = `/dev/${disk.name}`;
  disk.mount(join(folder, 'mounted'));
  const ended = await run(device, '--image', image, '--yes', '--force');
  assert.equal(ended.exitCode, 1);
  assert.match(ended.stderr, /in use: it is mounted on \S+mounted \(CARD_IN_USE\)/);
  const shelf = new LinuxCardShelf();
  await assert.rejects(shelf.open(await shelf.find(device)), { code: 'CARD_IN_USE' });
  disk.unmount();
});

test('without a yes nothing is written, and the list shows the card', async (t) => {
  const found = bench(t);
  if (found === undefined) return;
  const device = `/dev/${found.disk.name}`;
  const before = readFileSync(device);
  const ended = await run(device, '--image', found.image);
  assert.equal(ended.exitCode, 1);
  assert.match(ended.stderr, /NOT_CONFIRMED/);
  assert.ok(readFileSync(device).equals(before));
  assert.match((await run('--list')).stdout, new RegExp(`^${device} `, 'm'));
});

test('a person at a terminal must type the name of the card', async (t) => {
  const found = bench(t);
  if (found === undefined) return;
  const device = `/dev/${found.disk.name}`;
  const pty = Pty.open();
  t.after(() => pty.close());
  const answered = async (answer: string) => {
    const terminal = openSync(pty.path, constants.O_RDWR | constants.O_NOCTTY);
    await pty.type(answer);
    return runWith(terminal, [device, '--image', found.image, ...given]).finally(() => closeSync(terminal));
  };
  const refused = await answered('yes\r');
  assert.equal(refused.exitCode, 1);
  assert.match(
    refused.stderr,
    /This erases everything on: card.img, 134.2 MB, \/dev\/loop\d+\nType loop\d+ to go on: /,
  );
  assert.match(refused.stderr, /Nothing was written/);
  assert.equal(readFileSync(device)[0], 0x5a);
  const written = await answered(`${found.disk.name}\r`);
  assert.equal(written.exitCode, 0, written.stderr);
});

/** Flashes part by part, with `onStep` between them. */
async function flashWith(
  image: string,
  device: string,
  change: (card: Card) => Card,
  onStep: (step: FlashStep) => void,
) {
  const source = await Image.open(image);
  const shelf = new LinuxCardShelf();
  let card: OpenCard | undefined;
  try {
    card = await shelf.open(change(await shelf.find(device)));
    assert.equal(card.readsMedium, true);
    const patch = identityPatch(source.partitions, provision);
    return await flash({ source, card, patch, onStep, onProgress: () => {} });
  } finally {
    await card?.close();
    await source.close();
  }
}

test('a sector that changes between writing and verifying is found, on a cleared card and on one written in full', async (t) => {
  const found = bench(t);
  if (found === undefined) return;
  const device = `/dev/${found.disk.name}`;
  const offset = 40 * mebibyte + 512;
  // Below the device, where no memory of the kernel's hears of it: as a bad card does it.
  const spoil = (step: FlashStep) => {
    if (step !== 'verify') return;
    const descriptor = openSync(join(found.folder, 'card.img'), 'r+');
    writeSync(descriptor, Buffer.alloc(512, 0xee), 0, 512, offset);
    fsyncSync(descriptor);
    closeSync(descriptor);
  };
  for (const zeroesItself of [true, false]) {
    const change = (card: Card) => ({ ...card, zeroesItself });
    await assert.rejects(flashWith(found.image, device, change, spoil), {
      code: 'CARD_MISMATCH',
      fields: { offset },
      message: /in the partition rootA$/,
    });
  }
});

test('a card that clears itself is written where the image is not zero only', async (t) => {
  const found = bench(t);
  if (found === undefined) return;
  const device = `/dev/${found.disk.name}`;
  const { zeroesItself } = await new LinuxCardShelf().find(device);
  const idle = () => {};
  const full = await flashWith(found.image, device, (card) => ({ ...card, zeroesItself: false }), idle);
  assert.equal(full.writtenBytes, imageBytes);
  if (!zeroesItself) return t.skip('loop devices of this kernel do not clear themselves');
  const sparse = await flashWith(found.image, device, (card) => card, idle);
  // The table with the start of boot, the rest of boot, identity, rootA, and the table's backup at the end.
  assert.equal(sparse.writtenBytes, 5 * chunkBytes);
});

test('a file plays a card for an emulator: it keeps its length, or is made', async (t) => {
  const folder = temporaryFolder('flash');
  const image = makeImage(folder);
  if (image === undefined) return t.skip('there is no sfdisk to make an image with');
  const before = readFileSync(image);
  linkSync(image, join(folder, 'link.img'));
  const itself = await run(join(folder, 'link.img'), '--to-file', '--image', image, '--yes');
  assert.match(itself.stderr, /is the image itself/);
  assert.ok(readFileSync(image).equals(before));
  const file = join(folder, 'card.img');
  assert.equal((await run(file, '--image', image, ...given)).exitCode, 1, 'not without --to-file');
  const made = await run(file, '--to-file', '--image', image, ...given);
  assert.equal(made.exitCode, 0, made.stderr);
  assert.equal(readFileSync(file).length, imageBytes);
  writeFileSync(file, Buffer.alloc(imageBytes + mebibyte, 0x5a));
  assert.equal((await run(file, '--to-file', '--image', image, '--yes', ...given)).exitCode, 0);
  const card = readFileSync(file);
  assert.equal(card.length, imageBytes + mebibyte);
  assert.ok(card.includes('"serial":"AS-TEST000001"'));
  assert.equal(card[imageBytes], 0);
});
