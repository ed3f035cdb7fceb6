import assert from 'node:assert/strict';
import { test } from 'node:test';
import { toHex, utf8 } from '../base/bytes.ts';
import { CborFields, encodeCbor } from '../base/cbor.ts';
import { replaceFile } from '../ports/replace-file.ts';
import { MemoryDisk } from '../testing/memory-disk.ts';
import { SeededEntropy } from '../testing/seeded-entropy.ts';
import {
  authorityFromWords,
  chunkKeySecretOf,
  gearTableOf,
  groupKeyOf,
  loadPoolSecrets,
  metadataKeyOf,
  nameKeyOf,
  newRecoveryWords,
  poolSecretsFromCbor,
  poolSecretsPath,
  poolSecretsToCbor,
  savePoolSecrets,
} from './authority.ts';
import { memberIdOf, verifySignature } from './p256.ts';

/** The words of 32 zero bytes (BIP-39's own test vector). */
const zeroWords = `${'abandon '.repeat(23)}art`;

test('words give the same pool every time, and other words another', () => {
  const words = newRecoveryWords(new SeededEntropy(7));
  assert.equal(words.split(' ').length, 24);
  const [first, second] = [authorityFromWords(words), authorityFromWords(words)];
  assert.deepEqual(first.secrets, second.secrets);
  assert.ok(verifySignature(first.signer.publicKey, utf8('x'), second.signer.sign(utf8('x'))));
  const other = authorityFromWords(newRecoveryWords(new SeededEntropy(8)));
  assert.notDeepEqual(other.secrets.pool, first.secrets.pool);
});

test('derived keys never change: what is stored under them must stay readable', () => {
  const { secrets } = authorityFromWords(zeroWords);
  assert.deepEqual(secrets.pool, memberIdOf(secrets.authorityPublicKey).slice(0, 16));
  const start = (bytes: Uint8Array) => toHex(bytes).slice(0, 16);
  assert.deepEqual(
    [
      start(secrets.pool),
      start(secrets.dedupeSecret),
      start(secrets.epochSecret),
      start(chunkKeySecretOf(secrets)),
      start(metadataKeyOf(secrets)),
      start(nameKeyOf(secrets)),
      start(groupKeyOf(secrets)),
      gearTableOf(secrets)[0]!.toString(16),
      gearTableOf(secrets)[255]!.toString(16),
    ],
    [
      '9be75df4b018a8e2',
      'fbdeac53a0e8110d',
      '19d3ffdb59141ec0',
      '88e4b51ba1617f3b',
      '0d51fad6bf32692f',
      'd3fa9346c554e919',
      '63ae56bc8b343694',
      'b340ef43',
      '5c817ca6',
    ],
  );
});

test('case and spacing of the words do not matter', () => {
  const { secrets } = authorityFromWords(zeroWords);
  const shouted = `  ${zeroWords.toUpperCase().replaceAll(' ', '\n ')} `;
  assert.deepEqual(authorityFromWords(shouted).secrets, secrets);
});

test('a word that is on no list is named by its position, never by itself', () => {
  const words = zeroWords.split(' ');
  words[4] = 'secretword';
  const wrong = () => authorityFromWords(words.join(' '));
  assert.throws(wrong, { code: 'RECOVERY_WORDS_INVALID', fields: { position: 5 } });
  assert.throws(wrong, (error: Error) => !JSON.stringify([error.message, error]).includes('secretword'));
});

test('a wrong checksum and a wrong number of words are refused', () => {
  const words = zeroWords.replace('art', 'zoo');
  assert.throws(() => authorityFromWords(words), { code: 'RECOVERY_WORDS_INVALID', fields: {} });
  assert.throws(
    () => authorityFromWords(words),
    (error: Error) => error.cause === undefined,
  );
  const few = { code: 'RECOVERY_WORDS_INVALID', fields: { count: 2 } };
  assert.throws(() => authorityFromWords('abandon art'), few);
  assert.throws(() => authorityFromWords(''), { code: 'RECOVERY_WORDS_INVALID', fields: { count: 0 } });
});

test('secrets in the state folder survive a power cut', async () => {
  const disk = new MemoryDisk({ entropy: new SeededEntropy(3) });
  assert.equal(await loadPoolSecrets(disk), undefined);
  const { secrets } = authorityFromWords(zeroWords);
  await savePoolSecrets(disk, secrets);
  disk.crash();
  assert.deepEqual(await loadPoolSecrets(disk), secrets);
});

test('damaged secrets, or a pool id that is not the key’s, are refused', async () => {
  const disk = new MemoryDisk({ entropy: new SeededEntropy(3) });
  const { secrets } = authorityFromWords(zeroWords);
  for (const [bytes, code] of [
    [utf8('rubbish'), 'POOL_SECRETS_CORRUPT'],
    [encodeCbor({ v: 2 }), 'POOL_SECRETS_VERSION_UNKNOWN'],
    [encodeCbor({ v: 1, ...poolSecretsToCbor(secrets), pool: new Uint8Array(16) }), 'POOL_SECRETS_CORRUPT'],
    [encodeCbor({ v: 1, ...poolSecretsToCbor(secrets), dedupe: new Uint8Array(31) }), 'POOL_SECRETS_CORRUPT'],
  ] as const) {
    await replaceFile(disk, poolSecretsPath, bytes);
    await assert.rejects(loadPoolSecrets(disk), { code });
  }
  const fields = new CborFields({ ...poolSecretsToCbor(secrets), authority: new Uint8Array(91) });
  assert.throws(() => poolSecretsFromCbor(fields), { code: 'POOL_SECRETS_CORRUPT' });
});
