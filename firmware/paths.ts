import { statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** The project's folder. */
export const root: string = fileURLToPath(new URL('..', import.meta.url)).replace(/\/$/, '');

/** The file that was written last. */
export function newestOf(files: readonly string[]): string | undefined {
  const [newest] = files
    .map((path) => ({ path, madeMs: statSync(path).mtimeMs }))
    .toSorted((one, other) => other.madeMs - one.madeMs);
  return newest?.path;
}
