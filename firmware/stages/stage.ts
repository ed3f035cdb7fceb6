import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { mirrorsAsked, suite } from './debian.ts';

/** Where stages are kept between builds, for all trees of this user: they take minutes to make. */
export const stagesFolder = join(
  process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'),
  'aetherstore',
  'image',
);

export interface Stage {
  readonly name: string;
  /** Everything that it depends on beside its own name and the mirrors asked for: another value means another stage. */
  readonly recipe: unknown;
  /** Makes it in an empty folder. */
  readonly make: (folder: string) => void;
}

/** The folder of a stage, made when it is not there yet. A stage that was interrupted is made anew. */
export function stageFolder({ name, recipe, make }: Stage, say: (line: string) => void): string {
  const key = createHash('sha256')
    .update(JSON.stringify([suite, recipe, ...mirrorsAsked()]))
    .digest('hex')
    .slice(0, 12);
  const folder = join(stagesFolder, `${name}-${key}`);
  const complete = join(folder, 'complete');
  if (existsSync(complete)) {
    utimesSync(complete, new Date(), new Date());
    return folder;
  }
  const startMs = performance.now();
  say(`${name}: made once, some minutes`);
  const making = `${folder}.${process.pid}`;
  mkdirSync(making, { recursive: true });
  try {
    make(making);
    writeFileSync(join(making, 'complete'), '');
    // Another build may have made it meanwhile, and be working with it.
    if (!existsSync(complete)) {
      rmSync(folder, { recursive: true, force: true });
      renameSync(making, folder);
    }
  } finally {
    rmSync(making, { recursive: true, force: true });
  }
  say(`${name}: made in ${((performance.now() - startMs) / 1000).toFixed(0)} s`);
  removeUnused(name, folder);
  return folder;
}

/** A stage is a gigabyte; one that nobody used for so long goes. Another tree may be building with an older one. */
const unusedMs = 3 * 24 * 3_600_000;

function removeUnused(name: string, kept: string): void {
  for (const entry of readdirSync(stagesFolder)) {
    const path = join(stagesFolder, entry);
    if (!entry.startsWith(`${name}-`) || path === kept) continue;
    const { mtimeMs } = statSync(existsSync(join(path, 'complete')) ? join(path, 'complete') : path);
    if (Date.now() - mtimeMs > unusedMs) rmSync(path, { recursive: true, force: true });
  }
}
