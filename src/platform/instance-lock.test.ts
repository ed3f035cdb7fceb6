import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { InstanceLock } from './instance-lock.ts';

test('a folder has one box; it is free again after release', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'lock-'));
  t.after(() => rm(folder, { recursive: true }));
  await mkdir(join(folder, 'state'));
  const lock = InstanceLock.take(folder);
  assert.throws(() => InstanceLock.take(folder), { code: 'ALREADY_RUNNING' });
  lock.release();
  InstanceLock.take(folder).release();
});

test('a box that was killed leaves no lock', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'lock-'));
  t.after(() => rm(folder, { recursive: true }));
  await mkdir(join(folder, 'state'));
  const module = new URL('./instance-lock.ts', import.meta.url).href;
  const program = `import { InstanceLock } from '${module}';
    await InstanceLock.take(${JSON.stringify(folder)}); console.log('held'); setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ['--input-type=module-typescript', '-e', program]);
  await once(child.stdout, 'data');
  assert.throws(() => InstanceLock.take(folder), { code: 'ALREADY_RUNNING' });
  child.kill('SIGKILL');
  await once(child, 'exit');
  InstanceLock.take(folder).release();
});

test('a disk serves one box, by whatever path it is named', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'lock-'));
  t.after(() => rm(folder, { recursive: true }));
  await symlink('.', join(folder, 'same'));
  const disk = InstanceLock.takeDisk(folder);
  assert.throws(() => InstanceLock.takeDisk(join(folder, 'same')), { code: 'DISK_IN_USE', help: /one box/ });
  disk.release();
  InstanceLock.takeDisk(join(folder, 'same')).release();
  assert.throws(() => InstanceLock.takeDisk(join(folder, 'missing')), { code: 'DISK_NOT_FOUND' });
});
