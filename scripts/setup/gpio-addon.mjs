// onoff's native part, compiled for our runtime. Without it a box runs all the same, without GPIO.
import { spawn, spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';
import { npmCli, npmCommand, ownlessPath } from './npm.mjs';
import { modules, readJson, readText, root, runtimeBinary, runtimePackage, say } from './tree.mjs';

const addon = path.join(modules, 'epoll');
const addonMarker = path.join(addon, 'build', 'aetherstore-runtime');
const addonLog = path.join(addon, 'build', 'aetherstore-build.log');

function addonKey() {
  const versionOf = (folder) => readJson(path.join(folder, 'package.json'))?.version ?? 'none';
  return `epoll ${versionOf(addon)} for ${runtimePackage} ${versionOf(path.join(modules, runtimePackage))}`;
}

export function addonIsDue() {
  if (runtimePackage === undefined || !isWritable(addon)) return false;
  const [key, tools] = readText(addonMarker)?.split('\n') ?? [];
  if (key !== addonKey()) return true;
  // A build that lacked its tools is tried again once they are there.
  return tools !== undefined && tools !== '' && missingTools().join(' ') !== tools;
}

/** Whether it is there and ours: in somebody else's tree the box runs without it. */
function isWritable(folder) {
  try {
    fs.accessSync(folder, fs.constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

/** Compiles epoll for our runtime, against the headers in its package. Without it the box runs without GPIO. */
export async function buildAddon() {
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
  const folders = ownlessPath();
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
  const env = { ...process.env, PATH: ownlessPath().join(path.delimiter), npm_config_nodedir: headers };
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
    return createRequire(cli).resolve('node-gyp/bin/node-gyp.js');
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
