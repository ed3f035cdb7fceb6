import { chmodSync, copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { buildBundle } from '../../firmware/bundle/bundle.ts';
import { developmentSigner } from '../../firmware/bundle/signer.ts';
import { ImageTools } from '../../firmware/stages/tools.ts';

export interface Variant {
  /** The bundle of the version that runs, signed by the development key. */
  readonly bundle: string;
  readonly folder: string;
  readonly version: string;
  /** In each of its three tries in another way. */
  readonly fails: boolean;
  /** PEM of the only certificate whose updates it takes. */
  readonly believes: string;
}

const programFolder = '/usr/lib/aetherstore/app';
const believedFile = '/etc/rauc/updates.cert.pem';
const releaseFile = '/usr/share/aetherstore/release.json';
/** What root runs in each start before the box. */
const prepareFile = '/usr/lib/aetherstore/prepare';

/**
 * In slot B: the kernel panics; then it panics and, unlike ours, does not start again by itself, so that only the hardware
 * can start the machine; then the program ends at once.
 */
const harm = `#!/bin/sh
case $(fw_printenv -n BOOT_B_LEFT) in
  2) echo c >/proc/sysrq-trigger ;;
  1)
    until grep -qx active /sys/class/watchdog/watchdog0/state; do sleep 1; done
    echo 0 >/proc/sys/kernel/panic
    echo c >/proc/sysrq-trigger
    ;;
esac
`;

/** Another version of the system in a signed bundle: the same but for its number, or one that fails. */
export async function makeVariant({ bundle, folder, version, fails, believes }: Variant): Promise<string> {
  const say = () => {};
  const tools = ImageTools.open(say);
  const work = join(folder, version);
  rmSync(work, { recursive: true, force: true });
  mkdirSync(work, { recursive: true });
  copyFileSync(bundle, join(work, 'from.raucb'));
  tools.run('unsquashfs', ['-q', '-d', join(work, 'from'), join(work, 'from.raucb')], [work]);
  const slot = new SlotFiles(tools, join(work, 'from', 'slot.ext4'), work);
  const release = JSON.parse(slot.read(releaseFile)) as { readonly version: string };
  slot.replace(releaseFile, `${JSON.stringify({ version, development: true })}\n`);
  slot.replace(believedFile, believes);
  // The program's own number is written into it when it is bundled.
  const [before, after] = [JSON.stringify(release.version), JSON.stringify(version)];
  const numbered = slot.names(programFolder).filter((name) => name.endsWith('.mjs'));
  for (const path of numbered.map((name) => `${programFolder}/${name}`)) {
    const text = slot.read(path);
    if (text.includes(before)) slot.replace(path, text.replaceAll(before, after));
  }
  if (fails) {
    slot.replace(`${programFolder}/box.mjs`, 'throw new Error("this version does not work");\n');
    const prepare = slot.read(prepareFile);
    slot.replace(prepareFile, prepare.replace('#!/bin/sh\n', harm), 0o755);
  }
  const output = join(work, `aetherstore-${version}.raucb`);
  const signer = developmentSigner(say);
  await buildBundle({
    slot: slot.image,
    release: { version, development: true },
    signer,
    folder: work,
    output,
    tools,
    compressionLevel: 9,
  });
  return output;
}

/** Files in a file system that is not mounted, by debugfs(8). */
class SlotFiles {
  readonly image: string;
  readonly #tools: ImageTools;
  readonly #beside: string;

  constructor(tools: ImageTools, image: string, folder: string) {
    this.#tools = tools;
    this.image = image;
    this.#beside = join(folder, 'file');
  }

  names(folder: string): readonly string[] {
    const lines = this.#deed(`ls -p ${folder}`).split('\n');
    return lines.map((line) => line.split('/')[5] ?? '').filter((name) => name !== '');
  }

  read(path: string): string {
    this.#deed(`dump ${path} ${this.#beside}`);
    return readFileSync(this.#beside, 'utf8');
  }

  replace(path: string, text: string, mode = 0o644): void {
    writeFileSync(this.#beside, text);
    chmodSync(this.#beside, mode);
    this.#deed(`rm ${path}`);
    this.#deed(`write ${this.#beside} ${path}`);
  }

  #deed(command: string): string {
    const shared = [dirname(this.image), dirname(this.#beside)];
    return this.#tools.run('debugfs', ['-w', '-R', command, this.image], shared);
  }
}
