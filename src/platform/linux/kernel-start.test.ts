import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { beginFactoryReset, finishFactoryReset } from '../factory-reset.ts';
import { isFirstStart } from './kernel-start.ts';

const kernels = ['8c0f5a5e-6f0d-4a52-9f5b-6a2f3f1d7c11', '1d9f0c52-0a3e-4a0c-8a63-3f6a7b1f2e90'] as const;

/** A box's folder, and a kernel that starts it. */
function machine(t: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), 'aether-start-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const idFile = join(folder, 'boot_id');
  const box = join(folder, 'box');
  mkdirSync(join(box, 'state'), { recursive: true });
  const startKernel = (index: 0 | 1) => writeFileSync(idFile, `${kernels[index]}\n`);
  startKernel(0);
  return { box, idFile, startKernel, startProgram: () => isFirstStart(box, idFile) };
}

test('of all starts of the program in one start of the kernel the first one is', async (t) => {
  const { startProgram, startKernel } = machine(t);
  assert.equal(await startProgram(), true);
  assert.equal(await startProgram(), false, 'after a crash');
  assert.equal(await startProgram(), false);
  startKernel(1);
  assert.equal(await startProgram(), true, 'after power-on');
  assert.equal(await startProgram(), false);
});

test('a factory reset does not make the start that follows it the first one', async (t) => {
  const { box, startProgram } = machine(t);
  await startProgram();
  beginFactoryReset(box);
  finishFactoryReset(box);
  assert.equal(await startProgram(), false);
});

test('a mark that a power cut left damaged is one of another start', async (t) => {
  const { box, startProgram } = machine(t);
  for (const text of ['', 'x', `${kernels[0]}${kernels[0]}`, '\0'.repeat(200)]) {
    writeFileSync(join(box, 'kernel-start'), text);
    assert.equal(await startProgram(), true, JSON.stringify(text));
    assert.equal(readFileSync(join(box, 'kernel-start'), 'utf8'), kernels[0]);
    assert.equal(await startProgram(), false);
  }
});

test('where it cannot be noted no start is the first one, or each would be', async (t) => {
  const { box, idFile, startProgram } = machine(t);
  mkdirSync(join(box, 'kernel-start'));
  assert.equal(await startProgram(), false);
  assert.equal(await isFirstStart(join(box, 'not-there'), idFile), false);
});

test('where the kernel has no id no start is the first one', async (t) => {
  const { box } = machine(t);
  assert.equal(await isFirstStart(box, join(box, 'no-such-file')), false);
});

test('this kernel has an id, where it is Linux', { skip: process.platform !== 'linux' }, async (t) => {
  const { box } = machine(t);
  assert.equal(await isFirstStart(box), true);
  assert.equal(await isFirstStart(box), false);
});
