import assert from 'node:assert/strict';
import { type SpawnSyncReturns, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { testCertificate } from '../src/testing/test-certificate.ts';

function temporaryFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'image-'));
  t.after(() => rmSync(folder, { recursive: true }));
  return folder;
}

/** Asks for the image of a board that there is not: nothing is built, whatever else is wrong. No tool is found. */
function image(folder: string, ...words: readonly string[]): SpawnSyncReturns<string> {
  const program = join(import.meta.dirname, 'image.ts');
  const options = ['--board', 'of-nobody', '--out', join(folder, 'out'), ...words];
  const homes = { XDG_DATA_HOME: join(folder, 'data'), XDG_CACHE_HOME: join(folder, 'cache') };
  return spawnSync(process.execPath, [program, ...options], {
    encoding: 'utf8',
    env: { ...homes, PATH: folder },
  });
}

async function keyAndCertificate(folder: string, name: string): Promise<{ key: string; cert: string }> {
  const { privateKeyPem, certificatePem } = await testCertificate();
  const [key, cert] = [join(folder, `${name}.key.pem`), join(folder, `${name}.cert.pem`)];
  writeFileSync(key, privateKeyPem);
  writeFileSync(cert, certificatePem);
  return { key, cert };
}

test('a key without its certificate, or the reverse, makes no development image', async (t) => {
  const folder = temporaryFolder(t);
  const { key, cert } = await keyAndCertificate(folder, 'release');
  for (const words of [
    ['--key', key],
    ['--cert', cert],
  ]) {
    const { status, stderr } = image(folder, ...words);
    assert.equal(status, 2, stderr);
    assert.match(stderr, /--key and --cert are both needed/);
    assert.equal(existsSync(join(folder, 'data')), false, 'a development key was made');
  }
});

test('a certificate of another key is told before anything is built', async (t) => {
  const folder = temporaryFolder(t);
  const one = await keyAndCertificate(folder, 'one');
  const other = await keyAndCertificate(folder, 'other');
  const mixed = image(folder, '--key', one.key, '--cert', other.cert);
  assert.equal(mixed.status, 1);
  assert.match(mixed.stderr, /other\.cert\.pem is not of the key .*one\.key\.pem/);
  assert.doesNotMatch(image(folder, '--key', one.key, '--cert', one.cert).stderr, /is not of the key/);
});

test('a tool that this machine has not got is told before anything is built, with its package', async (t) => {
  const folder = temporaryFolder(t);
  const { key, cert } = await keyAndCertificate(folder, 'release');
  assert.match(image(folder, '--key', key, '--cert', cert).stderr, /not installed: xz\..*xz-utils/);
  assert.match(image(folder).stderr, /not installed: openssl\. .*apt-get install .*openssl/);
  const keys = join(folder, 'data/aetherstore/keys');
  mkdirSync(keys, { recursive: true });
  writeFileSync(join(keys, 'development.cert.pem'), 'made before');
  assert.match(image(folder).stderr, /not installed: xz\./);
});

test('what is to be believed and is no certificate is told before anything is built', async (t) => {
  const folder = temporaryFolder(t);
  const { key, cert } = await keyAndCertificate(folder, 'release');
  const words = ['--key', key, '--cert', cert, '--believe'];
  assert.match(image(folder, ...words, key).stderr, /release\.key\.pem has no certificate in it/);
  const broken = join(folder, 'broken.pem');
  writeFileSync(broken, readFileSync(cert, 'utf8').replace('MII', 'AAA'));
  assert.match(
    image(folder, ...words, broken).stderr,
    /broken\.pem has a certificate in it that cannot be read/,
  );
  const both = join(folder, 'both.pem');
  writeFileSync(both, readFileSync(cert, 'utf8').repeat(2));
  assert.match(image(folder, ...words, both).stderr, /not installed: xz/);
});
