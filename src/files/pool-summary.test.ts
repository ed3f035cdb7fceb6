import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { fromHex } from '../base/bytes.ts';
import { decodePoolSummary, encodePoolSummary, lacksRecords, membersDiffer } from './pool-summary.ts';

const digest = (byte: number) => new Uint8Array(32).fill(byte);
const author = (number: number) => number.toString(16).padStart(64, '0').split('').reverse().join('');
const [own, other] = [author(1), author(2)];
const roomy = { first: own, turn: 0, bytesMax: 1000 };

function said(logs: readonly (readonly [string, number])[], byte = 7) {
  return decodePoolSummary(encodePoolSummary({ members: digest(byte), logs: new Map(logs) }, roomy))!;
}

test('the layout: eight bytes of the digest, then author and number, the own one first', () => {
  const logs = new Map([
    [author(2), 2 ** 40],
    [own, 258],
  ]);
  const bytes = encodePoolSummary({ members: digest(0xab), logs }, roomy);
  assert.deepEqual(
    bytes,
    fromHex('abababababababab' + '1000000000000000' + '000000000102' + '2000000000000000' + '010000000000'),
  );
});

test('a box lacks records when the other has more of any author, known or not', () => {
  const ours = { members: digest(7), logs: new Map([[own, 5]]) };
  assert.equal(lacksRecords(ours, said([[own, 5]])), false);
  assert.equal(lacksRecords(ours, said([[own, 4]])), false);
  assert.equal(lacksRecords(ours, said([[own, 6]])), true);
  assert.equal(lacksRecords(ours, said([[other, 1]])), true);
  assert.equal(membersDiffer(ours, said([], 7)), false);
  assert.equal(membersDiffer(ours, said([], 8)), true);
});

test('of more authors than fit, the own one is said each time and every other one in its turn', () => {
  const logs = new Map(Array.from({ length: 50 }, (_, number) => [author(number + 1), number + 1] as const));
  const heard = new Map<string, number>();
  for (let turn = 0; turn < 6; turn++) {
    const bytes = encodePoolSummary({ members: digest(1), logs }, { first: own, turn, bytesMax: 150 });
    assert.ok(bytes.length <= 150);
    const { logs: part } = decodePoolSummary(bytes)!;
    assert.equal(part.get(own.slice(0, 16)), 1);
    for (const [name, count] of part) heard.set(name, count);
  }
  assert.equal(heard.size, 50);
});

test('any bytes are a summary or none', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
      const heard = decodePoolSummary(bytes);
      assert.equal(heard === undefined, bytes.length < 8 || (bytes.length - 8) % 14 !== 0);
    }),
  );
});
