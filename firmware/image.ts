// Makes what is written to a card, and the signed bundle that updates a box: npm run image -- --board rpi
import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { version as programVersion } from '../src/base/version.ts';
import { boardNamed, filesOf } from './board.ts';
import { buildBundle } from './bundle/bundle.ts';
import { developmentSigner, type Signer } from './bundle/signer.ts';
import { buildDisk } from './disk/disk.ts';
import { root } from './paths.ts';
import { billOfMaterials } from './sbom.ts';
import { applyOverlay } from './slot/overlays.ts';
import { buildSlot, type Release } from './slot/slot.ts';
import { rootStage } from './stages/root.ts';
import { ImageTools } from './stages/tools.ts';

const usage = `usage: npm run image -- --board rpi|qemu-virt [options]

  --board NAME     a folder of board/
  --out DIR        where it goes (default: var/image/NAME)
  --version X.Y.Z  of the release (default: the program's, marked +dev)
  --key FILE       PEM of the key that signs; with --cert. Default: a development key of this user, made when it is not
  --cert FILE      there yet; such an image says so in its version, takes updates of nobody else, and has a shell on a
                   console that only emulated machines have
  --bundle-only    no card
`;

export interface ImageOptions {
  readonly board: string;
  readonly out: string;
  readonly release: Release;
  readonly signer: Signer;
  readonly card: boolean;
}

/** Makes image, bundle, bill of materials and table of sizes in `out`. */
export async function buildImage(options: ImageOptions, say: (line: string) => void): Promise<void> {
  const { out, release, signer } = options;
  const board = boardNamed(options.board);
  const tools = ImageTools.open(say);
  const stage = rootStage(say);
  const folder = join(out, 'work');
  mkdirSync(folder, { recursive: true });
  const slotOptions = { release, certificates: signer.certificate, folder, stage, tools, say };
  const slot = await buildSlot(slotOptions);
  say(`slot: ${slot.image}`);
  const name = `aetherstore-${release.version}`;
  const bundle = join(out, `${name}.raucb`);
  await buildBundle({ slot: slot.image, release, signer, folder, output: bundle, tools });
  say(`bundle: ${bundle}`);
  if (options.card) {
    const card = join(out, `${name}-${board.name}.img`);
    const overlay = join(out, 'overlay.dtbo');
    copyFileSync(join(slot.tree, 'boot/overlays', `${board.boot.overlay}.dtbo`), overlay);
    const { parts } = stage;
    buildDisk({ board, slot: slot.image, overlay, parts, folder: join(folder, 'card'), output: card, tools });
    for (const { from, to } of filesOf(board.emulator.files, parts)) {
      if (from.endsWith('.dtb')) applyOverlay({ tree: from, overlay, output: join(out, to), tools });
      else copyFileSync(from, join(out, to));
    }
    say(`card: ${card}`);
  }
  writeFileSync(join(out, `${name}.spdx.json`), billOfMaterials({ release, stage, tree: slot.tree }));
  rmSync(folder, { recursive: true, force: true });
}

async function main(words: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...words],
    options: {
      board: { type: 'string' },
      out: { type: 'string' },
      version: { type: 'string' },
      key: { type: 'string' },
      cert: { type: 'string' },
      'bundle-only': { type: 'boolean' },
      help: { type: 'boolean', short: 'h' },
    },
  });
  if (values.help === true || values.board === undefined) {
    process.stdout.write(usage);
    process.exitCode = values.help === true ? 0 : 2;
    return;
  }
  const { key, cert } = values;
  const development = key === undefined || cert === undefined;
  const signer = development
    ? developmentSigner(console.log)
    : { keyFile: resolve(key), certificateFile: resolve(cert), certificate: readFileSync(cert, 'utf8') };
  const version = values.version ?? programVersion;
  await buildImage(
    {
      board: values.board,
      out: resolve(values.out ?? join(root, 'var/image', values.board)),
      release: { version: development ? `${version}+dev` : version, development },
      signer,
      card: values['bundle-only'] !== true,
    },
    (line) => console.log(line),
  );
}

if (process.argv[1] === import.meta.filename) await main(process.argv.slice(2));
