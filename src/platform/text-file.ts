import { open } from 'node:fs/promises';
import { localError, makeLocalError } from './local-errors.ts';

/**
 * All of a small text file that a person named: a password, a certificate. Errors: those of `LocalFilesErrorCode`;
 * `LOCAL_UNREADABLE` too when it has more than `bytesMax` bytes.
 */
export async function readTextFile(path: string, bytesMax: number): Promise<string> {
  const file = await open(path, 'r').catch((error: unknown) => {
    throw localError(error, path);
  });
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(bytesMax + 1), 0, bytesMax + 1, 0);
    if (bytesRead > bytesMax) throw makeLocalError('LOCAL_UNREADABLE', path, new Error('it is too large'));
    return buffer.toString('utf8', 0, bytesRead);
  } catch (error) {
    throw localError(error, path);
  } finally {
    await file.close();
  }
}
