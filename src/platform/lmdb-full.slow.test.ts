import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { LmdbStore } from './lmdb-store.ts';

const isRoot = process.getuid?.() === 0 && process.platform === 'linux';

test('a commit that the disk refuses rejects the write with the reason, and nothing else in the program', {
  skip: isRoot ? false : 'a small file system (tmpfs) takes root and Linux',
}, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'aether-lmdb-'));
  t.after(() => {
    spawnSync('umount', ['-l', folder]);
    rmSync(folder, { recursive: true });
  });
  assert.equal(spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', folder]).status, 0);
  // Node's own runner fails a test in which a rejection is handled by nobody.
  const store = await LmdbStore.open(join(folder, 'index'));
  const value = new Uint8Array(100_000);
  const write = async () => {
    for (let index = 0; index < 100; index++) {
      const entry = (half: number) => ({ key: Uint8Array.of(index, half), value });
      await Promise.all([store.write([entry(0)]), store.write([entry(1)])]);
    }
  };
  await assert.rejects(write(), { code: 'DISK_FULL' });
  await delay(50);
  await store.close();
});
