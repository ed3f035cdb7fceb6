// Packages as the lock file says, the runtime among them.
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import path from 'node:path';
import { npmCommand, ownlessPath, run } from './npm.mjs';
import { fail, modules, readJson, root, runtimeBinary, runtimePackage, say } from './tree.mjs';

const runtimeLink = path.join(modules, '.bin', 'node');

/** Why the packages must be installed (again), or undefined. npm writes its hidden lock file last, when all is there. */
export function whyInstall() {
  const wanted = readJson(path.join(root, 'package-lock.json'))?.packages;
  if (wanted === undefined)
    fail('package-lock.json is missing or damaged: restore it with `git checkout package-lock.json`.');
  const installed = readJson(path.join(modules, '.package-lock.json'))?.packages;
  if (installed === undefined) return 'no packages are installed';
  for (const [name, entry] of Object.entries(wanted)) {
    if (name === '') continue;
    const version = installed[name]?.version;
    if (version === undefined ? isNeededHere(entry) : version !== entry.version) {
      return `${name.replace('node_modules/', '')} is ${version ?? 'missing'}, ${entry.version} is wanted`;
    }
  }
  if (runtimePackage !== undefined && !fs.existsSync(runtimeBinary())) return 'the runtime is missing';
  return undefined;
}

/**
 * Optional packages that name this system hold native parts and the runtime; other optional ones may be missing, and
 * so may those of another C library and those the lock file knows by version only.
 */
function isNeededHere(entry) {
  if (!entry.optional) return true;
  if (entry.libc !== undefined || entry.os === undefined || entry.integrity === undefined) return false;
  const names = (list, own) => list === undefined || [list].flat().includes(own);
  return names(entry.os, process.platform) && names(entry.cpu, process.arch);
}

export async function install(reason) {
  say(`${reason}; installing packages (a first time takes a minute)`);
  const npm = npmCommand();
  // Add-ons come as prebuilt packages or are compiled below, so no package has to run a script of its own.
  const flags = [
    '--ignore-scripts',
    '--include=dev',
    '--include=optional',
    '--no-audit',
    '--no-fund',
    '--no-update-notifier',
  ];
  const exitCode = await run(npm.command, [...npm.args, 'ci', ...flags], {
    cwd: root,
    env: { ...process.env, PATH: ownlessPath().join(path.delimiter) },
    stdio: ['ignore', 2, 2],
  });
  if (exitCode !== 0)
    fail('npm could not install the packages; what it says above tells why. Then run this again.');
  const still = whyInstall();
  if (still !== undefined) fail(`after npm ci, ${still}. Remove node_modules and run this again.`);
  checkRuntimeRuns();
}

export function runtimeIsLinked() {
  try {
    return runtimePackage === undefined || fs.realpathSync(runtimeLink) === fs.realpathSync(runtimeBinary());
  } catch {
    return false;
  }
}

/** Several packages bring a `node`, one for each system; npm 10 ends up with none of them linked. */
export function linkRuntime() {
  fs.rmSync(runtimeLink, { force: true });
  fs.symlinkSync(path.relative(path.dirname(runtimeLink), runtimeBinary()), runtimeLink);
}

function checkRuntimeRuns() {
  if (runtimePackage === undefined) return;
  const answer = spawnSync(runtimeBinary(), ['--version'], { encoding: 'utf8' });
  if (answer.status !== 0) {
    fail(
      `the runtime of ${runtimePackage} does not run here (it needs glibc or macOS): ${answer.error?.message ?? answer.stderr}`,
    );
  }
}
