import assert from 'node:assert/strict';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, type TestContext, test } from 'node:test';

// Where stages are kept is settled when the module is loaded.
const cache = mkdtempSync(join(tmpdir(), 'stages-'));
after(() => rmSync(cache, { recursive: true }));
process.env.XDG_CACHE_HOME = cache;
for (const name of ['DEBIAN_MIRROR', 'DEBIAN_SECURITY_MIRROR']) delete process.env[name];
const { dayOf, stageFolder, stagesFolder } = await import('./stage.ts');

function mirror(t: TestContext, name: string, url: string): void {
  process.env[name] = url;
  t.after(() => delete process.env[name]);
}

/** A stage that says by whom it was made. */
function made(name: string, by: string): { readonly folder: string; readonly by: string } {
  const make = (folder: string) => writeFileSync(join(folder, 'by'), by);
  const folder = stageFolder({ name, recipe: ['same'], make }, () => {});
  return { folder, by: readFileSync(join(folder, 'by'), 'utf8') };
}

test('a stage is made once', () => {
  assert.equal(made('once', 'first').by, 'first');
  assert.equal(made('once', 'second').by, 'first');
});

test('a stage is made anew where that is asked, and knows its day', () => {
  assert.equal(made('fresh', 'first').by, 'first');
  const make = (folder: string) => writeFileSync(join(folder, 'by'), 'second');
  const folder = stageFolder({ name: 'fresh', recipe: ['same'], make, fresh: true }, () => {});
  assert.equal(made('fresh', 'third').by, 'second');
  assert.equal(dayOf(folder), new Date().toISOString().slice(0, 10));
  writeFileSync(join(folder, 'complete'), '');
  assert.equal(dayOf(folder), undefined);
});

test('another mirror is another stage, and without one it is the first again', (t) => {
  assert.equal(made('mirrored', 'the own mirror').by, 'the own mirror');
  mirror(t, 'DEBIAN_MIRROR', 'http://127.0.0.1/one');
  assert.equal(made('mirrored', 'one').by, 'one');
  mirror(t, 'DEBIAN_MIRROR', 'http://127.0.0.1/two');
  assert.equal(made('mirrored', 'two').by, 'two');
  mirror(t, 'DEBIAN_SECURITY_MIRROR', 'http://127.0.0.1/three');
  assert.equal(made('mirrored', 'three').by, 'three');
  for (const name of ['DEBIAN_MIRROR', 'DEBIAN_SECURITY_MIRROR']) delete process.env[name];
  assert.equal(made('mirrored', 'four').by, 'the own mirror');
});

test('what another build made meanwhile is used, and the own copy dropped', () => {
  const { folder } = made('raced', 'learn its name');
  rmSync(folder, { recursive: true });
  const make = (own: string) => {
    writeFileSync(join(own, 'by'), 'this build');
    mkdirSync(folder);
    writeFileSync(join(folder, 'by'), 'the other build');
    writeFileSync(join(folder, 'complete'), '');
  };
  assert.equal(
    stageFolder({ name: 'raced', recipe: ['same'], make }, () => {}),
    folder,
  );
  assert.equal(readFileSync(join(folder, 'by'), 'utf8'), 'the other build');
  assert.equal(readdirSync(stagesFolder).filter((name) => name.startsWith('raced-')).length, 1);
});

test('a stage that was interrupted is made anew', () => {
  const { folder } = made('interrupted', 'first');
  rmSync(join(folder, 'complete'));
  assert.equal(made('interrupted', 'second').by, 'second');
  assert.ok(existsSync(join(folder, 'complete')));
});
