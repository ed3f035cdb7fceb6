// Which npm to use, and how.
import { spawn } from 'node:child_process';
import * as fs from 'node:fs';
import path from 'node:path';
import { modules, say } from './tree.mjs';

/** The npm that runs this script, with the Node that runs it; else the npm on the PATH. */
export function npmCommand() {
  const cli = npmCli();
  if (cli === undefined) return { command: 'npm', args: [] };
  return { command: process.env.npm_node_execpath ?? process.execPath, args: [cli] };
}

/** The file that npm is: of the npm that runs this script, else of the first one on the PATH. */
export function npmCli() {
  const onPath = ownlessPath().map((folder) => path.join(folder, 'npm'));
  for (const candidate of [process.env.npm_execpath, ...onPath]) {
    if (candidate === undefined || !fs.existsSync(candidate)) continue;
    const file = fs.realpathSync(candidate);
    if (/npm-cli\.c?js$/.test(file)) return file;
  }
  return undefined;
}

/** Folders of the PATH without our own runtime: npm must not run on the Node that it is about to replace. */
export function ownlessPath() {
  const own = path.join(modules, '.bin');
  return (process.env.PATH ?? '').split(path.delimiter).filter((folder) => folder !== own);
}

export function run(command, args, options) {
  return new Promise((resolve) => {
    const child = spawn(command, args, options);
    child.on('error', (error) => {
      say(`${command}: ${error.message}`);
      resolve(1);
    });
    child.on('close', (exitCode) => resolve(exitCode ?? 1));
  });
}
