import assert from 'node:assert/strict';
import { copyFileSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { signAnew } from '../../firmware/bundle/seal.ts';
import { makeCertificate } from '../../firmware/bundle/signer.ts';
import type { HardwareTest } from '../suite.ts';
import { seenBox, updateOf } from './seen-update.ts';
import { issued, type Source, send, sourceOf } from './sent-bundle.ts';

const installTimeoutMs = 300_000;
/** In the first block of the content, of which every reader begins. */
const changedByte = 2000;

/** A bundle that a box must not take, made of one that it would. */
interface Refused {
  readonly flaw: string;
  readonly code: string;
  make(from: Source): void;
}

const refused: readonly Refused[] = [
  {
    flaw: 'truncated',
    code: 'UPDATE_UNTRUSTED',
    make: ({ bundle, output }) => {
      copyFileSync(bundle, output);
      truncateSync(output, 40_000_000);
    },
  },
  {
    flaw: 'no bundle at all',
    code: 'UPDATE_UNTRUSTED',
    make: ({ output }) => writeFileSync(output, Buffer.alloc(3_000_000, 'aether')),
  },
  {
    flaw: 'without a signature',
    code: 'UPDATE_UNTRUSTED',
    make: ({ bundle, output }) => {
      const bytes = readFileSync(bundle);
      writeFileSync(output, bytes.subarray(0, signatureAt(bytes)));
    },
  },
  {
    flaw: 'of another version than was signed',
    code: 'UPDATE_UNTRUSTED',
    make: ({ bundle, output }) => {
      const bytes = readFileSync(bundle);
      // The manifest is inside the signature.
      const version = bytes.indexOf('version=', signatureAt(bytes)) + 'version='.length;
      assert.match(String.fromCharCode(bytes[version]!), /\d/);
      bytes[version]! ^= 1;
      writeFileSync(output, bytes);
    },
  },
  {
    flaw: 'signed by somebody else',
    code: 'UPDATE_UNTRUSTED',
    make: (source) => {
      const keyFile = join(source.folder, 'other.key.pem');
      const certificateFile = join(source.folder, 'other.cert.pem');
      makeCertificate(keyFile, certificateFile, { name: 'Somebody else' });
      signAnew({ ...source, signer: { keyFile, certificateFile, certificate: '' }, edit: (same) => same });
    },
  },
  {
    flaw: 'signed with an expired certificate',
    code: 'UPDATE_UNTRUSTED',
    make: (source) =>
      signAnew({
        ...source,
        signer: issued(source, '20200101000000Z', '20210101000000Z'),
        edit: (same) => same,
      }),
  },
  {
    flaw: 'for another kind of box',
    code: 'UPDATE_FOR_OTHER_BOARD',
    make: (source) =>
      signAnew({ ...source, edit: (text) => text.replace(/^compatible=.*$/m, 'compatible=toaster') }),
  },
  {
    flaw: 'of an older data format',
    code: 'UPDATE_DATA_FORMAT',
    make: (source) =>
      signAnew({ ...source, edit: (text) => text.replace(/^data-format=.*$/m, 'data-format=0') }),
  },
  {
    flaw: 'older than what runs',
    code: 'UPDATE_OLDER',
    make: (source) => signAnew({ ...source, edit: olderVersion }),
  },
];

export const badBundlesAreRefused: HardwareTest = {
  name: 'bundles that are cut short, unsigned, changed, expired, for another board or older are refused, each with its code',
  needs: ['disks', 'updates'],
  run: async (scene) => {
    await scene.claimed();
    const name = await scene.target.console.greet();
    const said: string[] = [];
    for (const { flaw, code, make } of refused) {
      const source = sourceOf(scene);
      make(source);
      const { exitCode, output } = await send(scene, name, source.output);
      assert.notEqual(exitCode, 0, `${flaw}: taken`);
      assert.ok(output.includes(code), `${flaw}: ${output}`);
      assert.equal((await updateOf(scene)).state, 'none', `${flaw}: something is kept of it`);
      said.push(`${flaw} ${code}`);
    }
    return said.join('; ');
  },
};

/** The signature is of the hashes of the content, each of which is looked at when its block is read. */
export const changedContentIsNotInstalled: HardwareTest = {
  name: 'one with a byte of its content changed, under a good signature, is not installed: the box goes on, and says why',
  needs: ['disks', 'updates'],
  run: async (scene) => {
    await scene.claimed();
    const before = (await seenBox(scene)).box.version;
    const restarts = scene.target.power.restarts();
    const name = await scene.target.console.greet();
    const source = sourceOf(scene);
    const bytes = readFileSync(source.bundle);
    bytes[changedByte]! ^= 1;
    writeFileSync(source.output, bytes);
    const sent = await send(scene, name, source.output);
    assert.equal(sent.exitCode, 0, sent.output);
    const { exitCode, stderr } = await scene.aether.run(['update', name], {
      timeoutMs: scene.patienceMs(installTimeoutMs),
      mayFail: true,
    });
    assert.notEqual(exitCode, 0, 'installed');
    assert.match(stderr, /UPDATE_FAILED/);
    const { box, update, conditions } = await seenBox(scene);
    assert.equal(box.version, before);
    assert.equal(update.state, 'staged');
    assert.match(update.reason ?? '', /could not be installed/);
    const told = conditions.find(({ code }) => code === 'UPDATE_NOT_INSTALLED')?.message;
    assert.ok(told?.includes(update.reason ?? ''), `the box says: ${told}`);
    assert.equal(scene.target.power.restarts(), restarts);
    return told ?? '';
  },
};

/** What the tests above change is what makes the difference. */
export const goodBundlesAreTaken: HardwareTest = {
  name: 'one signed by a certificate of the same issuer is taken, and an older one when a person says so',
  needs: ['disks', 'updates'],
  run: async (scene) => {
    await scene.claimed();
    const name = await scene.target.console.greet();
    const source = sourceOf(scene);
    const signer = issued(source, '20200101000000Z', '20300101000000Z');
    signAnew({ ...source, signer, edit: olderVersion });
    const { exitCode, output } = await send(scene, name, source.output, '--older');
    assert.equal(exitCode, 0, output);
    assert.equal((await updateOf(scene)).state, 'staged');
    return output.trim();
  },
};

function olderVersion(manifest: string): string {
  return manifest.replace(/^version=.*$/m, 'version=0.0.1+dev');
}

/** Where the signature of a bundle begins; behind it is its length, as 8 bytes, big-endian. */
function signatureAt(bundle: Buffer): number {
  const end = bundle.length - 8;
  return end - Number(bundle.readBigUInt64BE(end));
}
