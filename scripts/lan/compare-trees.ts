import { lstatSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { runProgram } from './processes.ts';

/** What a tree holds, for a line of a report. */
export interface TreeCount {
  readonly files: number;
  readonly directories: number;
  readonly symlinks: number;
  readonly bytes: number;
}

/** The first lines in which two trees differ by contents, by `diff -r --no-dereference`; empty when in none. */
export async function differentContents(left: string, right: string): Promise<readonly string[]> {
  const { exitCode, stdout, stderr } = await runProgram(
    ['diff', '-r', '--no-dereference', '-q', left, right],
    {
      mayFail: true,
    },
  );
  if (exitCode > 1) throw new Error(`diff: ${stderr}`);
  return stdout.split('\n').filter(Boolean).slice(0, 20);
}

/**
 * The first paths whose permission bits or modification times (to the millisecond) differ; both trees hold the
 * same names. A symbolic link has no mode of its own; its time is not compared.
 */
export function differentAttributes(left: string, right: string): readonly string[] {
  const different: string[] = [];
  for (const path of pathsBelow(left)) {
    const [a, b] = [lstatSync(join(left, path)), lstatSync(join(right, path))];
    if (a.isSymbolicLink()) continue;
    if ((a.mode & 0o7777) !== (b.mode & 0o7777)) {
      different.push(
        `${path}: mode ${(a.mode & 0o7777).toString(8)} became ${(b.mode & 0o7777).toString(8)}`,
      );
    }
    if (Math.floor(a.mtimeMs) !== Math.floor(b.mtimeMs)) {
      different.push(`${path}: time ${a.mtime.toISOString()} became ${b.mtime.toISOString()}`);
    }
  }
  return different.slice(0, 20);
}

export function countTree(root: string): TreeCount {
  const count = { files: 0, directories: 0, symlinks: 0, bytes: 0 };
  for (const path of pathsBelow(root)) {
    const status = lstatSync(join(root, path));
    if (status.isSymbolicLink()) count.symlinks++;
    else if (status.isDirectory()) count.directories++;
    else {
      count.files++;
      count.bytes += status.size;
    }
  }
  return count;
}

/** Everything below `root`, by relative path; symbolic links are not followed (as `readdir`'s own recursion does). */
export function pathsBelow(root: string): readonly string[] {
  const paths: string[] = [];
  const visit = (folder: string) => {
    for (const entry of readdirSync(join(root, folder), { withFileTypes: true })) {
      const path = join(folder, entry.name);
      paths.push(path);
      if (entry.isDirectory()) visit(path);
    }
  };
  visit('');
  return paths;
}
