import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { bundle, packageFoldersOf } from './build.ts';

const packages = fileURLToPath(new URL('../node_modules', import.meta.url));

test('the bundled box and aether start and say how they are used', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'bundle-'));
  try {
    // Packages with native parts stay outside the bundles, which look for them here.
    symlinkSync(packages, join(folder, 'node_modules'));
    for (const { file, bytes } of await bundle(join(folder, 'dist'))) {
      assert.ok(bytes > 0);
      // The others are started by these.
      if (!/(box|aether)\.mjs$/.test(file)) continue;
      const said = execFileSync(process.execPath, [file, '--help'], { encoding: 'utf8', timeout: 20_000 });
      assert.match(said, /usage/i);
    }
    for (const name of ['page.css', 'page.js', 'icon.svg', 'pins.json'])
      assert.ok(existsSync(join(folder, 'dist', name)), name);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test('files belong to the innermost package that they are in', () => {
  const files = [
    'node_modules/mqtt/build/index.js',
    'node_modules/mqtt/node_modules/ms/index.js',
    'node_modules/@peculiar/x509/build/x509.es.js',
    'node_modules/@serialport/stream/node_modules/@scope/inner/dist/index.js',
    'node_modules/mqtt/package.json',
    'src/main.ts',
    'builtin:node:fs',
  ];
  assert.deepEqual(packageFoldersOf(files), [
    'node_modules/mqtt',
    'node_modules/mqtt/node_modules/ms',
    'node_modules/@peculiar/x509',
    'node_modules/@serialport/stream/node_modules/@scope/inner',
  ]);
});
