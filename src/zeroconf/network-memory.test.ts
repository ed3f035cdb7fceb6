import assert from 'node:assert/strict';
import { test } from 'node:test';
import { utf8 } from '../base/bytes.ts';
import { rememberedLinksMax } from '../base/discovery-limits.ts';
import { silentLog } from '../base/log.ts';
import { replaceFile } from '../ports/replace-file.ts';
import { MemoryDisk } from '../testing/memory-disk.ts';
import { SeededEntropy } from '../testing/seeded-entropy.ts';
import { NetworkMemory, networkMemoryPath } from './network-memory.ts';

const mac = (number: number) => new Uint8Array([2, 0, 0, 0, number >> 8, number & 0xff]);
const log = { log: silentLog };

test('names and addresses used last are there after a restart', async () => {
  const disk = new MemoryDisk({ entropy: new SeededEntropy(1) });
  const memory = await NetworkMemory.open(disk, log);
  assert.equal(memory.namesFor('box'), undefined);
  const names = { wanted: 'box', host: 'box-2', instance: 'box (2)' };
  memory.rememberNames(names);
  memory.rememberLinkLocal(mac(1), '169.254.7.9');
  memory.rememberLinkLocal(mac(1), '169.254.8.1');
  await memory.settled();
  const again = await NetworkMemory.open(disk, log);
  assert.deepEqual(again.namesFor('box'), names);
  assert.equal(again.linkLocalOf(mac(1)), '169.254.8.1');
  assert.equal(again.linkLocalOf(mac(2)), undefined);
});

test('names chosen for one wish do not outlive it', async () => {
  const memory = await NetworkMemory.open(new MemoryDisk({ entropy: new SeededEntropy(1) }), log);
  memory.rememberNames({ wanted: 'box', host: 'box-2', instance: 'box (2)' });
  assert.equal(memory.namesFor('attic'), undefined);
});

test('of very many interfaces those used last are kept', async () => {
  const disk = new MemoryDisk({ entropy: new SeededEntropy(1) });
  const memory = await NetworkMemory.open(disk, log);
  for (let number = 0; number < rememberedLinksMax + 5; number++) {
    memory.rememberLinkLocal(mac(number), `169.254.9.${number}`);
  }
  await memory.settled();
  const again = await NetworkMemory.open(disk, log);
  assert.equal(again.linkLocalOf(mac(4)), undefined);
  assert.equal(again.linkLocalOf(mac(5)), '169.254.9.5');
});

test('a damaged file costs nothing but what it held', async () => {
  const disk = new MemoryDisk({ entropy: new SeededEntropy(1) });
  await replaceFile(disk, networkMemoryPath, utf8('not CBOR at all'));
  const memory = await NetworkMemory.open(disk, log);
  memory.rememberLinkLocal(mac(1), '169.254.7.9');
  await memory.settled();
  assert.equal((await NetworkMemory.open(disk, log)).linkLocalOf(mac(1)), '169.254.7.9');
});
