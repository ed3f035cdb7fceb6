import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
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
  /** Whether it is made anew though it is there: what it is made of may be newer now. */
  readonly fresh?: boolean | undefined;
}

/** The folder of a stage, made when it is not there yet. A stage that was interrupted is made anew. */
export function stageFolder({ name, recipe, make, fresh }: Stage, say: (line: string) => void): string {
  const key = createHash('sha256')
    .update(JSON.stringify([suite, recipe, ...mirrorsAsked()]))
    .digest('hex')
    .slice(0, 12);
  const folder = join(stagesFolder, `${name}-${key}`);
  const complete = join(folder, 'complete');
  if (fresh !== true && existsSync(complete)) {
    utimesSync(complete, new Date(), new Date());
    return folder;
  }
  const startMs = performance.now();
  say(`${name}: made once, some minutes`);
  const making = `${folder}.${process.pid}`;
  mkdirSync(making, { recursive: true });
  try {
    make(making);
    writeFileSync(join(making, 'complete'), new Date().toISOString());
    // Another build may have made it meanwhile, and be working with it.
    if (fresh === true || !existsSync(complete)) {
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

/** The day on which a stage was made, as 2026-11-30; undefined: it is not known any more. */
export function dayOf(folder: string): string | undefined {
  return /^\d{4}-\d\d-\d\d/.exec(readFileSync(join(folder, 'complete'), 'utf8'))?.[0];
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
