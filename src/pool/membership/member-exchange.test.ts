import assert from 'node:assert/strict';
import { test } from 'node:test';
import { silentLog } from '../../base/log.ts';
import { FakeClock } from '../../testing/fake-clock.ts';
import { MemoryDisk } from '../../testing/memory-disk.ts';
import { SeededEntropy } from '../../testing/seeded-entropy.ts';
import { authorityFromWords, newRecoveryWords } from '../authority.ts';
import { createIdentity } from '../identity.ts';
import { MemberExchange } from './member-exchange.ts';
import { admit } from './record.ts';
import { Roster } from './roster.ts';

const entropy = new SeededEntropy(5);
const clock = new FakeClock();
const authority = authorityFromWords(newRecoveryWords(entropy));

async function rosterWith(names: readonly string[]): Promise<Roster> {
  const { pool, authorityPublicKey } = authority.secrets;
  const disk = new MemoryDisk({ entropy });
  const roster = await Roster.open({ disk, pool, authorityPublicKey }, { log: silentLog });
  for (const name of names) {
    const { publicKey } = await createIdentity(clock, entropy);
    await roster.add([admit(authority.signer, { pool, publicKey, role: 'box', name, atMs: 1 })]);
  }
  return roster;
}

test('after an exchange both sides hold what either held', async () => {
  const [left, right] = [await rosterWith(['a', 'b']), await rosterWith(['c'])];
  const answering = new MemberExchange(right);
  await new MemberExchange(left).withPeer((payload) => answering.answer(payload));
  assert.deepEqual(left.records(), right.records());
  assert.equal(left.members().length, 3);
});

test('equal sets are told by one small request', async () => {
  const left = await rosterWith(['a']);
  const right = await rosterWith([]);
  await right.add(left.records());
  const answering = new MemberExchange(right);
  const sizes: number[] = [];
  await new MemberExchange(left).withPeer(async (payload) => {
    const answer = await answering.answer(payload);
    sizes.push(payload.length, answer.length);
    return answer;
  });
  assert.equal(sizes.length, 2);
  assert.ok(Math.max(...sizes) < 100);
});

test('an answer that is no exchange is refused by code', async () => {
  const exchange = new MemberExchange(await rosterWith([]));
  await assert.rejects(
    exchange.withPeer(async () => new Uint8Array([0xff])),
    { code: 'CBOR_INVALID' },
  );
});
