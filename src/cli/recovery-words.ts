import { type Bytes, equalBytes } from '../base/bytes.ts';
import { CborFields, encodeCbor } from '../base/cbor.ts';
import { AetherError, hasCode } from '../base/errors.ts';
import { printable } from '../base/format.ts';
import { stateFileBytesMax } from '../base/limits.ts';
import { loadPoolSecrets } from '../pool/authority.ts';
import type { Disk } from '../ports/disk.ts';
import { readFile, replaceFile } from '../ports/replace-file.ts';
import type { Output } from './output.ts';

/** Where the recovery words wait from before a box can hear of their pool until somebody was shown them. */
export const unshownWordsPath = 'recovery-words.cbor';

export interface UnshownWords {
  readonly pool: Bytes;
  /** The box that was being claimed. */
  readonly box: string;
  readonly words: string;
}

/** Durable on return, for this person only. */
export async function keepUnshownWords(disk: Disk, { pool, box, words }: UnshownWords): Promise<void> {
  await replaceFile(disk, unshownWordsPath, encodeCbor({ v: 1, pool, box, words }));
}

/** To be called when they were shown, or are the words of nothing. */
export async function forgetUnshownWords(disk: Disk): Promise<void> {
  try {
    await disk.remove(unshownWordsPath);
    await disk.syncDirectory('');
  } catch (error) {
    if (!hasCode(error, 'DISK_NOT_FOUND')) throw error;
  }
}

/**
 * Shows the words that a claim left behind because it was killed or could not write them, and forgets them. Where
 * nobody looks (standard error is no terminal) they wait on. Words of a pool that this desktop did not get to enter are of no use.
 */
export async function showUnshownWords(disk: Disk, output: Output): Promise<void> {
  const left = await load(disk);
  if (left === undefined) return;
  const secrets = await loadPoolSecrets(disk);
  if (secrets !== undefined && equalBytes(secrets.pool, left.pool)) {
    if (output.progressColumns === undefined) return;
    const written = await output.note(
      [
        `An earlier \`aether claim ${printable(left.box)}\` ended before it could show the recovery words of your pool.`,
        'They are shown this once and kept nowhere: write them down on paper, in this order.',
        '',
        ...wordLines(left.words),
        '',
      ].join('\n'),
    );
    if (!written) return;
  }
  await forgetUnshownWords(disk);
}

/** 24 words, numbered, in four columns. */
export function wordLines(words: string): readonly string[] {
  const numbered = words
    .split(' ')
    .map((word, index) => `${String(index + 1).padStart(2)} ${word.padEnd(10)}`);
  const rows: string[] = [];
  for (let row = 0; row < 6; row++) {
    rows.push(`  ${[0, 6, 12, 18].map((start) => numbered[start + row] ?? '').join('')}`.trimEnd());
  }
  return rows;
}

async function load(disk: Disk): Promise<UnshownWords | undefined> {
  const bytes = await readFile(disk, unshownWordsPath, stateFileBytesMax);
  if (bytes === undefined) return undefined;
  try {
    const fields = CborFields.decode(bytes);
    if (fields.count('v') !== 1) throw new AetherError('VERSION_UNKNOWN', 'a later version');
    return { pool: fields.bytes('pool', 16), box: fields.text('box'), words: fields.text('words') };
  } catch (cause) {
    throw new AetherError(
      'RECOVERY_WORDS_UNREADABLE',
      `${unshownWordsPath} is damaged or of a later version`,
      {
        help: 'Update this program, or move that file out of the folder of this desktop.',
        cause,
      },
    );
  }
}
