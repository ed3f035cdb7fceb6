import assert from 'node:assert/strict';
import { test } from 'node:test';
import { utf8 } from '../../base/bytes.ts';
import { encodeCbor } from '../../base/cbor.ts';
import { silentLog } from '../../base/log.ts';
import { replaceFile } from '../../ports/replace-file.ts';
import { MemoryDisk } from '../../testing/memory-disk.ts';
import { SeededEntropy } from '../../testing/seeded-entropy.ts';
import { authorityFromWords, newRecoveryWords } from '../authority.ts';
import { privateKeyFromSeed, signerOf } from '../p256.ts';
import { admit, declareCapacity } from './record.ts';
import { encodeRoster, Roster, rosterPath } from './roster.ts';

const authority = authorityFromWords(newRecoveryWords(new SeededEntropy(1)));
const { pool, authorityPublicKey } = authority.secrets;
const boxes = [1, 2, 3].map((byte) => signerOf(privateKeyFromSeed(new Uint8Array(48).fill(byte))));
const records = boxes.map((box, index) =>
  admit(authority.signer, {
    pool,
    publicKey: box.publicKey,
    role: 'box',
    name: `box ${index}`,
    atMs: index,
  }),
);
const recordOf = (index: number) => records[index]!.slice();

const newDisk = (seed = 1) => new MemoryDisk({ entropy: new SeededEntropy(seed) });
const open = (disk: MemoryDisk) => Roster.open({ disk, pool, authorityPublicKey }, { log: silentLog });

test('a member that was added is there after a power cut', async () => {
  const disk = newDisk();
  const roster = await open(disk);
  await roster.add([recordOf(0)]);
  await roster.add([declareCapacity(boxes[0]!, { pool, units: 64, atMs: 1 })]);
  disk.crash();
  const again = await open(disk);
  assert.equal(again.get(boxes[0]!.memberId)?.capacityUnits, 64);
  assert.deepEqual(again.records(), roster.records());
});

test('listeners hear of a change once it is durable, and of nothing else', async () => {
  const disk = newDisk();
  const roster = await open(disk);
  const heard: number[] = [];
  const stop = roster.onChange(() => {
    assert.ok(disk.paths().includes(rosterPath));
    heard.push(roster.members().length);
  });
  await roster.add([recordOf(0)]);
  await roster.add([recordOf(0)]);
  await Promise.all([roster.add([recordOf(1)]), roster.add([recordOf(0)])]);
  stop();
  await roster.add([recordOf(2)]);
  assert.deepEqual(heard, [1, 2]);
});

test('a caller whose records another is just writing waits for them too', async () => {
  const disk = newDisk();
  const roster = await open(disk);
  await Promise.all([roster.add([recordOf(0)]), roster.add([recordOf(1)]), roster.add([recordOf(2)])]);
  disk.crash();
  assert.equal((await open(disk)).members().length, 3);
});

test('when the disk fails the caller hears it, and the next call writes everything', async () => {
  const disk = newDisk();
  const roster = await open(disk);
  disk.fail('DISK_FULL');
  await assert.rejects(roster.add([recordOf(0)]), { code: 'DISK_FULL' });
  disk.fail(undefined);
  await roster.add([recordOf(0)]);
  disk.crash();
  assert.equal((await open(disk)).members().length, 1);
});

test('the records of another pool are passed over', async () => {
  const disk = newDisk();
  await replaceFile(disk, rosterPath, encodeRoster(new Uint8Array(16), []));
  assert.equal((await open(disk)).members().length, 0);
});

test('a damaged list, or one of a later version, is refused', async () => {
  const disk = newDisk();
  const damaged = recordOf(0);
  damaged[damaged.length - 1]! ^= 1;
  for (const [bytes, code] of [
    [utf8('rubbish'), 'ROSTER_CORRUPT'],
    [encodeRoster(pool, [damaged]), 'ROSTER_CORRUPT'],
    [encodeCbor({ v: 2 }), 'ROSTER_VERSION_UNKNOWN'],
  ] as const) {
    await replaceFile(disk, rosterPath, bytes);
    await assert.rejects(open(disk), { code });
  }
});
