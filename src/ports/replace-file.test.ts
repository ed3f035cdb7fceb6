import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fromUtf8, utf8 } from '../base/bytes.ts';
import { MemoryDisk } from '../testing/memory-disk.ts';
import { SeededEntropy } from '../testing/seeded-entropy.ts';
import { readFile, replaceFile } from './replace-file.ts';

const read = async (disk: MemoryDisk) => {
  const bytes = await readFile(disk, 'state', 100);
  return bytes && fromUtf8(bytes);
};

test('a power cut at any step of a replacement leaves the old file or the new one, whole', async () => {
  let [olds, news] = [0, 0];
  for (let seed = 0; seed < 60; seed++) {
    const disk = new MemoryDisk({ entropy: new SeededEntropy(seed) });
    await replaceFile(disk, 'state', utf8('the old state, somewhat longer'));
    let steps = seed % 6;
    disk.intercept(() => {
      if (steps-- === 0) disk.powerOff();
    });
    await replaceFile(disk, 'state', utf8('the new state')).catch(() => {});
    disk.crash();
    const text = await read(disk);
    assert.ok(text === 'the old state, somewhat longer' || text === 'the new state', `seed ${seed}: ${text}`);
    if (text === 'the new state') news++;
    else olds++;
  }
  assert.ok(olds > 0 && news > 0);
});

test('what was replaced is durable on return', async () => {
  for (let seed = 0; seed < 20; seed++) {
    const disk = new MemoryDisk({ entropy: new SeededEntropy(seed) });
    await disk.makeDirectory('folder');
    await disk.syncDirectory('');
    await replaceFile(disk, 'folder/state', utf8('one'));
    await replaceFile(disk, 'folder/state', utf8('two'));
    disk.crash();
    assert.deepEqual(await readFile(disk, 'folder/state', 100), utf8('two'));
  }
});

test('a file that is not there is undefined, and one over the bound is refused', async () => {
  const disk = new MemoryDisk({ entropy: new SeededEntropy(1) });
  assert.equal(await read(disk), undefined);
  await replaceFile(disk, 'state', new Uint8Array(101));
  await assert.rejects(read(disk), { code: 'STATE_FILE_TOO_LARGE' });
});
