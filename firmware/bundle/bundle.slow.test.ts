import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { stagesFolder } from '../stages/stage.ts';
import { ImageTools } from '../stages/tools.ts';
import { buildBundle } from './bundle.ts';
import { makeCertificate, type Signer } from './signer.ts';

const hasTools =
  process.getuid?.() === 0 &&
  existsSync(stagesFolder) &&
  readdirSync(stagesFolder).some((name) => name.startsWith('tools-'));
const skip = hasTools ? false : 'needs root and the tools of image building: npm run image makes them';

function signerFrom(folder: string, validity: { readonly from: string; readonly until: string }): Signer {
  const keyFile = join(folder, 'key.pem');
  const certificateFile = join(folder, 'cert.pem');
  makeCertificate(keyFile, certificateFile, { name: 'AetherStore releases', ...validity });
  return { keyFile, certificateFile, certificate: readFileSync(certificateFile, 'utf8') };
}

/** Makes a bundle of a slot that is a megabyte which cannot be compressed. */
async function bundleFrom(
  t: TestContext,
  validity: { readonly from: string; readonly until: string },
): Promise<{ readonly make: () => Promise<void>; readonly output: string }> {
  const folder = mkdtempSync(join(tmpdir(), 'aether-bundle-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const slot = join(folder, 'slot-of-a-test.ext4');
  const output = join(folder, 'a.raucb');
  const pieces = Array.from({ length: 32_768 }, (_, index) =>
    createHash('sha256').update(`${index}`).digest(),
  );
  writeFileSync(slot, Buffer.concat(pieces));
  const signer = signerFrom(folder, validity);
  const release = { version: '1.2.3', development: false };
  const tools = ImageTools.open(() => {});
  return { output, make: () => buildBundle({ slot, release, signer, folder, output, tools }) };
}

test('a certificate that is newer than the time of images signs bundles that boxes take, the same each time', {
  skip,
}, async (t) => {
  const { make, output } = await bundleFrom(t, { from: '20270101000000Z', until: '20370101000000Z' });
  await make();
  const bytes = readFileSync(output);
  await make();
  assert.deepEqual(readFileSync(output), bytes);
});

test('a certificate that had expired before the time of images signs nothing: the build fails and says why', {
  skip,
}, async (t) => {
  const { make, output } = await bundleFrom(t, { from: '20220101000000Z', until: '20230101000000Z' });
  await assert.rejects(
    make,
    /no box would take this bundle: .*certificate has expired; the certificate is valid from .* to .*2023/,
  );
  assert.equal(existsSync(output), false);
});
