import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { Aether, BoxProcess, type JsonObject } from '../lan/box-process.ts';
import { thisMachine } from '../lan/processes.ts';
import { temporaryFolder } from '../lan/temporary-folder.ts';
import { LoopDisk } from './loop-disk.ts';

test('a disk that was taken off and is mounted again is served again, also as another device, with what it holds', async (t) => {
  const folder = temporaryFolder('returns');
  const boxFolder = join(folder, 'box');
  mkdirSync(boxFolder);
  const disk = LoopDisk.attach(join(folder, 'disk.img'));
  if (disk === undefined) {
    t.skip('attaching a file as a disk takes root and loop devices');
    return;
  }
  t.after(() => disk.detach());
  disk.mount(join(boxFolder, 'disk1'));
  const box = await BoxProcess.start(
    { name: 'returns', folder: boxFolder, listen: ':0', words: ['--web', 'off'] },
    thisMachine,
  );
  t.after(() => box.stop());
  const aether = new Aether(thisMachine, join(folder, 'desktop'));
  await aether.run(['claim', `127.0.0.1:${box.ready.port}`, '--code', box.ready.claimCode!]);
  const bytes = randomBytes(30_000_000);
  writeFileSync(join(folder, 'film'), bytes);
  await aether.run(['put', join(folder, 'film')]);

  const states = async () => {
    const [report] = await aether.json(['status']);
    const [{ status }] = report!.boxes as [{ status: { volumes: JsonObject[] } }];
    return status.volumes.map(({ name, state }) => `${name} ${state}`);
  };
  const until = async (state: string) => {
    for (let tries = 0; tries < 60; tries++) {
      if ((await states()).includes(`disk1 ${state}`)) return;
      await delay(100);
    }
    assert.fail(`disk1 is not ${state}: ${await states()}`);
  };
  await until('ok');
  disk.unmount();
  await until('missing');
  assert.deepEqual(await states(), ['disk1 missing', 'disk2 ok']);
  // Nothing is stored in the empty folder meanwhile.
  writeFileSync(join(folder, 'song'), randomBytes(1_000_000));
  await aether.run(['put', join(folder, 'song')]);
  disk.remount();
  await until('ok');
  await aether.run(['get', '/film', join(folder, 'back')]);
  assert.ok(readFileSync(join(folder, 'back')).equals(bytes));
});
