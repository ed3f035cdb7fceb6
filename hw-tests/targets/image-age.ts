import { globSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { newestOf, root } from '../../firmware/paths.ts';

/** What an image is made of, in this tree. */
const sources = ['src', 'board', 'overlays', 'firmware/*'].map((folder) => `${folder}/**/*.*`);

/** Which image is about to be tested, as a sentence; and that it is older than this tree, where it is. */
export function describeImage(folder: string): string {
  const image = newestOf(globSync('*.img', { cwd: folder }).map((name) => join(folder, name)));
  if (image === undefined) return `There is no image in ${folder}.`;
  const made = statSync(image).mtimeMs;
  const files = globSync(sources, { cwd: root }).filter(
    (path) => !path.endsWith('.test.ts') && !path.startsWith('src/testing/'),
  );
  const newer = newestOf(files.map((path) => join(root, path)));
  const old =
    newer !== undefined && statSync(newer).mtimeMs > made
      ? ` It is older than ${newer.slice(root.length + 1)}: npm run image makes it anew.`
      : '';
  return `Tested is ${image}, made at ${new Date(made).toISOString().slice(0, 16).replace('T', ' ')} UTC.${old}`;
}
