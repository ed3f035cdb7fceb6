import { existsSync, mkdirSync, readdirSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { repositoryRoot } from './box-process.ts';
import { runProgram } from './processes.ts';

/**
 * Copies a real tree into `folder` (made here): the npm packages typescript and node-…, with the native package of
 * the first, Debian's /usr/share/doc where there is one, and what those lack: empty folders and files, links of
 * every kind, names that are hard to write, files of every size that matters to chunks.
 */
export async function makeRealTree(folder: string): Promise<void> {
  mkdirSync(folder, { recursive: true });
  const modules = join(repositoryRoot, 'node_modules');
  const packages = ['typescript', ...namesIn(modules, /^node-(linux|darwin|bin)-/)].map((name) =>
    join(modules, name),
  );
  packages.push(
    ...namesIn(join(modules, '@typescript'), /^typescript-/).map((name) =>
      join(modules, '@typescript', name),
    ),
  );
  const documents = '/usr/share/doc';
  for (const source of [...packages, ...(existsSync(documents) ? [documents] : [])]) {
    await runProgram(['cp', '-a', source, folder]);
  }
  makeOddities(join(folder, 'odd'));
}

function makeOddities(folder: string): void {
  mkdirSync(join(folder, 'empty', 'in', 'empty'), { recursive: true });
  mkdirSync(join(folder, 'private'), { mode: 0o700 });
  symlinkSync('../odd/sizes/65536', join(folder, 'link to a file'));
  symlinkSync('empty', join(folder, 'link to a folder'));
  symlinkSync('/nowhere/at all', join(folder, 'link to nothing'));
  symlinkSync('link to itself', join(folder, 'link to itself'));
  for (const name of [
    'žluťoučký kůň',
    '日本語.txt',
    'new\nline',
    '-dash',
    ' space ',
    'quote"\'`',
    '...',
    'a'.repeat(255),
  ]) {
    writeFileSync(join(folder, name), `the file called ${name}`);
  }
  writeFileSync(join(folder, 'private', 'secret'), 'for its owner only, as long as that is', { mode: 0o600 });
  writeFileSync(join(folder, 'program'), '#!/bin/sh\necho a program\n', { mode: 0o755 });
  writeFileSync(join(folder, 'before 1980'), 'an old file');
  utimesSync(join(folder, 'before 1980'), 86_400, 86_400);
  mkdirSync(join(folder, 'sizes'));
  for (const size of [0, 1, 4095, 4096, 4097, 16_384, 65_536, 262_144, 262_145, 5_000_000]) {
    writeFileSync(join(folder, 'sizes', String(size)), text(size));
  }
}

/** Text that does not repeat itself and that compresses. */
function text(size: number): Buffer {
  const lines: string[] = [];
  let state = 7;
  for (let length = 0; length < size; ) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    const line = `line ${lines.length}: the number ${state} was drawn\n`;
    lines.push(line);
    length += line.length;
  }
  return Buffer.from(lines.join('')).subarray(0, size);
}

function namesIn(folder: string, pattern: RegExp): readonly string[] {
  return existsSync(folder) ? readdirSync(folder).filter((name) => pattern.test(name)) : [];
}
