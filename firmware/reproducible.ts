// Builds twice and compares: npm run image:reproducible -- --board rpi [--from-scratch] [options of image.ts]
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { root } from './paths.ts';
import { run } from './stages/run.ts';

/** `sha256  name` of every file in a folder. */
function digests(folder: string): readonly string[] {
  return run('sha256sum', readdirSync(folder).sort(), { cwd: folder }).trimEnd().split('\n');
}

/** `--from-scratch`: the second build makes Debian's part and the packages for itself too. */
function main(words: readonly string[]): void {
  const fromScratch = words.includes('--from-scratch');
  const options = words.filter((word) => word !== '--from-scratch');
  const base = join(root, 'var/image/reproducible');
  rmSync(base, { recursive: true, force: true });
  const cache = mkdtempSync(join(tmpdir(), 'image-cache-'));
  const build = (name: string, env: Readonly<Record<string, string>>) => {
    const out = join(base, name);
    run(process.execPath, [join(root, 'firmware/image.ts'), ...options, '--out', out], { env });
    const lines = digests(out);
    console.log(`${name} build\n  ${lines.join('\n  ')}`);
    return lines;
  };
  const first = build('first', {});
  const second = build('second', fromScratch ? { XDG_CACHE_HOME: cache } : {});
  rmSync(cache, { recursive: true, force: true });
  const differing = first.filter((line, index) => line !== second[index]);
  for (const line of differing) console.error(`differs: ${line.slice(66)}`);
  const same = differing.length === 0 && first.length === second.length;
  console.log(same ? 'both builds are the same' : 'the builds differ');
  process.exitCode = same ? 0 : 1;
}

main(process.argv.slice(2));
