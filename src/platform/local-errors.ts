import { AetherError } from '../base/errors.ts';
import type { LocalFilesErrorCode } from '../ports/local-files.ts';

const codes: Readonly<Record<string, LocalFilesErrorCode>> = {
  ENOENT: 'LOCAL_NOT_FOUND',
  ENOTDIR: 'LOCAL_NOT_FOUND',
  EEXIST: 'LOCAL_EXISTS',
  EISDIR: 'LOCAL_EXISTS',
  ENOTEMPTY: 'LOCAL_EXISTS',
  EACCES: 'LOCAL_DENIED',
  EPERM: 'LOCAL_DENIED',
  EROFS: 'LOCAL_DENIED',
  ENOSPC: 'LOCAL_FULL',
  EDQUOT: 'LOCAL_FULL',
  EFBIG: 'LOCAL_FULL',
  ENAMETOOLONG: 'LOCAL_NAME_INVALID',
  EILSEQ: 'LOCAL_NAME_INVALID',
  EINVAL: 'LOCAL_NAME_INVALID',
};

const messages: Readonly<Record<LocalFilesErrorCode, string>> = {
  LOCAL_NOT_FOUND: 'no such file or folder',
  LOCAL_EXISTS: 'something else has this name',
  LOCAL_DENIED: 'permission denied',
  LOCAL_UNREADABLE: 'it cannot be read or written',
  LOCAL_FULL: 'no space is left',
  LOCAL_NAME_INVALID: 'this name is not possible here',
};

const help: Readonly<Record<LocalFilesErrorCode, string>> = {
  LOCAL_NOT_FOUND: 'Check the path.',
  LOCAL_EXISTS: 'Move what is there out of the way, or choose another destination.',
  LOCAL_DENIED: 'Check who owns it and what its permissions are.',
  LOCAL_UNREADABLE: 'Check the disk that it is on.',
  LOCAL_FULL: 'Free some space, or choose another destination.',
  LOCAL_NAME_INVALID: 'Rename it, or fetch it on another operating system.',
};

/** What the operating system threw, as an error of the person's files; the path is a field, not in the message. */
export function localError(cause: unknown, path: string): AetherError<LocalFilesErrorCode> {
  if (cause instanceof AetherError) return cause as AetherError<LocalFilesErrorCode>;
  const system = (cause as { code?: unknown } | undefined)?.code;
  const code = (typeof system === 'string' ? codes[system] : undefined) ?? 'LOCAL_UNREADABLE';
  return makeLocalError(code, path, cause);
}

export function makeLocalError(
  code: LocalFilesErrorCode,
  path: string,
  cause?: unknown,
): AetherError<LocalFilesErrorCode> {
  // The system's words help nobody, but for errors that we have none for.
  const reason = code === 'LOCAL_UNREADABLE' && cause instanceof Error ? ` (${cause.message})` : '';
  return new AetherError(code, `${messages[code]}${reason}`, { fields: { path }, help: help[code], cause });
}
