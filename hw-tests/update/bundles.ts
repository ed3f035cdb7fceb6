import { copyFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { buildBundle } from '../../firmware/bundle/bundle.ts';
import { developmentSigner } from '../../firmware/bundle/signer.ts';
import { ImageTools } from '../../firmware/stages/tools.ts';

export interface Variant {
  /** The bundle of the version that runs, signed by the development key. */
  readonly bundle: string;
  readonly folder: string;
  readonly version: string;
  /** Its program does not start. */
  readonly broken: boolean;
}

const program = '/usr/lib/aetherstore/app/box.mjs';

/** Another version of the system in a signed bundle: the same but for its number, or one whose program crashes. */
export async function makeVariant({ bundle, folder, version, broken }: Variant): Promise<string> {
  const say = () => {};
  const tools = ImageTools.open(say);
  const work = join(folder, version);
  rmSync(work, { recursive: true, force: true });
  mkdirSync(work, { recursive: true });
  copyFileSync(bundle, join(work, 'from.raucb'));
  tools.run('unsquashfs', ['-q', '-d', join(work, 'from'), join(work, 'from.raucb')], [work]);
  const slot = join(work, 'from', 'slot.ext4');
  writeFileSync(join(work, 'release.json'), `${JSON.stringify({ version, development: true })}\n`);
  writeFileSync(join(work, 'crash.mjs'), 'throw new Error("this version does not work");\n');
  replaceFile(tools, slot, '/usr/share/aetherstore/release.json', join(work, 'release.json'));
  if (broken) replaceFile(tools, slot, program, join(work, 'crash.mjs'));
  const output = join(work, `aetherstore-${version}.raucb`);
  const release = { version, development: true };
  await buildBundle({ slot, release, signer: developmentSigner(say), folder: work, output, tools });
  return output;
}

/** In a file system that is not mounted. */
function replaceFile(tools: ImageTools, image: string, path: string, by: string): void {
  const deed = (command: string) =>
    tools.run('debugfs', ['-w', '-R', command, image], [dirname(image), dirname(by)]);
  deed(`rm ${path}`);
  deed(`write ${by} ${path}`);
}
