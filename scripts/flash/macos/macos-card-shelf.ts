import { execFile } from 'node:child_process';
import { statSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { basename } from 'node:path';
import { promisify } from 'node:util';
import type { Card, CardShelf, OpenCard } from '../card.ts';
import { cardError, flashError } from '../errors.ts';
import { fileCard, OpenFile, openFileCard } from '../file-card.ts';
import { type ListedDisk, listedDisks, macosCard } from './macos-cards.ts';

const run = promisify(execFile);

/** The disks of macOS, by diskutil. */
export class MacosCardShelf implements CardShelf {
  async cards(): Promise<readonly Card[]> {
    const disks = await allDisks();
    const cards: Card[] = [];
    for (const { name } of disks) cards.push(macosCard(await diskutil('info', '-plist', name), disks));
    return cards.filter(({ kind, sizeBytes }) => kind === 'disk' && sizeBytes > 0);
  }

  async find(path: string): Promise<Card> {
    let stats: ReturnType<typeof statSync>;
    try {
      stats = statSync(path);
    } catch (cause) {
      return fileCard(path, undefined, cause);
    }
    if (!stats.isBlockDevice() && !stats.isCharacterDevice()) return fileCard(path, stats);
    // rdisk4 is disk4, without the computer's memory between.
    const name = basename(path).replace(/^r(?=disk)/, '');
    return macosCard(await diskutil('info', '-plist', name), await allDisks());
  }

  async open(card: Card): Promise<OpenCard> {
    if (card.kind === 'file') return openFileCard(card.path);
    try {
      await diskutil('unmountDisk', card.path);
    } catch (cause) {
      const help = 'Close what uses it, then try again.';
      throw flashError('CARD_IN_USE', `macOS does not let go of ${card.path}`, help, cause);
    }
    const raw = card.path.replace('/dev/disk', '/dev/rdisk');
    try {
      const handle = await open(raw, 'r+');
      return new RawDisk(raw, handle, handle, true);
    } catch (cause) {
      throw cardError(cause, raw);
    }
  }
}

/** A raw disk has nothing to flush: some kernels say so when asked. */
class RawDisk extends OpenFile {
  override async zero(): Promise<boolean> {
    return false;
  }

  override async flush(): Promise<void> {
    try {
      await super.flush();
    } catch (error) {
      const code = ((error as Error).cause as { code?: unknown } | undefined)?.code;
      if (!['ENOTTY', 'EINVAL', 'ENOTSUP'].includes(String(code))) throw error;
    }
  }
}

async function allDisks(): Promise<readonly ListedDisk[]> {
  return listedDisks(await diskutil('list', '-plist'));
}

async function diskutil(...words: readonly string[]): Promise<string> {
  const { stdout } = await run('diskutil', [...words], { maxBuffer: 16 * 1024 * 1024 });
  return stdout;
}
