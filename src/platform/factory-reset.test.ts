import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { beginFactoryReset, finishFactoryReset } from './factory-reset.ts';

function boxFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'aether-reset-'));
  t.after(() => rmSync(folder, { recursive: true }));
  mkdirSync(join(folder, 'state', 'log'), { recursive: true });
  mkdirSync(join(folder, 'disk1'));
  for (const name of ['state/pool.cbor', 'state/log/own.log', 'disk1/volume.cbor', 'box.json']) {
    writeFileSync(join(folder, name), 'x');
  }
  return folder;
}

test('nothing is forgotten that nobody asked for', (t) => {
  const folder = boxFolder(t);
  finishFactoryReset(folder);
  assert.deepEqual(readdirSync(join(folder, 'state')), ['log', 'pool.cbor']);
});

test('everything of the state goes, and nothing else', (t) => {
  const folder = boxFolder(t);
  beginFactoryReset(folder);
  assert.ok(existsSync(join(folder, 'state', 'pool.cbor')), 'not before the next start');
  finishFactoryReset(folder);
  assert.deepEqual(readdirSync(join(folder, 'state')), []);
  assert.deepEqual(readdirSync(folder).sort(), ['box.json', 'disk1', 'state']);
  assert.deepEqual(readdirSync(join(folder, 'disk1')), ['volume.cbor']);
});

test('a reset that was cut off goes on', (t) => {
  const folder = boxFolder(t);
  beginFactoryReset(folder);
  rmSync(join(folder, 'state', 'pool.cbor'));
  finishFactoryReset(folder);
  finishFactoryReset(folder);
  assert.deepEqual(readdirSync(join(folder, 'state')), []);
});
