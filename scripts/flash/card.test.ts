import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Card, formatSize, refusalOf, type Wish } from './card.ts';
import { describeCard, isConfirmed, question } from './confirm.ts';

const card: Card = {
  path: '/dev/sdb',
  kind: 'disk',
  model: 'SanDisk Ultra',
  sizeBytes: 32e9,
  sectorBytes: 512,
  bus: 'usb',
  isRemovable: true,
  isReadOnly: false,
  isSystem: false,
  isInternal: false,
  uses: [],
  mounts: [],
  zeroesItself: false,
};
const wish: Wish = { imageBytes: 3e9, force: false, toFile: false, asks: true };

function codeOf(change: Partial<Card>, wished: Partial<Wish> = {}): string | undefined {
  const refusal = refusalOf({ ...card, ...change }, { ...wish, ...wished });
  if (refusal !== undefined) assert.notEqual(refusal.help, '');
  return refusal?.code;
}

test('a card that nobody uses is taken', () => {
  assert.equal(codeOf({}), undefined);
  assert.equal(codeOf({ sizeBytes: 3e9 }), undefined);
});

test('what is no whole disk is refused, each with a word of its own', () => {
  assert.equal(codeOf({ kind: 'partition' }), 'CARD_IS_PARTITION');
  assert.equal(codeOf({ kind: 'other' }), 'CARD_NOT_A_DISK');
  assert.equal(codeOf({ kind: 'file' }), 'CARD_IS_FILE');
  assert.equal(codeOf({ kind: 'file' }, { force: true }), 'CARD_IS_FILE');
});

test('a file is taken with --to-file, whatever its length, and then a disk is not', () => {
  assert.equal(codeOf({ kind: 'file', sizeBytes: 0 }, { toFile: true }), undefined);
  assert.equal(codeOf({}, { toFile: true }), 'CARD_NOT_A_DISK');
});

test('the disk of this computer is never taken, nor one that is in use', () => {
  assert.equal(codeOf({ isSystem: true }, { force: true }), 'CARD_IS_SYSTEM');
  assert.equal(codeOf({ isInternal: true }, { force: true }), 'CARD_IS_INTERNAL');
  assert.equal(codeOf({ uses: ['is swapped to'] }, { force: true }), 'CARD_IN_USE');
  const refusal = refusalOf(
    { ...card, uses: ['is mounted on /media/you/BOOT', 'is part of vg-photos'] },
    wish,
  );
  assert.equal(refusal?.message, '/dev/sdb is in use: it is mounted on /media/you/BOOT, and 1 more');
});

test('a disk that is not removable is erased when a person has seen which it is, or says that it is meant', () => {
  const fixed = { isRemovable: false, bus: 'sata' };
  assert.equal(codeOf(fixed), undefined);
  assert.equal(codeOf(fixed, { asks: false }), 'CARD_IS_FIXED');
  assert.equal(codeOf(fixed, { asks: false, force: true }), undefined);
  assert.equal(codeOf({ isRemovable: false, bus: 'virtual' }, { asks: false }), undefined);
  assert.equal(
    codeOf({ kind: 'file', isRemovable: false, bus: null }, { toFile: true, asks: false }),
    undefined,
  );
});

test('what the system mounted by itself is named to whoever is asked, and refused where nobody is', () => {
  const mounted = { mounts: ['/Volumes/Time Machine'] };
  assert.equal(codeOf(mounted), undefined);
  assert.equal(codeOf(mounted, { asks: false, force: true }), 'CARD_IN_USE');
  assert.match(question({ ...card, ...mounted }), /^It is mounted on \/Volumes\/Time Machine/m);
});

test('too small, too large, locked, empty and of other sectors are refused; --force takes the large one', () => {
  assert.equal(codeOf({ sizeBytes: 3e9 - 512 }), 'CARD_TOO_SMALL');
  assert.equal(codeOf({ sizeBytes: 4e12 }), 'CARD_TOO_LARGE');
  assert.equal(codeOf({ sizeBytes: 4e12 }, { force: true }), undefined);
  assert.equal(codeOf({ sizeBytes: 2e12 }), undefined);
  assert.equal(codeOf({ isReadOnly: true }), 'CARD_READ_ONLY');
  assert.equal(codeOf({ sizeBytes: 0 }), 'CARD_EMPTY');
  assert.equal(codeOf({ sectorBytes: 4096 }), 'CARD_SECTORS');
});

test('sizes are told as they stand on a card', () => {
  assert.equal(formatSize(134_217_728), '134.2 MB');
  assert.equal(formatSize(31_914_983_424), '31.9 GB');
  assert.equal(formatSize(4_000_787_030_016), '4.0 TB');
});

test('the question names the card, and only its name is a yes', () => {
  assert.equal(
    question(card),
    'This erases everything on: SanDisk Ultra, 32.0 GB, /dev/sdb\nType sdb to go on: ',
  );
  for (const answer of ['sdb', ' sdb\n', '/dev/sdb']) assert.ok(isConfirmed(card, answer), answer);
  for (const answer of [undefined, '', 'y', 'yes', 'sd', 'sdb1', 'sdc'])
    assert.ok(!isConfirmed(card, answer));
});

test('a model with control characters cannot redraw the question', () => {
  assert.equal(describeCard({ ...card, model: 'A\x1b[2JB' }), 'A\ufffd[2JB, 32.0 GB, /dev/sdb');
  assert.equal(describeCard({ ...card, model: null }), '32.0 GB, /dev/sdb');
});
