import assert from 'node:assert/strict';
import { test } from 'node:test';
import { authorityFromWords, newRecoveryWords, savePoolSecrets } from '../pool/authority.ts';
import { MemoryDisk } from '../testing/memory-disk.ts';
import { SeededEntropy } from '../testing/seeded-entropy.ts';
import { Output } from './output.ts';
import {
  forgetUnshownWords,
  keepUnshownWords,
  showUnshownWords,
  unshownWordsPath,
} from './recovery-words.ts';

function fixture(columns: number | undefined) {
  const entropy = new SeededEntropy(12);
  const disk = new MemoryDisk({ entropy });
  const words = newRecoveryWords(entropy);
  const { secrets } = authorityFromWords(words);
  const said = { out: '', error: '', taken: true };
  const output = new Output(
    {
      out: async (text) => {
        said.out += text;
        return true;
      },
      error: async (text) => {
        said.error += text;
        return said.taken;
      },
      outColumns: undefined,
      errorColumns: columns,
      ask: async () => undefined,
    },
    false,
  );
  const left = { pool: secrets.pool, box: 'aether-3f2a', words };
  return { disk, words, secrets, left, said, output };
}

test('words that a killed claim left are shown by the next command, once, apart from its result', async () => {
  const { disk, words, secrets, left, said, output } = fixture(80);
  await keepUnshownWords(disk, left);
  await savePoolSecrets(disk, secrets);
  await showUnshownWords(disk, output);
  for (const word of words.split(' ')) assert.ok(said.error.includes(` ${word}`), word);
  assert.match(said.error, /aether claim aether-3f2a/);
  assert.equal(said.out, '');
  assert.ok(!disk.paths().includes(unshownWordsPath));
  said.error = '';
  await showUnshownWords(disk, output);
  assert.equal(said.error, '');
});

test('where nobody looks they wait', async () => {
  const { disk, secrets, left, said, output } = fixture(undefined);
  await keepUnshownWords(disk, left);
  await savePoolSecrets(disk, secrets);
  await showUnshownWords(disk, output);
  assert.equal(said.error, '');
  assert.ok(disk.paths().includes(unshownWordsPath));
});

test('words that could not be written wait on', async () => {
  const { disk, secrets, left, said, output } = fixture(80);
  await keepUnshownWords(disk, left);
  await savePoolSecrets(disk, secrets);
  said.taken = false;
  await showUnshownWords(disk, output);
  assert.ok(disk.paths().includes(unshownWordsPath));
});

test('words of a pool that came to nothing are not shown', async () => {
  const { disk, left, said, output } = fixture(80);
  await keepUnshownWords(disk, left);
  await showUnshownWords(disk, output);
  assert.equal(said.error, '');
  assert.deepEqual(disk.paths(), []);
});

test('there is nothing to forget where nothing was kept', async () => {
  const { disk, said, output } = fixture(80);
  await forgetUnshownWords(disk);
  await showUnshownWords(disk, output);
  assert.equal(said.error, '');
});
