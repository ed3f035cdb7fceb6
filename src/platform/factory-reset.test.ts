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
  for (const name of ['disk1', 'updates']) mkdirSync(join(folder, name));
  const files = [
    'state/pool.cbor',
    'state/log/own.log',
    'disk1/volume.cbor',
    'updates/proven.json',
    'box.json',
  ];
  for (const name of files) {
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
  assert.deepEqual(readdirSync(folder).sort(), ['box.json', 'disk1', 'state', 'updates']);
  assert.deepEqual(
    readdirSync(join(folder, 'updates')),
    ['proven.json'],
    'which system works is no secret of a box',
  );
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
