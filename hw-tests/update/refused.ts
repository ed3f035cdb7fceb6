import assert from 'node:assert/strict';
import { copyFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { signAnew } from '../../firmware/bundle/seal.ts';
import { developmentSigner, makeCertificate, type Signer } from '../../firmware/bundle/signer.ts';
import { ImageTools } from '../../firmware/stages/tools.ts';
import type { Scene } from '../scene.ts';
import type { HardwareTest } from '../suite.ts';
import { updateOf } from './seen-update.ts';

const sendTimeoutMs = 300_000;

/** A bundle that a box must not take, made of one that it would. */
interface Refused {
  readonly flaw: string;
  readonly codes: readonly string[];
  make(from: Source): void;
}

interface Source {
  readonly bundle: string;
  readonly output: string;
  readonly folder: string;
  readonly signer: Signer;
  readonly tools: ImageTools;
}

const refused: readonly Refused[] = [
  {
    flaw: 'truncated',
    codes: ['UPDATE_UNREADABLE', 'UPDATE_UNTRUSTED'],
    make: ({ bundle, output }) => {
      copyFileSync(bundle, output);
      truncateSync(output, 40_000_000);
    },
  },
  {
    flaw: 'no bundle at all',
    codes: ['UPDATE_UNREADABLE', 'UPDATE_UNTRUSTED'],
    make: ({ output }) => writeFileSync(output, Buffer.alloc(3_000_000, 'aether')),
  },
  {
    flaw: 'signed by somebody else',
    codes: ['UPDATE_UNTRUSTED'],
    make: (source) => {
      const keyFile = join(source.folder, 'other.key.pem');
      const certificateFile = join(source.folder, 'other.cert.pem');
      makeCertificate(keyFile, certificateFile, { name: 'Somebody else' });
      signAnew({ ...source, signer: { keyFile, certificateFile, certificate: '' }, edit: (same) => same });
    },
  },
  {
    flaw: 'signed with an expired certificate',
    codes: ['UPDATE_UNTRUSTED'],
    make: (source) =>
      signAnew({
        ...source,
        signer: issued(source, '20200101000000Z', '20210101000000Z'),
        edit: (same) => same,
      }),
  },
  {
    flaw: 'for another kind of box',
    codes: ['UPDATE_FOR_OTHER_BOARD'],
    make: (source) =>
      signAnew({ ...source, edit: (text) => text.replace(/^compatible=.*$/m, 'compatible=toaster') }),
  },
  {
    flaw: 'of an older data format',
    codes: ['UPDATE_DATA_FORMAT'],
    make: (source) =>
      signAnew({ ...source, edit: (text) => text.replace(/^data-format=.*$/m, 'data-format=0') }),
  },
  {
    flaw: 'older than what runs',
    codes: ['UPDATE_OLDER'],
    make: (source) => signAnew({ ...source, edit: olderVersion }),
  },
];

export const badBundlesAreRefused: HardwareTest = {
  name: 'bundles that are cut short, unsigned, expired, for another board or older are refused, each with its code',
  needs: ['disks', 'updates'],
  run: async (scene) => {
    await scene.claimed();
    const name = await scene.target.console.greet();
    const said: string[] = [];
    for (const { flaw, codes, make } of refused) {
      const source = sourceOf(scene);
      make(source);
      const { exitCode, output } = await send(scene, name, source.output);
      assert.notEqual(exitCode, 0, `${flaw}: taken`);
      const code = codes.find((each) => output.includes(each));
      assert.ok(code !== undefined, `${flaw}: ${output}`);
      assert.equal((await updateOf(scene)).state, 'none', `${flaw}: something is kept of it`);
      said.push(`${flaw} ${code}`);
    }
    return said.join('; ');
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

function sourceOf(scene: Scene): Source {
  const say = () => {};
  const folder = scene.folder('refused');
  return {
    bundle: scene.target.updates.bundle(),
    output: join(folder, 'refused.raucb'),
    folder,
    signer: developmentSigner(say),
    tools: ImageTools.open(say),
  };
}

async function send(
  scene: Scene,
  box: string,
  bundle: string,
  ...more: readonly string[]
): Promise<{ readonly exitCode: number | null; readonly output: string }> {
  const options = { timeoutMs: scene.patienceMs(sendTimeoutMs), mayFail: true };
  const { exitCode, stdout, stderr } = await scene.aether.run(
    ['update', box, bundle, '--later', ...more],
    options,
  );
  return { exitCode, output: `${stdout}${stderr}` };
}

/** A signer whose certificate is issued by the development key's, which boxes of development trust, for this time. */
function issued({ folder, signer }: Source, from: string, until: string): Signer {
  const keyFile = join(folder, 'issued.key.pem');
  const certificateFile = join(folder, 'issued.cert.pem');
  makeCertificate(keyFile, certificateFile, { name: 'Issued', issuer: signer, from, until });
  return { keyFile, certificateFile, certificate: signer.certificate };
}
