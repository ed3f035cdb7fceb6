import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Bytes, compareBytes } from '../../base/bytes.ts';
import { encodeCbor } from '../../base/cbor.ts';
import { silentLog } from '../../base/log.ts';
import { replaceFile } from '../../ports/replace-file.ts';
import { FakeClock } from '../../testing/fake-clock.ts';
import { MemoryDisk } from '../../testing/memory-disk.ts';
import { SeededEntropy } from '../../testing/seeded-entropy.ts';
import { readUint48 } from './group-message.ts';
import { groupSessionPath, nextGroupSession } from './group-session.ts';

const noonMs = Date.UTC(2026, 5, 1, 12);

/** A box that starts when its wall clock shows `wallMs`. */
function start(disk: MemoryDisk, wallMs: number, seed = 1): Promise<Bytes> {
  const clock = new FakeClock(wallMs);
  return nextGroupSession({ disk, clock, entropy: new SeededEntropy(seed), log: silentLog });
}

function newDisk(): MemoryDisk {
  return new MemoryDisk({ entropy: new SeededEntropy(9) });
}

test('each session is later than the one before, also when the wall clock goes back or a start crashes', async () => {
  const disk = newDisk();
  const sessions = [await start(disk, noonMs), await start(disk, noonMs), await start(disk, 0)];
  disk.crash();
  sessions.push(await start(disk, noonMs - 5000), await start(disk, noonMs + 5000));
  for (const [index, session] of sessions.entries()) {
    if (index > 0) assert.ok(compareBytes(session, sessions[index - 1]!) > 0, `start ${index}`);
  }
  assert.equal(readUint48(sessions[0]!, 0), noonMs);
  assert.equal(readUint48(sessions[2]!, 0), noonMs + 2);
  assert.equal(readUint48(sessions[4]!, 0), noonMs + 5000);
});

test('where the disk takes nothing the wall clock orders sessions, and a damaged file is passed over', async () => {
  const disk = newDisk();
  await replaceFile(disk, groupSessionPath, new Uint8Array([0xff]));
  disk.fillUp();
  const [first, second] = [await start(disk, noonMs), await start(disk, noonMs + 1)];
  assert.ok(compareBytes(second, first) > 0);
});

test('of two starts with one number the random bits make two sessions', async () => {
  const [a, b] = [await start(newDisk(), noonMs, 1), await start(newDisk(), noonMs, 2)];
  assert.equal(readUint48(a, 0), readUint48(b, 0));
  assert.notDeepEqual(a, b);
});

test('a number at the end of its range stays there', async () => {
  const disk = newDisk();
  await replaceFile(disk, groupSessionPath, encodeCbor({ v: 1, session: 2 ** 48 - 1 }));
  assert.equal(readUint48(await start(disk, noonMs), 0), 2 ** 48 - 1);
});
