// Bundles the box and `aether` into dist/, each one file, as the image will carry them. Packages with native parts
// stay outside; the image brings their prebuilt files.
import { copyFileSync, mkdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build, type Plugin } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));

/** Name in dist/ → source. Workers are programs of their own, found beside the one that starts them. */
const programs = {
  box: 'src/main.ts',
  aether: 'src/cli/main.ts',
  'seal-worker': 'src/seal-worker.ts',
  'cross-check': 'src/cross-check.ts',
} as const;

/** Packages with native parts; what carries the bundle brings them beside it. */
export const nativePackages = ['@serialport/bindings-cpp', 'koffi', 'lmdb', 'onoff'];

/** CommonJS packages ask for Node's modules by `require`, which modules have not. */
const banner = `import { createRequire as createRequire_ } from 'node:module'; const require = createRequire_(import.meta.url);`;

export interface BundledProgram {
  readonly file: string;
  readonly bytes: number;
  readonly gzipBytes: number;
  /** Folders of the packages whose code it carries, as the lock file names them. */
  readonly packages: readonly string[];
}

/** Writes `<outFolder>/<program>.mjs`, the parts that they share, and source maps. Throws when one does not resolve. */
export async function bundle(outFolder: string, version?: string): Promise<readonly BundledProgram[]> {
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: { ...programs },
    outdir: outFolder,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    // What is loaded only when it is wanted is a file of its own, shared by the programs.
    splitting: true,
    chunkNames: 'part-[hash]',
    metafile: true,
    platform: 'node',
    mainFields: ['module', 'main'],
    target: 'node24',
    format: 'esm',
    minifySyntax: true,
    sourcemap: 'linked',
    sourcesContent: false,
    ...(version === undefined ? {} : { define: { releaseVersion: JSON.stringify(version) } }),
    banner: { js: banner },
    external: nativePackages,
    plugins: [links(outFolder), builtins],
    logLevel: 'warning',
  });
  const outputs = Object.keys(metafile.outputs).filter((path) => path.endsWith('.mjs'));
  return outputs.sort().map((path) => {
    const file = join(root, path);
    const content = readFileSync(file);
    const packages = packageFoldersOf(Object.keys(metafile.outputs[path]!.inputs));
    return { file, bytes: content.length, gzipBytes: gzipSync(content).length, packages };
  });
}

/** The folders of the packages to which files belong: `node_modules/mqtt/node_modules/ms`. Other files have none. */
export function packageFoldersOf(files: readonly string[]): readonly string[] {
  const folder = /node_modules\/(?:.*\/node_modules\/)?(?:@[^/]+\/)?[^/]+/;
  return [...new Set(files.flatMap((file) => folder.exec(file)?.[0] ?? []))];
}

/**
 * Node's own modules by `process.getBuiltinModule`. Imported, each would be wrapped for `import`, which looks at all that
 * it exports: of `node:http` at `WebSocket` too, for which undici is loaded, a third of all loading.
 */
const builtins: Plugin = {
  name: 'builtins',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^node:/ }, ({ path, kind }) =>
      kind === 'import-statement' ? { path, namespace: 'builtin' } : { path, external: true },
    );
    onLoad({ filter: /.*/, namespace: 'builtin' }, ({ path }) => ({
      contents: `module.exports = process.getBuiltinModule(${JSON.stringify(path)});`,
      loader: 'js',
    }));
  },
};

/**
 * `new URL('../seal-worker.ts', import.meta.url)` means the bundled program beside it, and of a style sheet, a script of
 * the page, a picture or the facts of a board, a copy beside it.
 */
function links(outFolder: string): Plugin {
  const programOf = (path: string, target: string) => {
    const program = basename(target);
    if (program in programs) return `new URL('./${program}.mjs', import.meta.url)`;
    throw new Error(`${path}: ${program} is not bundled; add it to scripts/build.ts`);
  };
  const copyOf = (path: string, target: string) => {
    mkdirSync(outFolder, { recursive: true });
    copyFileSync(join(dirname(path), target), join(outFolder, basename(target)));
    return `new URL('./${basename(target)}', import.meta.url)`;
  };
  return {
    name: 'links',
    setup({ onLoad }) {
      onLoad({ filter: /[\\/]src[\\/].*\.ts$/ }, ({ path }) => {
        const contents = readFileSync(path, 'utf8')
          .replace(/new URL\('([^']+)\.ts', import\.meta\.url\)/g, (_, target: string) =>
            programOf(path, target),
          )
          .replace(/new URL\('([^']+\.(?:css|js|json|svg))', import\.meta\.url\)/g, (_, target: string) =>
            copyOf(path, target),
          );
        return { contents, loader: 'ts' };
      });
    },
  };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const { file, bytes, gzipBytes } of await bundle(join(root, 'dist'))) {
    const kib = (count: number) => `${(count / 1024).toFixed(0).padStart(6)} KiB`;
    console.log(`${basename(file).padEnd(18)}${kib(bytes)}, gzip ${kib(gzipBytes)}`);
  }
}
