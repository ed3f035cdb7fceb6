import { chmodSync, cpSync, existsSync, lstatSync, mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';

const folderMode = 0o755;

/** Whether its owner may execute it is all that a file in a clone says for certain: the rest is the umask's. */
function fileMode(mode: number): number {
  return (mode & 0o100) === 0 ? 0o644 : 0o755;
}

/** Copies what is in a folder into one that is there, with the same modes for whoever does it. Folders that were there keep theirs. */
export function copyInto(from: string, to: string): void {
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    const source = join(from, entry.name);
    const target = join(to, entry.name);
    if (entry.isDirectory()) {
      if (!existsSync(target)) {
        mkdirSync(target);
        chmodSync(target, folderMode);
      }
      copyInto(source, target);
    } else {
      rmSync(target, { force: true });
      cpSync(source, target, { verbatimSymlinks: true });
      if (entry.isFile()) chmodSync(target, fileMode(statSync(source).mode));
    }
  }
}

/** Gives a folder that is all ours, and everything in it, the same modes whoever made it. */
export function settleModes(path: string): void {
  const found = lstatSync(path);
  if (found.isSymbolicLink()) return;
  chmodSync(path, found.isDirectory() ? folderMode : fileMode(found.mode));
  if (found.isDirectory()) for (const name of readdirSync(path)) settleModes(join(path, name));
}
