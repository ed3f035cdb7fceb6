import { utf8 } from '../base/bytes.ts';
import { nameBytesMax, pathBytesMax, pathDepthMax } from '../base/limits.ts';
import { filesError } from './files-error.ts';

/** A path in the pool, as the names from the root on; none is the root itself. */
export type RemotePath = readonly string[];

/**
 * The names of `/a/b`; one slash at the end is forgiven. Backslashes, colons and control characters are ordinary
 * characters of a name, as they are on Linux; a desktop that cannot have them says so when it writes them.
 * Errors: `PATH_INVALID` with fields `component` (index from 0, −1 for the path as a whole) and `reason`.
 */
export function parseRemotePath(text: string): RemotePath {
  if (!text.startsWith('/')) throw invalid('a remote path begins with /', -1);
  const inner = text.slice(1).replace(/\/$/, '');
  return inner === '' && text.length <= 2 && text !== '//' ? [] : checkNames(inner.split('/'));
}

export function formatRemotePath(path: RemotePath): string {
  return `/${path.join('/')}`;
}

/** The same names, when each may be in a tree and all together in a path. Errors: as {@link parseRemotePath}. */
export function checkNames(names: readonly string[]): RemotePath {
  if (names.length > pathDepthMax) throw invalid(`deeper than ${pathDepthMax} directories`, pathDepthMax);
  let pathBytes = 0;
  names.forEach((name, component) => {
    const problem = nameProblem(name);
    if (problem !== undefined) throw invalid(problem, component);
    pathBytes += 1 + utf8(name).length;
  });
  if (pathBytes > pathBytesMax) throw invalid(`longer than ${pathBytesMax} bytes`, -1);
  return names;
}

/** Why `name` cannot be a name in a tree; undefined when it can. */
export function nameProblem(name: string): string | undefined {
  if (name === '') return 'an empty name';
  if (name === '.' || name === '..') return `the name ${name}`;
  if (name.includes('\0')) return 'a name with a NUL in it';
  if (name.includes('/')) return 'a name with a / in it';
  if (!name.isWellFormed()) return 'a name that is not Unicode';
  if (name.length * 3 > nameBytesMax && utf8(name).length > nameBytesMax) {
    return `a name longer than ${nameBytesMax} bytes`;
  }
  return undefined;
}

/** What two names have in common that a desktop may take for one: normalised (NFC), case folded. */
export function foldName(name: string): string {
  // Upper case first, so that ß and SS, ς and σ fold alike, as in full case folding.
  return name.normalize('NFC').toUpperCase().toLowerCase().normalize('NFC');
}

function invalid(reason: string, component: number) {
  const where = component < 0 ? '' : ` (component ${component + 1})`;
  return filesError('PATH_INVALID', `${reason}${where}`, { fields: { component, reason } });
}
