import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { readTextFile } from './text-file.ts';

test('a small text file is read whole; a missing one, a folder and a large one are refused', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'text-'));
  t.after(() => rm(folder, { recursive: true }));
  const path = join(folder, 'password');
  await writeFile(path, 'grün\n');
  assert.equal(await readTextFile(path, 6), 'grün\n');
  await assert.rejects(readTextFile(path, 5), { code: 'LOCAL_UNREADABLE' });
  await assert.rejects(readTextFile(join(folder, 'none'), 6), { code: 'LOCAL_NOT_FOUND' });
  await assert.rejects(readTextFile(folder, 6), { code: 'LOCAL_EXISTS' });
});
