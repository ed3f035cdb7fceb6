// Makes what is written to a card, and the signed bundle that updates a box: npm run image -- --board rpi
import { copyFileSync, existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { version as programVersion } from '../src/base/version.ts';
import { type Board, boardNamed, filesOf } from './board.ts';
import { buildBundle } from './bundle/bundle.ts';
import { certificatesIn, developmentSigner, releaseSigner, type Signer } from './bundle/signer.ts';
import { buildDisk } from './disk/disk.ts';
import { loaderVariables, makeEnvironment } from './disk/environment.ts';
import { root } from './paths.ts';
import { billOfMaterials } from './sbom.ts';
import { applyOverlay } from './slot/overlays.ts';
import { buildSlot, type Release, type Slot } from './slot/slot.ts';
import { requireTools } from './stages/debian.ts';
import { rootStage } from './stages/root.ts';
import { ImageTools } from './stages/tools.ts';

const usage = `usage: npm run image -- --board rpi|qemu-virt [options]

  --board NAME     a folder of board/
  --out DIR        where it goes (default: var/image/NAME)
  --version X.Y.Z  of the release (default: the program's, marked +dev)
  --key FILE       PEM of the key that signs; with --cert. Default: a development key of this user, made when it is not
  --cert FILE      there yet; such an image says so in its version, takes updates of nobody else, and has a shell on a
                   console that only emulated machines have
  --believe FILE   PEM certificates whose updates its system takes from then on (default: that of the key that signs).
                   So a key is changed: signed by the one before, believing the next
  --bundle-only    no card
  --fresh          with the packages that Debian has today; else those of the first build on this computer

Bundles that a box must refuse or take back; of the development key only:
  --compatible NAME   for another kind of box
  --data-format N     for data of another version
  --unhealthy         its program ends as soon as it is started
`;

export interface ImageOptions {
  readonly board: string;
  readonly out: string;
  readonly release: Release;
  readonly signer: Signer;
  /** PEM certificates whose updates its system takes; those of the signer where nobody says others. */
  readonly believes?: string | undefined;
  readonly card: boolean;
  /** Whether Debian's packages are fetched anew. */
  readonly fresh?: boolean | undefined;
  readonly flaws?: Flaws;
}

/** What is wrong with a bundle for a test. */
interface Flaws {
  readonly compatible?: string | undefined;
  readonly dataFormat?: number | undefined;
  readonly unhealthy?: boolean | undefined;
}

/** Makes image, bundle and bill of materials in `out`. */
export async function buildImage(options: ImageOptions, say: (line: string) => void): Promise<void> {
  const { out, release, signer, flaws = {} } = options;
  const { unhealthy, ...manifest } = flaws;
  // Nobody's own umask shows in an image.
  process.umask(0o022);
  // Before the minutes that the stages take.
  requireTools('xz');
  if (!release.development && Object.values(flaws).some((flaw) => flaw !== undefined))
    throw new Error('a flaw for a test was asked for, and a key of releases was given');
  const board = boardNamed(options.board);
  const tools = ImageTools.open(say);
  const stage = rootStage(say, options.fresh);
  const folder = join(out, 'work');
  mkdirSync(folder, { recursive: true });
  const certificates = options.believes ?? signer.certificate;
  const slot = await buildSlot({ release, certificates, folder, stage, tools, say, unhealthy });
  say(`slot: ${slot.image}`);
  const name = `aetherstore-${release.version}`;
  const bundle = join(out, `${name}.raucb`);
  await buildBundle({ slot: slot.image, release, signer, folder, output: bundle, tools, ...manifest });
  say(`bundle: ${bundle}`);
  if (options.card) {
    const card = join(out, `${name}-${board.name}.img`);
    buildCard(card, { board, slot, parts: stage.parts, folder: join(folder, 'card'), tools });
    say(`card: ${card}`);
  }
  const files = options.card ? [...board.files, ...board.emulator.files] : [];
  writeFileSync(join(out, `${name}.spdx.json`), billOfMaterials({ release, stage, slot, files }));
  rmSync(folder, { recursive: true, force: true });
}

/** Where the image of a board goes unless somebody wants it elsewhere. */
export function imageFolder(board: string): string {
  return join(root, 'var/image', board);
}

/** The image of a board that a clone of this tree makes, signed by the user's development key; if it is not there yet. */
export async function ensureImage(board: string, say: (line: string) => void): Promise<string> {
  const out = imageFolder(board);
  if (existsSync(out)) return out;
  const release = { version: `${programVersion}+dev`, development: true };
  const making = `${out}.${process.pid}`;
  await buildImage({ board, out: making, release, signer: developmentSigner(say), card: true }, say);
  renameSync(making, out);
  return out;
}

interface CardOptions {
  readonly board: Board;
  readonly slot: Slot;
  readonly parts: string;
  readonly folder: string;
  readonly tools: ImageTools;
}

/** Makes a card, and beside it what an emulator of the board starts with. */
function buildCard(card: string, { board, slot, parts, folder, tools }: CardOptions): void {
  const out = dirname(card);
  const overlay = join(out, 'overlay.dtbo');
  copyFileSync(join(slot.tree, 'boot/overlays', `${board.boot.overlay}.dtbo`), overlay);
  buildDisk({ board, slot: slot.image, overlay, parts, folder, output: card, tools });
  const { environment } = board.boot;
  if (environment.file === null) {
    const output = join(out, 'u-boot.env');
    makeEnvironment({ variables: loaderVariables(board.boot), bytes: environment.bytes, output, tools });
  }
  for (const { from, to } of filesOf(board.emulator.files, parts)) {
    if (from.endsWith('.dtb')) applyOverlay({ tree: from, overlay, output: join(out, to), tools });
    else copyFileSync(from, join(out, to));
  }
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
      believe: { type: 'string' },
      'bundle-only': { type: 'boolean' },
      fresh: { type: 'boolean' },
      compatible: { type: 'string' },
      'data-format': { type: 'string' },
      unhealthy: { type: 'boolean' },
      help: { type: 'boolean', short: 'h' },
    },
  });
  if (values.help === true || values.board === undefined) {
    process.stdout.write(usage);
    process.exitCode = values.help === true ? 0 : 2;
    return;
  }
  const { key, cert, believe } = values;
  if ((key === undefined) !== (cert === undefined)) {
    process.stderr.write('--key and --cert are both needed to sign a release; only one was given\n');
    process.exitCode = 2;
    return;
  }
  const development = key === undefined || cert === undefined;
  const signer = development ? developmentSigner(console.log) : releaseSigner(resolve(key), resolve(cert));
  const version = values.version ?? programVersion;
  const { 'data-format': format } = values;
  if (format !== undefined && !/^\d+$/.test(format)) throw new Error(`not a number: ${format}`);
  const dataFormat = format === undefined ? undefined : Number(format);
  await buildImage(
    {
      board: values.board,
      out: resolve(values.out ?? imageFolder(values.board)),
      release: { version: development ? `${version}+dev` : version, development },
      signer,
      believes: believe === undefined ? undefined : certificatesIn(resolve(believe)),
      card: values['bundle-only'] !== true,
      fresh: values.fresh,
      flaws: { compatible: values.compatible, dataFormat, unhealthy: values.unhealthy },
    },
    (line) => console.log(line),
  );
}

if (process.argv[1] === import.meta.filename) await main(process.argv.slice(2));
