import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Bytes, toHex, utf8 } from '../../base/bytes.ts';
import { type CborValue, encodeCbor } from '../../base/cbor.ts';
import { memberRecordsWaitingMax, membersMax } from '../../base/limits.ts';
import { poolIdOf } from '../authority.ts';
import { inDomain, privateKeyFromSeed, type Signer, signerOf } from '../p256.ts';
import { capacityUnitsMax, quantiseUnits } from './capacity.ts';
import { MemberSet } from './member-set.ts';
import { admit, declareCapacity, isMemberName } from './record.ts';

const signers = Array.from({ length: 12 }, (_, index) => signerNumbered(index));
const authority = signers[0]!;
const pool = poolIdOf(authority.publicKey);
const [box, other, desktop] = [signers[1]!, signers[2]!, signers[3]!];

function signerNumbered(index: number): Signer {
  const seed = new Uint8Array(48);
  new DataView(seed.buffer).setUint32(40, index);
  return signerOf(privateKeyFromSeed(seed));
}

const newSet = () => new MemberSet(pool, authority.publicKey);
const admitBox = (issuer: Signer, subject: Signer, name = 'box', atMs = 1000) =>
  admit(issuer, { pool, publicKey: subject.publicKey, role: 'box', name, atMs });
const codes = (set: MemberSet, ...records: Bytes[]) => set.add(records).refused.map(({ code }) => code);

/** What the set is, as far as anybody can see. */
const seen = (set: MemberSet) => ({
  members: set.members().map(({ memberId, name, capacityUnits }) => [toHex(memberId), name, capacityUnits]),
  records: set.records().map(toHex),
});

/** A record signed as one should be, with fields that no honest member writes. */
function recordOf(signer: Signer, fields: { [key: string]: CborValue }): Bytes {
  const base = { v: 1, kind: 'admit', pool, member: other.memberId, publicKey: other.publicKey };
  const rest = { role: 'box', name: 'odd', at: 5, issuer: signer.memberId };
  const signed = encodeCbor({ ...base, ...rest, ...fields });
  return encodeCbor([signed, signer.sign(inDomain(utf8('aetherstore member v1'), signed))]);
}

test('the authority admits a member, who admits the next', () => {
  const set = newSet();
  const { added } = set.add([admitBox(authority, box, 'first'), admitBox(box, other, 'second')]);
  assert.deepEqual(added.map(({ name }) => name).sort(), ['first', 'second']);
  assert.deepEqual(set.get(other.memberId)?.issuer, box.memberId);
  assert.equal(set.get(desktop.memberId), undefined);
});

test('boxes are told from desktops', () => {
  const set = newSet();
  const asDesktop = { pool, publicKey: desktop.publicKey, role: 'desktop', name: 'laptop', atMs: 1 } as const;
  set.add([admitBox(authority, box), admit(box, asDesktop)]);
  assert.equal(set.members().length, 2);
  assert.deepEqual(
    set.boxes().map(({ memberId }) => memberId),
    [box.memberId],
  );
});

test('a record waits for its issuer, and counts once that one is admitted', () => {
  const set = newSet();
  const records = [admitBox(signers[4]!, signers[5]!), admitBox(box, signers[4]!), admitBox(authority, box)];
  for (const record of records.slice(0, 2)) {
    assert.deepEqual(set.add([record]), { added: [], refused: [], changed: false });
  }
  assert.equal(set.add(records.slice(2)).added.length, 3);
});

test('a stranger’s record never counts, whatever it claims to be issued by', () => {
  const set = newSet();
  set.add([admitBox(authority, box)]);
  assert.deepEqual(codes(set, admitBox(other, other)), []);
  assert.deepEqual(codes(set, recordOf(other, { issuer: box.memberId })), ['MEMBER_SIGNATURE_INVALID']);
  assert.deepEqual(codes(set, recordOf(other, { issuer: authority.memberId })), ['MEMBER_SIGNATURE_INVALID']);
  assert.equal(set.members().length, 1);
});

test('two strangers who admit each other stay strangers', () => {
  const set = newSet();
  set.add([admitBox(other, desktop), admitBox(desktop, other), admitBox(other, other)]);
  assert.equal(set.members().length, 0);
  assert.equal(set.records().length, 0);
});

test('a record of a foreign pool is refused, even when its authority has our keys', () => {
  const foreign = admit(authority, {
    pool: new Uint8Array(16),
    publicKey: box.publicKey,
    role: 'box',
    name: 'b',
    atMs: 1,
  });
  assert.deepEqual(codes(newSet(), foreign), ['MEMBER_FOREIGN_POOL']);
});

test('a record of a later version or an unknown kind is refused as such', () => {
  const set = newSet();
  assert.deepEqual(codes(set, recordOf(authority, { v: 2 })), ['MEMBER_VERSION_UNKNOWN']);
  assert.deepEqual(codes(set, recordOf(authority, { kind: 'revoke' })), ['MEMBER_KIND_UNKNOWN']);
});

test('a malformed record is refused: other types, a key that is not the member’s, a name that no console can show', () => {
  const set = newSet();
  const wrong: { [key: string]: CborValue }[] = [
    { publicKey: desktop.publicKey },
    { publicKey: new Uint8Array(91) },
    { member: new Uint8Array(31) },
    { role: 'king' },
    { name: '\u001b[2J' },
    { name: '' },
    { name: 'x'.repeat(64) },
    { at: -1 },
    { at: 1.5 },
    { issuer: 'me' },
    { kind: 'capacity', units: 5 },
  ];
  for (const fields of wrong) {
    assert.deepEqual(
      codes(set, recordOf(authority, fields)),
      ['MEMBER_RECORD_INVALID'],
      JSON.stringify(fields),
    );
  }
  for (const bytes of [new Uint8Array(0), encodeCbor([1, 2]), encodeCbor([]), new Uint8Array(641)]) {
    assert.deepEqual(codes(set, bytes), ['MEMBER_RECORD_INVALID']);
  }
});

test('the newest of one issuer’s admissions names the member', () => {
  const set = newSet();
  set.add([admitBox(authority, box, 'new', 2000)]);
  set.add([admitBox(authority, box, 'old', 1000)]);
  assert.equal(set.get(box.memberId)?.name, 'new');
  assert.equal(set.records().length, 1);
});

test('re-admission in a circle does not cut the chain to the authority', () => {
  const records = [
    admitBox(authority, box, 'b', 1),
    admitBox(box, other, 'o', 2),
    admitBox(other, box, 'b2', 3),
  ];
  const set = newSet();
  set.add(records);
  const reloaded = newSet();
  assert.equal(reloaded.add(set.records()).refused.length, 0);
  assert.deepEqual(seen(reloaded), seen(set));
  assert.equal(reloaded.get(box.memberId)?.name, 'b2');
});

test('a box’s newest capacity counts, and only it can declare it', () => {
  const set = newSet();
  set.add([admitBox(authority, box), admitBox(authority, other)]);
  set.add([
    declareCapacity(box, { pool, units: 1900, atMs: 2 }),
    declareCapacity(box, { pool, units: 10, atMs: 1 }),
  ]);
  assert.equal(set.get(box.memberId)?.capacityUnits, 1536);
  const forged = recordOf(box, { kind: 'capacity', member: other.memberId, units: 64, at: 9 });
  assert.deepEqual(codes(set, forged), ['MEMBER_SIGNATURE_INVALID']);
  assert.equal(set.get(other.memberId)?.capacityUnits, 0);
});

test('a capacity that comes before its box waits for it', () => {
  const set = newSet();
  set.add([declareCapacity(box, { pool, units: 8, atMs: 2 })]);
  set.add([admitBox(authority, box)]);
  assert.equal(set.get(box.memberId)?.capacityUnits, 8);
});

test('capacities are rounded down to two significant binary digits', () => {
  const cases = [
    [0, 0], [0.9, 0], [1, 1], [2, 2], [3, 3], [4, 4], [5, 4], [6, 6], [7.9, 6], [1023, 768], [1024, 1024],
    [-3, 0], [Number.NaN, 0], [2 ** 60, capacityUnitsMax],
  ] as const; // biome-ignore format: pairs
  for (const [units, quantised] of cases) assert.equal(quantiseUnits(units), quantised, String(units));
  fc.assert(
    fc.property(fc.nat(2 ** 31 - 1), (units) => {
      const quantised = quantiseUnits(units);
      assert.ok(quantised <= units && units < quantised * 1.5 + 1);
      assert.equal(quantiseUnits(quantised), quantised);
    }),
  );
});

test('a name is 1 to 63 bytes that show as themselves', () => {
  for (const name of ['Wohnzimmer', '書斎', 'x'.repeat(63), "Anna's box"])
    assert.ok(isMemberName(name), name);
  for (const name of ['', 'a\nb', '\u202egpj', 'ü'.repeat(32), '\u009b', '\u2028'])
    assert.ok(!isMemberName(name));
});

test('what waits is bounded', () => {
  const set = newSet();
  const waiting = Array.from({ length: memberRecordsWaitingMax + 5 }, (_, at) =>
    admitBox(box, other, 'w', at),
  );
  assert.deepEqual(codes(set, ...waiting), Array(5).fill('MEMBER_ISSUER_UNKNOWN'));
  assert.deepEqual(codes(set, admitBox(desktop, other)), ['MEMBER_ISSUER_UNKNOWN']);
  assert.equal(set.add([admitBox(authority, box)]).added.length, 2);
});

test('one batch may hold a whole pool in reverse order, however many wait within it', () => {
  const chain = Array.from({ length: 40 }, (_, index) => signerNumbered(100 + index));
  const records = chain.map((member, index) => admitBox(index === 0 ? authority : chain[index - 1]!, member));
  assert.equal(newSet().add(records.reverse()).added.length, 40);
});

test('a pool holds as many members as the limit says', () => {
  const set = newSet();
  const records = Array.from({ length: membersMax + 1 }, (_, index) =>
    admitBox(authority, signerNumbered(500 + index)),
  );
  assert.deepEqual(codes(set, ...records), ['MEMBER_LIMIT']);
  assert.equal(set.members().length, membersMax);
});

test('any order and any repetition of the records gives the same set, and a forged one is never admitted', () => {
  const arbitraryRecord = fc.record({
    issuer: fc.nat(7),
    subject: fc.integer({ min: 1, max: 7 }),
    at: fc.nat(3),
    name: fc.constantFrom('a', 'b'),
    kind: fc.constantFrom('admit', 'admit', 'admit', 'capacity', 'forged'),
  });
  const build = ({ issuer, subject, at, name, kind }: Spec) => {
    const [by, about] = [signers[issuer]!, signers[subject]!];
    if (kind === 'capacity') return declareCapacity(about, { pool, units: at * 8 + subject, atMs: at });
    if (kind === 'admit') return admitBox(by, about, name, at);
    // The mallory of this story is never admitted by anybody.
    const mallory = signers[11]!;
    const fields = { member: mallory.memberId, publicKey: mallory.publicKey, issuer: by.memberId };
    return recordOf(mallory, fields);
  };
  const property = fc.property(
    fc.array(arbitraryRecord, { maxLength: 16 }),
    fc.infiniteStream(fc.nat(1000)),
    (specs, draws) => {
      const records = specs.map(build);
      const whole = newSet();
      whole.add(records);
      const shuffled = [...records, ...records.slice(0, 5)]
        .map((record) => ({ record, key: draws.next().value as number }))
        .sort((a, b) => a.key - b.key)
        .map(({ record }) => record);
      const piecemeal = newSet();
      for (const record of shuffled) piecemeal.add([record]);
      assert.deepEqual(seen(piecemeal), seen(whole));
      const reloaded = newSet();
      reloaded.add(whole.records());
      assert.deepEqual(seen(reloaded), seen(whole));
      assert.equal(whole.get(signers[11]!.memberId), undefined);
    },
  );
  fc.assert(property, { numRuns: 80 });
});

test('arbitrary bytes are refused by code', () => {
  const set = newSet();
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
      assert.equal(set.add([bytes]).refused.length, 1);
    }),
  );
});

interface Spec {
  readonly issuer: number;
  readonly subject: number;
  readonly at: number;
  readonly name: string;
  readonly kind: string;
}
