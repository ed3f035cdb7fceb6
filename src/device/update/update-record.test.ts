import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fromUtf8, utf8 } from '../../base/bytes.ts';
import { AetherError } from '../../base/errors.ts';
import { createLog, type LogEntry, silentLog } from '../../base/log.ts';
import { readFile, replaceFile } from '../../ports/replace-file.ts';
import { MemoryDisk } from '../../testing/memory-disk.ts';
import { SeededEntropy } from '../../testing/seeded-entropy.ts';
import { newRecord } from './update-machine.ts';
import { loadUpdateMemory, saveProvenSlot, saveUpdateRecord } from './update-record.ts';

const makeDisk = () => new MemoryDisk({ entropy: new SeededEntropy(1) });

test('what cannot be read is damaged, and told of in the log; what is not there is not', async () => {
  const disk = makeDisk();
  assert.deepEqual(await loadUpdateMemory(disk, silentLog), { record: undefined, proven: undefined });
  await saveUpdateRecord(disk, newRecord({ version: '2.0.0' }));
  await saveProvenSlot(disk, { slot: 'A', version: '1.0.0' });
  disk.open = (path) => Promise.reject(new AetherError('DISK_IO', `${path}: EIO: i/o error, read`));
  const said: LogEntry[] = [];
  const log = createLog(
    'update',
    () => 0,
    (entry) => void said.push(entry),
  );
  assert.deepEqual(await loadUpdateMemory(disk, log), { record: 'damaged', proven: undefined });
  assert.deepEqual(
    said.map(({ level, fields }) => [level, fields.path]),
    [
      ['warn', 'update.json'],
      ['warn', 'proven.json'],
    ],
  );
  assert.match(String(said[0]?.fields.reason), /DISK_IO: .*i\/o error/);
});

test('how a box was before is kept; where nobody noted it, nothing is written that an older version does not know', async () => {
  const disk = makeDisk();
  const before = { servedVolumes: ['disk1', 'disk2'], unreadableVolumes: ['disk2'], network: true };
  const installing = newRecord({ version: '2.0.0', phase: 'installing', slot: 'A', before });
  await saveUpdateRecord(disk, installing);
  assert.deepEqual((await loadUpdateMemory(disk, silentLog)).record, installing);
  const staged = newRecord({ version: '2.0.0' });
  await saveUpdateRecord(disk, staged);
  const text = fromUtf8((await readFile(disk, 'update.json', 1000))!)!;
  assert.equal(Object.hasOwn(JSON.parse(text) as object, 'before'), false);
  assert.deepEqual((await loadUpdateMemory(disk, silentLog)).record, staged);
});

test('what a newer version has noted beside is passed over, so that it can be come back from', async () => {
  const disk = makeDisk();
  const record = newRecord({ version: '2.0.0', phase: 'installed', slot: 'A' });
  await replaceFile(disk, 'update.json', utf8(JSON.stringify({ ...record, mood: 'good' })));
  await replaceFile(disk, 'proven.json', utf8('{"v":1,"slot":"A","version":"1.0.0","since":7}'));
  assert.deepEqual(await loadUpdateMemory(disk, silentLog), {
    record,
    proven: { slot: 'A', version: '1.0.0' },
  });
});
