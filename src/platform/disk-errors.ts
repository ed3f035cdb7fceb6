import { AetherError } from '../base/errors.ts';
import type { DiskErrorCode } from '../ports/disk.ts';

const codes: Readonly<Record<string, DiskErrorCode>> = {
  ENOENT: 'DISK_NOT_FOUND',
  ENOTDIR: 'DISK_NOT_FOUND',
  EEXIST: 'DISK_EXISTS',
  ENOTEMPTY: 'DISK_EXISTS',
  ENOSPC: 'DISK_FULL',
  EDQUOT: 'DISK_FULL',
  EFBIG: 'DISK_FULL',
  EACCES: 'DISK_DENIED',
  EPERM: 'DISK_DENIED',
  EISDIR: 'DISK_DENIED',
  // A file system that met an error of its disk turns read-only.
  EROFS: 'DISK_IO',
  ENODEV: 'DISK_GONE',
  ENXIO: 'DISK_GONE',
  ESTALE: 'DISK_GONE',
  ESHUTDOWN: 'DISK_GONE',
};

const help: Readonly<Record<DiskErrorCode, string>> = {
  DISK_NOT_FOUND: 'Check that the path is right and that its disk is attached.',
  DISK_EXISTS: 'Choose another name, or remove what is there.',
  DISK_FULL: 'Free some space, or attach another disk.',
  DISK_DENIED: 'Check who owns the folder and what its permissions are.',
  DISK_GONE: 'Attach the disk again, then restart the box.',
  DISK_IO: 'The disk reports errors; replace it.',
  DISK_SILENT: 'Check the cable and the power of the disk.',
};

/** What the operating system or LMDB threw, as an error of a disk. The only place where their codes are read. */
export function diskError(cause: unknown, path: string): AetherError<DiskErrorCode> {
  if (cause instanceof AetherError) return cause as AetherError<DiskErrorCode>;
  return makeDiskError(codeOf(cause), path, cause);
}

export function makeDiskError(
  code: DiskErrorCode,
  path: string,
  cause?: unknown,
): AetherError<DiskErrorCode> {
  const reason = cause instanceof Error ? `: ${cause.message}` : '';
  return new AetherError(code, `${path}${reason === '' ? `: ${code}` : reason}`, {
    fields: { path },
    help: help[code],
    cause,
  });
}

function codeOf(cause: unknown): DiskErrorCode {
  const code = (cause as { code?: unknown } | undefined)?.code;
  if (typeof code === 'string') return codes[code] ?? 'DISK_IO';
  // LMDB gives the operating system's numbers, or its own below −30000: −30792 is MDB_MAP_FULL.
  if (code === 28 || code === -30792) return 'DISK_FULL';
  if (code === 2) return 'DISK_NOT_FOUND';
  if (code === 13) return 'DISK_DENIED';
  return 'DISK_IO';
}
