import { messageOf } from '../../base/errors.ts';
import type { LocalFiles, LocalStat } from '../../ports/local-files.ts';
import { nameProblem, type RemotePath } from '../remote-path.ts';

/** Something below a source, and where it goes. */
export interface FoundEntry {
  readonly localPath: string;
  readonly remotePath: RemotePath;
  readonly stat: LocalStat;
}

/** Something that is left out. */
export interface LeftOut {
  readonly localPath: string;
  readonly code: string;
  readonly message: string;
}

export type Found = { readonly entry: FoundEntry } | { readonly leftOut: LeftOut };

/**
 * Everything at and below `source`, directories before what is in them. What cannot be looked at, or has no place
 * in a pool (sockets, pipes, devices, names that are no Unicode), comes as left out.
 */
export async function* walk(
  files: LocalFiles,
  source: string,
  remoteRoot: RemotePath,
): AsyncGenerator<readonly Found[]> {
  const stat = await tryStat(files, source);
  if ('leftOut' in stat) {
    yield [stat];
    return;
  }
  const name = files.nameOf(source);
  const remotePath = name === '' ? remoteRoot : [...remoteRoot, name];
  const root = { localPath: source, remotePath, stat };
  const leftOut = refused(root);
  yield [leftOut ?? { entry: root }];
  if (stat.kind !== 'directory' || leftOut !== undefined) return;
  const directories: FoundEntry[] = [root];
  for (let directory = directories.pop(); directory !== undefined; directory = directories.pop()) {
    yield* walkDirectory(files, directory, directories);
  }
}

async function* walkDirectory(
  files: LocalFiles,
  directory: FoundEntry,
  found: FoundEntry[],
): AsyncGenerator<readonly Found[]> {
  try {
    for await (const batch of files.list(directory.localPath)) {
      const entries: Found[] = [];
      for (const { name, shownName, stat } of batch) {
        const localPath = files.join(directory.localPath, shownName);
        if (name === undefined || stat === undefined) {
          entries.push(unseen(localPath, name));
          continue;
        }
        const entry = { localPath, remotePath: [...directory.remotePath, name], stat };
        const leftOut = refused(entry);
        entries.push(leftOut ?? { entry });
        if (leftOut === undefined && stat.kind === 'directory') found.push(entry);
      }
      yield entries;
    }
  } catch (error) {
    yield [leftOutBy(directory.localPath, error)];
  }
}

async function tryStat(files: LocalFiles, path: string): Promise<LocalStat | { readonly leftOut: LeftOut }> {
  try {
    return await files.stat(path);
  } catch (error) {
    return leftOutBy(path, error);
  }
}

function refused(entry: FoundEntry): { readonly leftOut: LeftOut } | undefined {
  const problem = problemOf(entry);
  return problem === undefined ? undefined : { leftOut: { localPath: entry.localPath, ...problem } };
}

function problemOf({ remotePath, stat }: FoundEntry): { code: string; message: string } | undefined {
  if (stat.kind === 'other') {
    return { code: 'SOURCE_UNSUPPORTED', message: 'a socket, pipe or device has no contents to store' };
  }
  const name = remotePath[remotePath.length - 1];
  const problem = name === undefined ? undefined : nameProblem(name);
  return problem === undefined ? undefined : { code: 'PATH_INVALID', message: problem };
}

function unseen(localPath: string, name: string | undefined): { readonly leftOut: LeftOut } {
  return name === undefined
    ? { leftOut: { localPath, code: 'PATH_INVALID', message: 'a name that is not Unicode' } }
    : { leftOut: { localPath, code: 'LOCAL_NOT_FOUND', message: 'it is gone, or may not be looked at' } };
}

function leftOutBy(localPath: string, error: unknown): { readonly leftOut: LeftOut } {
  const { code } = error as { code?: string };
  return { leftOut: { localPath, code: code ?? 'LOCAL_UNREADABLE', message: messageOf(error) } };
}
