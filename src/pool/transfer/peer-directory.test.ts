import assert from 'node:assert/strict';
import { test } from 'node:test';
import { toHex } from '../../base/bytes.ts';
import {
  addressesPerMemberMax,
  connectTimeoutMs,
  reconnectDelayMsMax,
  reconnectDelayMsMin,
} from '../../base/limits.ts';
import { fakeKey, PeerWorld, worldPool } from '../../testing/peer-world.ts';
import { type PeerChange, PeerDirectory } from './peer-directory.ts';
import type { PeerServer } from './peer-server.ts';

const idOf = (name: string) => fakeKey(name).memberId;
const addressOf = (host: string) => ({ host, port: 4000 });

/** A box of the pool with its directory and server. */
async function startBox(world: PeerWorld, name: string, pool: Uint8Array | null = worldPool) {
  const dispatcher = world.dispatcher(name, 'box', pool);
  const transport = world.network.transportFor(name, fakeKey(name));
  const directory = new PeerDirectory(
    { self: idOf(name), transport, dispatcher, pool: () => pool ?? undefined },
    { clock: world.clock, entropy: world.entropy, log: world.log },
  );
  const server: PeerServer = await world.serve(name, dispatcher, (connection) => directory.adopt(connection));
  const changes: string[] = [];
  const names = new Map(['a', 'b', 'c'].map((box) => [toHex(idOf(box)), box]));
  directory.onChange(({ memberId, up }: PeerChange) => {
    changes.push(`${names.get(toHex(memberId))} ${up ? 'up' : 'down'}`);
  });
  return { directory, server, changes };
}

async function twoBoxes() {
  const world = new PeerWorld();
  world.admit('a', 'box');
  world.admit('b', 'box');
  return { world, a: await startBox(world, 'a'), b: await startBox(world, 'b') };
}

test('many who want the connection at once share one, and the other side uses it as well', async () => {
  const { world, a, b } = await twoBoxes();
  a.directory.hint(idOf('b'), [addressOf('b')]);
  const wanted = Promise.all([1, 2, 3].map(() => a.directory.connection(idOf('b'))));
  const [first, ...others] = await world.clock.runUntil(wanted);
  assert.ok(others.every((connection) => connection === first));
  assert.equal(b.server.connections().length, 1);
  const back = await world.clock.runUntil(b.directory.connection(idOf('a')));
  assert.equal(back, b.server.connections()[0]);
  assert.deepEqual([a.changes, b.changes], [['b up'], ['a up']]);
  assert.deepEqual(b.directory.reachable(), [idOf('a')]);
});

test('a wrong address is passed over for one that answers as the right peer, which then comes first', async () => {
  const { world, a } = await twoBoxes();
  world.admit('c', 'box');
  await startBox(world, 'c');
  a.directory.hint(idOf('b'), [addressOf('nowhere'), addressOf('c'), addressOf('b')]);
  const connection = await world.clock.runUntil(a.directory.connection(idOf('b')));
  assert.deepEqual(connection.peer.memberId, idOf('b'));
  assert.ok(world.clock.monotonicMs() < 1000, 'an address that is silent is not waited for');
  assert.deepEqual(a.directory.addresses(idOf('b'))[0], addressOf('b'));
});

test('another machine at the only address known is PEER_UNREACHABLE because of PEER_IDENTITY_MISMATCH', async () => {
  const { world, a } = await twoBoxes();
  a.directory.hint(idOf('c'), [addressOf('b')]);
  await assert.rejects(
    world.clock.runUntil(a.directory.connection(idOf('c'))),
    (error: Error & { code: string }) => {
      return (
        error.code === 'PEER_UNREACHABLE' &&
        (error.cause as { code: string }).code === 'PEER_IDENTITY_MISMATCH'
      );
    },
  );
});

test('a box of a foreign pool is FOREIGN_POOL when dialled', async () => {
  const { world, a } = await twoBoxes();
  await startBox(world, 'c', new Uint8Array(16).fill(9));
  await assert.rejects(world.clock.runUntil(a.directory.dial(addressOf('c'))), { code: 'FOREIGN_POOL' });
});

test('hints about oneself are ignored, and a peer without an address is PEER_UNREACHABLE', async () => {
  const { a } = await twoBoxes();
  a.directory.hint(idOf('a'), [addressOf('a')]);
  assert.deepEqual(a.directory.addresses(idOf('a')), []);
  for (const name of ['a', 'b']) {
    await assert.rejects(a.directory.connection(idOf(name)), { code: 'PEER_UNREACHABLE' });
  }
});

test('a peer that does not answer is left alone for growing times, until a new address is heard of', async () => {
  const { world, a } = await twoBoxes();
  a.directory.hint(idOf('b'), [{ host: 'b', port: 1 }]);
  a.directory.keep([idOf('b')]);
  const dials: number[] = [];
  const listening = world.network.transportFor('b', fakeKey('c'));
  await listening.listen({ host: 'b', port: 1 }, () => dials.push(world.clock.monotonicMs()));
  await world.clock.run(200_000);
  const gaps = dials.slice(1).map((at, index) => at - dials[index]!);
  assert.ok(gaps.length > 8);
  assert.ok(gaps[0]! < 500, `${gaps}`);
  assert.ok(
    gaps.at(-1)! > reconnectDelayMsMax / 2 - 1000 && gaps.at(-1)! <= reconnectDelayMsMax + 5000,
    `${gaps}`,
  );
  await assert.rejects(a.directory.connection(idOf('b')), { code: 'PEER_UNREACHABLE' });
  a.directory.hint(idOf('b'), [addressOf('b')]);
  await world.clock.run(100);
  assert.equal(a.directory.isReachable(idOf('b')), true);
});

test('a kept peer that dies and comes back is up again by itself', async () => {
  const { world, a } = await twoBoxes();
  a.directory.hint(idOf('b'), [addressOf('b')]);
  a.directory.keep([idOf('b')]);
  await world.clock.run(1000);
  world.network.crash('b', 'silent');
  await world.clock.run(16_000);
  assert.deepEqual(a.changes, ['b up', 'b down']);
  world.network.restart('b');
  await startBox(world, 'b');
  await world.clock.run(40_000);
  assert.deepEqual(a.changes, ['b up', 'b down', 'b up']);
});

test('two boxes that dial each other at the same moment can both ask, and closing ends every timer', async () => {
  const { world, a, b } = await twoBoxes();
  a.directory.hint(idOf('b'), [addressOf('b')]);
  b.directory.hint(idOf('a'), [addressOf('a')]);
  a.directory.keep([idOf('b')]);
  b.directory.keep([idOf('a')]);
  await world.clock.run(1000);
  for (const [box, other] of [
    [a, 'b'],
    [b, 'a'],
  ] as const) {
    const connection = await world.clock.runUntil(box.directory.connection(idOf(other)));
    assert.equal((await world.clock.runUntil(connection.greet())).name, other);
    assert.equal(box.changes.length, 1);
  }
  a.directory.close();
  b.directory.close();
  await world.clock.runUntil(Promise.all([a.server.close(), b.server.close()]));
  await world.clock.run(60_000);
  await assert.rejects(world.clock.runUntil(new Promise(() => {})), /nothing left to happen/);
});

test('a directory that has closed takes no connection that comes late', async () => {
  const { world, a, b } = await twoBoxes();
  a.directory.close();
  b.directory.hint(idOf('a'), [addressOf('a')]);
  await world.clock.runUntil(b.directory.connection(idOf('a')));
  assert.deepEqual([a.changes, a.directory.isReachable(idOf('b'))], [[], false]);
});

test('what comes while it is dialled in vain, a new address or a sign of life, ends the pause after that', async () => {
  for (const news of ['address', 'sign of life'] as const) {
    const { world, a } = await twoBoxes();
    const old = news === 'address' ? addressOf('nowhere') : addressOf('b');
    if (news === 'sign of life') world.network.cut('a', 'b');
    a.directory.hint(idOf('b'), [old]);
    a.directory.keep([idOf('b')]);
    await world.clock.run(200_000);
    a.directory.heard(idOf('b'));
    await world.clock.run(100);
    world.network.heal();
    if (news === 'address') a.directory.hint(idOf('b'), [addressOf('b')]);
    else a.directory.heard(idOf('b'));
    await world.clock.run(connectTimeoutMs + reconnectDelayMsMin);
    assert.equal(a.directory.isReachable(idOf('b')), true, news);
  }
});

test('what a stranger announces takes no address away where the peer has proved itself', async () => {
  const { world, a } = await twoBoxes();
  a.directory.hint(idOf('b'), [addressOf('b')]);
  await world.clock.runUntil(a.directory.connection(idOf('b')));
  for (let number = 0; number < 100; number++) a.directory.hint(idOf('b'), [addressOf(`liar-${number}`)]);
  assert.deepEqual(a.directory.addresses(idOf('b'))[0], addressOf('b'));
  assert.equal(a.directory.addresses(idOf('b')).length, addressesPerMemberMax + 1);
});

test('a flood of announcements brings few attempts to connect', async () => {
  const { world, a } = await twoBoxes();
  const dials: number[] = [];
  const listening = world.network.transportFor('c', fakeKey('c'));
  await listening.listen(addressOf('c'), () => dials.push(world.clock.monotonicMs()));
  a.directory.hint(idOf('b'), [addressOf('c')]);
  a.directory.keep([idOf('b')]);
  for (let number = 0; number < 200; number++) {
    a.directory.hint(idOf('b'), [addressOf('c'), { host: 'c', port: 5000 + number }]);
    await world.clock.run(10);
  }
  assert.ok(dials.length >= 2 && dials.length <= 1 + 2000 / reconnectDelayMsMin, `${dials}`);
});

test('a sign of life of the peer itself ends the pause that its silence had brought, a flood of them does not', async () => {
  const { world, a, b } = await twoBoxes();
  a.directory.hint(idOf('b'), [addressOf('b')]);
  a.directory.keep([idOf('b')]);
  await world.clock.runUntil(a.directory.connection(idOf('b')));
  world.network.cut('a', 'b');
  await world.clock.run(300_000);
  world.network.heal();
  await world.clock.run(1000);
  assert.equal(a.directory.isReachable(idOf('b')), false, 'the pause goes on');
  a.directory.heard(idOf('b'));
  await world.clock.run(500);
  assert.equal(a.directory.isReachable(idOf('b')), true);
  await world.clock.runUntil(b.server.close());
  await world.clock.run(1000);
  let dials = 0;
  const count = () => dials++;
  await world.network.transportFor('b', fakeKey('c')).listen(addressOf('b'), count);
  for (let number = 0; number < 200; number++) {
    a.directory.heard(idOf('b'));
    await world.clock.run(10);
  }
  assert.ok(dials >= 2 && dials <= 1 + 2000 / reconnectDelayMsMin, `${dials}`);
});
