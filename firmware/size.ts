// Prints what a bundle is made of, and fails when it is over budget: npm run image:size [-- BUNDLE]
import { globSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { countField, objectField, parseConfig } from '../src/base/config.ts';
import { newestOf, root } from './paths.ts';
import { run } from './stages/run.ts';
import { ImageTools } from './stages/tools.ts';

const bytesField = countField({ max: 1_000_000_000 });
const budgetSchema = objectField({
  /** Our program with the native parts of packages, compressed. */
  programBytes: bytesField,
  /** The same with Node. */
  programWithNodeBytes: bytesField,
  bundleBytes: bytesField,
});

const program = 'our program';
const native = 'packages with native parts';
const node = 'Node';
const rest = 'the rest of Debian';

/** Parts of a slot by where they are; a file belongs to the first that names it. */
const parts: readonly (readonly [name: string, pattern: RegExp])[] = [
  [native, /^usr\/lib\/aetherstore\/app\/node_modules\//],
  [node, /^usr\/lib\/aetherstore\/bin\//],
  [program, /^usr\/(lib|share)\/aetherstore\//],
  ['kernel', /^boot\/Image\.gz$/],
  ['initial RAM file system', /^boot\/initrd\.img$/],
  ['kernel modules', /^usr\/lib\/modules\//],
  ['systemd', /^usr\/lib\/(systemd|udev|aarch64-linux-gnu\/systemd)\/|^usr\/bin\/[^/]*(systemd|ctl$)/],
  ["Debian's libraries", /^usr\/lib\/aarch64-linux-gnu\//],
  ["Debian's programs", /^usr\/(s?bin|libexec)\//],
  ['copyright files', /^usr\/share\/doc\//],
  [rest, /^/],
];

/** The part of a slot that a file (path below its root) belongs to. */
export function partOf(path: string): string {
  return parts.find(([, pattern]) => pattern.test(path))?.[0] ?? rest;
}

interface Size {
  readonly name: string;
  readonly bytes: number;
  readonly compressedBytes: number;
}

/** Sizes of the parts below a folder, each compressed by itself (zstd, level 19). */
function measure(tree: string, tools: ImageTools): readonly Size[] {
  const files = run('find', ['.', '-mindepth', '1', '!', '-type', 'd', '-printf', '%s %P\\n'], { cwd: tree })
    .trimEnd()
    .split('\n')
    .map((line) => {
      const space = line.indexOf(' ');
      return { bytes: Number(line.slice(0, space)), path: line.slice(space + 1) };
    });
  const grouped = Map.groupBy(files, ({ path }) => partOf(path));
  return parts.map(([name]) => {
    const members = grouped.get(name) ?? [];
    const list = members.map(({ path }) => path).sort();
    const pack = 'tar --create --no-recursion --owner 0 --group 0 --files-from - | zstd -q -19 -T0 | wc -c';
    const compressed = tools.run('sh', ['-euc', pack], [tree], { input: list.join('\n') });
    const bytes = members.reduce((sum, each) => sum + each.bytes, 0);
    return { name, bytes, compressedBytes: Number(compressed) };
  });
}

/** Takes the slot out of a bundle, and the files out of the slot. */
function unpack(bundle: string, folder: string, tools: ImageTools): string {
  const tree = join(folder, 'tree');
  const script = `unsquashfs -quiet -no-progress -dest content "$0" slot.ext4 >/dev/null
mkdir tree && debugfs -R 'rdump / tree' content/slot.ext4 2>/dev/null`;
  tools.run('sh', ['-euc', script, bundle], [folder, dirname(bundle)]);
  return tree;
}

function newestBundle(): string {
  const newest = newestOf(globSync('var/image/*/*.raucb', { cwd: root }).map((path) => join(root, path)));
  if (newest === undefined) throw new Error('no bundle in var/image: npm run image -- --board rpi');
  return newest;
}

function main(bundle: string): void {
  const tools = ImageTools.open(console.log);
  const folder = mkdtempSync(join(tmpdir(), 'image-size-'));
  try {
    const sizes = measure(unpack(bundle, folder, tools), tools);
    console.log(table(['part', 'MB', 'zstd -19'], sizes.map(row)));
    const of = (...names: readonly string[]) =>
      sizes.filter(({ name }) => names.includes(name)).reduce((sum, each) => sum + each.compressedBytes, 0);
    const budget = parseConfig(
      readFileSync(join(root, 'firmware/size-budget.json'), 'utf8'),
      budgetSchema,
      'size-budget.json',
    );
    const lines = [
      { name: `${program} and ${native}`, bytes: of(program, native), max: budget.programBytes },
      { name: 'the same with Node', bytes: of(program, native, node), max: budget.programWithNodeBytes },
      { name: 'the bundle', bytes: statSync(bundle).size, max: budget.bundleBytes },
    ];
    const over = lines.filter(({ bytes, max }) => bytes > max);
    console.log(
      table(
        ['budget', 'MB', 'at most'],
        lines.map(({ name, bytes, max }) => [name, megabytes(bytes), megabytes(max)]),
      ),
    );
    for (const { name } of over) console.error(`over budget: ${name}`);
    process.exitCode = over.length > 0 ? 1 : 0;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const megabytes = (bytes: number) => (bytes / 1e6).toFixed(2);
const row = ({ name, bytes, compressedBytes }: Size) => [name, megabytes(bytes), megabytes(compressedBytes)];

/** Columns, of which the first is text and the others are numbers. */
function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [head, ...rows];
  const widths = head.map((_, column) => Math.max(...all.map((cells) => cells[column]!.length)));
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!)))
      .join('  ');
  return `${all.map(line).join('\n')}\n`;
}

if (process.argv[1] === import.meta.filename) main(resolve(process.argv[2] ?? newestBundle()));
