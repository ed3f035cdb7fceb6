import type { Import, SourceFile } from './source-file.ts';

/**
 * The import floors of ARCHITECTURE.md: which folders of `src/` a folder may import, besides itself. A folder that is
 * not listed here does not exist yet; list it where it belongs before making it.
 */
export const floors: Readonly<Record<string, readonly string[]>> = {
  base: [],
  ports: ['base'],
  store: ['ports', 'base'],
  zeroconf: ['ports', 'base'],
  status: ['ports', 'base'],
  control: ['status', 'ports', 'base'],
  pool: ['store', 'status', 'ports', 'base'],
  files: ['pool', 'store', 'zeroconf', 'status', 'ports', 'base'],
  access: ['control', 'files', 'pool', 'store', 'zeroconf', 'status', 'ports', 'base'],
  device: ['control', 'files', 'pool', 'store', 'zeroconf', 'status', 'ports', 'base'],
  platform: ['ports', 'base'],
};

/** Where everything meets: these may import all of `src/` but `testing/`. */
const compositions = new Set(
  [
    'box',
    'box-announcer',
    'box-config',
    'box-console',
    'box-control',
    'box-data-format',
    'box-disks',
    'box-faces',
    'box-greeting',
    'box-group',
    'box-host',
    'box-life',
    'box-machine',
    'box-mqtt',
    'box-network',
    'box-pool',
    'box-settings',
    'box-supervision',
    'box-time',
    'box-updates',
    'box-updates-start',
    'box-web',
    'cross-check',
    'main',
    'safe-mode',
    'seal-worker',
  ].map((name) => `src/${name}.ts`),
);

/** Packages that only compute, free for every floor. All others are for `platform/`, or for tests and scripts. */
const computingPackages = new Set([
  '@peculiar/x509',
  '@scure/bip39',
  '@serenity-kit/opaque',
  'cborg',
  'reflect-metadata',
]);

/** Modules of Node that only compute. All others touch the world. */
const computingModules = new Set(
  [
    'assert',
    'assert/strict',
    'buffer',
    'crypto',
    'events',
    'path',
    'path/posix',
    'string_decoder',
    'url',
    'util',
    'zlib',
  ].map((name) => `node:${name}`),
);

/** What of `node:crypto` draws randomness of its own. */
const drawingNames = /^(random.*|getRandomValues|generate(Key|Prime).*)$/;

export function isTest(path: string): boolean {
  return path.endsWith('.test.ts');
}

/** Files of `src/` that make up the product: no tests, no fakes. */
export function isProduction(path: string): boolean {
  return path.startsWith('src/') && !isTest(path) && !path.startsWith('src/testing/');
}

export function isComposition(path: string): boolean {
  return compositions.has(path) || path.startsWith('src/cli/');
}

/** Files that start a program: they may know `process`, and nobody imports them. */
export function isProgram(path: string): boolean {
  return ['src/main.ts', 'src/cli/main.ts', 'src/cross-check.ts', 'src/seal-worker.ts'].includes(path);
}

/** Problems of a file's imports, one line each. */
export function checkFloors(file: SourceFile): readonly string[] {
  if (!file.path.startsWith('src/') || file.path.startsWith('src/testing/')) return [];
  return file.imports.flatMap((taken) => {
    const problem =
      taken.target === undefined ? checkPackage(file, taken) : checkTarget(file, taken, taken.target);
    return problem === undefined ? [] : [`${file.path}:${taken.line} ${problem}`];
  });
}

function checkTarget(file: SourceFile, taken: Import, target: string): string | undefined {
  if (!target.startsWith('src/')) return `imports ${target}: src/ imports nothing outside itself`;
  const from = floorOf(file.path);
  const to = floorOf(target);
  if (to === 'testing')
    return isTest(file.path) ? undefined : `imports ${target}: only tests may know src/testing/`;
  if (from === to || isComposition(file.path)) return undefined;
  const allowed = floors[from];
  if (allowed === undefined)
    return `is in src/${from}/, which src/testing/tidy/floors.ts does not know: list it there`;
  if (allowed.includes(to)) return undefined;
  if (isTest(file.path) && to === 'platform') return undefined;
  const may = allowed.length === 0 ? 'nothing but itself' : allowed.join(', ');
  const way = taken.typeOnly ? 'a type from ' : '';
  return `imports ${way}${target}: ${from}/ may import ${may}. Move the code down, or hand it in as an argument`;
}

function checkPackage(file: SourceFile, { specifier, names }: Import): string | undefined {
  if (isTest(file.path) || floorOf(file.path) === 'platform') return undefined;
  if (specifier.startsWith('node:')) {
    if (!computingModules.has(specifier)) {
      if (isProgram(file.path)) return undefined;
      return `imports ${specifier}, which touches the world: give src/platform/ that part and take it through a port`;
    }
    const drawing = specifier === 'node:crypto' ? names.filter((name) => drawingNames.test(name)) : [];
    return drawing.length === 0
      ? undefined
      : `takes ${drawing.join(', ')}: randomness comes through the Entropy port`;
  }
  const scoped = specifier.startsWith('@');
  const name = specifier.split('/', scoped ? 2 : 1).join('/');
  if (computingPackages.has(name)) return undefined;
  return `imports ${specifier}: packages that touch the world belong in src/platform/ (if it only computes, list it in src/testing/tidy/floors.ts)`;
}

/** The folder directly under `src/`; of a file that lies in `src/` itself its own name. */
function floorOf(path: string): string {
  return path.split('/')[1] ?? '';
}
