import assert from 'node:assert/strict';
import { test } from 'node:test';
import { utf8 } from '../base/bytes.ts';
import { diskContract } from './contracts/disk-contract.ts';
import { keyValueStoreContract } from './contracts/key-value-store-contract.ts';
import { MemoryDisk } from './memory-disk.ts';
import { MemoryKeyValueStore } from './memory-key-value-store.ts';
import { SeededEntropy } from './seeded-entropy.ts';

diskContract('MemoryDisk', async () => new MemoryDisk({ entropy: new SeededEntropy(1) }));
keyValueStoreContract('MemoryKeyValueStore', async () => {
  const store = new MemoryKeyValueStore();
  return async () => store;
});

test('a crash never loses what was synced, and sometimes loses or tears what was not', async () => {
  const outcomes = new Set<string>();
  for (let seed = 1; seed <= 60; seed++) {
    const disk = new MemoryDisk({ entropy: new SeededEntropy(seed) });
    const file = await disk.open('a', 'create');
    await disk.syncDirectory('');
    await file.write([new Uint8Array(1000).fill(1)], 0);
    await file.sync();
    await file.write([new Uint8Array(2048).fill(2)], 1024);
    disk.crash();
    await assert.rejects(file.sync(), { code: 'DISK_GONE' });
    const left = disk.contents('a');
    assert.ok(left.length >= 1000 && left.subarray(0, 1000).every((byte) => byte === 1));
    const sectors = [1024, 1536, 2048, 2560].map((from) => left[from] ?? '-').join('');
    outcomes.add(sectors);
  }
  assert.ok(outcomes.has('----') && outcomes.has('2222') && outcomes.size > 4, [...outcomes].join());
});

test('a name that was not synced may be lost, one that was never is', async () => {
  let lost = 0;
  for (let seed = 1; seed <= 40; seed++) {
    const disk = new MemoryDisk({ entropy: new SeededEntropy(seed) });
    await disk.open('kept', 'create');
    await disk.syncDirectory('');
    await disk.open('risky', 'create');
    disk.crash();
    const names = await disk.list('');
    assert.equal(names[0], 'kept');
    if (names.length === 1) lost++;
  }
  assert.ok(lost > 5 && lost < 35);
});

test('a full disk, a vanished disk and a decayed bit', async () => {
  const disk = new MemoryDisk({ entropy: new SeededEntropy(1), totalBytes: 100 });
  const file = await disk.open('a', 'create');
  await file.write([utf8('abc')], 0);
  await assert.rejects(file.write([new Uint8Array(98)], 3), { code: 'DISK_FULL' });
  disk.fillUp();
  await assert.rejects(file.write([utf8('d')], 3), { code: 'DISK_FULL' });
  await file.write([utf8('b')], 0);
  disk.corrupt('a', 1, 2);
  assert.deepEqual(disk.contents('a'), utf8('bfc'));
  disk.vanish();
  await assert.rejects(file.sync(), { code: 'DISK_GONE' });
  await assert.rejects(disk.list(''), { code: 'DISK_GONE' });
});

test('a crash of the key-value store keeps what was durable', async () => {
  const store = new MemoryKeyValueStore();
  await store.write([{ key: utf8('a'), value: utf8('1') }]);
  const lost = store.write([{ key: utf8('a'), value: utf8('2') }]);
  store.crash();
  await assert.rejects(lost, { code: 'DISK_GONE' });
  assert.deepEqual(store.get(utf8('a')), utf8('1'));
});
