import { type Bytes, fromHex, toHex } from '../../base/bytes.ts';

/** One packet that fuzzing starts from, and where it comes from in a word or two. */
export interface CorpusEntry {
  readonly name: string;
  readonly bytes: Bytes;
}

/** Reads lines of `name hex`; empty lines and those that begin with `#` are for people. */
export function parseCorpus(text: string): readonly CorpusEntry[] {
  return text.split('\n').flatMap((line, index) => {
    if (line.trim() === '' || line.startsWith('#')) return [];
    const [name = '', hex = '', ...rest] = line.trim().split(/ +/);
    const bytes = fromHex(hex);
    if (bytes === undefined || rest.length > 0)
      throw new Error(`line ${index + 1}: expected a name and hexadecimal digits`);
    return [{ name, bytes }];
  });
}

/** What {@link parseCorpus} reads. */
export function formatCorpus(remarks: readonly string[], entries: readonly CorpusEntry[]): string {
  const head = remarks.map((remark) => `# ${remark}\n`).join('');
  return head + entries.map(({ name, bytes }) => `${name} ${toHex(bytes)}\n`).join('');
}
