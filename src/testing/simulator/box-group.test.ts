import assert from 'node:assert/strict';
import { test } from 'node:test';
import { toHex } from '../../base/bytes.ts';
import { groupHeartbeatMs } from '../../base/discovery-limits.ts';
import { sleep } from '../../ports/clock.ts';
import type { MulticastSocket } from '../../ports/datagram.ts';
import { groupAddressesOf, groupPort } from '../../zeroconf/multicast/group-address.ts';
import { SeededEntropy } from '../seeded-entropy.ts';
import { inPool, type PoolScene } from './in-pool.ts';
import type { SimulatedBox } from './simulated-box.ts';

/** At peace. */
function pool(count: number, story: (scene: PoolScene) => Promise<void>): Promise<void> {
  const rest = async (scene: PoolScene) => {
    await sleep(scene.world.clock, 20_000);
    await story(scene);
  };
  const unclaimed = (boxes: readonly SimulatedBox[]) => {
    for (const box of boxes) assert.equal(box.multicast, null);
  };
  return inPool(count, rest, { unclaimed });
}

const heartbeatMsMax = groupHeartbeatMs.least + groupHeartbeatMs.span;

let files = 0;

async function write({ desktop, world }: PoolScene): Promise<void> {
  const { size, content } = desktop.seal(new Uint8Array([++files]));
  const mtimeMs = world.clock.wallMs();
  const path = [`file-${files}`];
  await desktop.commit([{ op: 'put', path, kind: 'file', mode: 0o644, mtimeMs, size, content }]);
}

/** Virtual milliseconds until every box has the same logs on its disk. */
async function untilSame({ boxes, world }: PoolScene): Promise<number> {
  const startMs = world.clock.monotonicMs();
  const lengths = (box: SimulatedBox) => boxes.map(({ identity }) => box.logBytes(identity.memberId)).join();
  while (new Set(boxes.map(lengths)).size > 1) await sleep(world.clock, 20);
  return world.clock.monotonicMs() - startMs;
}

test('boxes claimed while they run hear each other, with name, address and room', () =>
  pool(3, async ({ boxes }) => {
    for (const box of boxes) {
      const facts = box.multicast!;
      const groups = groupAddressesOf(box.box!.poolId!);
      assert.deepEqual(
        facts.groups.map(({ address, interfaces }) => [address, interfaces]),
        [
          [groups.ipv4, ['eth0']],
          [groups.ipv6, ['eth0']],
        ],
      );
      const others = boxes.filter((other) => other !== box);
      assert.deepEqual(
        facts.members.map(({ name }) => name).sort(),
        others.map(({ name }) => name),
      );
      for (const member of facts.members) {
        const { host } = others.find(({ name }) => name === member.name)!;
        assert.ok([host.address, `fe80::0:${host.address.at(-1)}`].includes(member.address!));
        // One heartbeat of two may be lost.
        assert.ok(member.heardAgoMs! < 2 * heartbeatMsMax, `${member.heardAgoMs}`);
        assert.equal(member.freeGiB, 7);
        assert.equal(member.refused, 0);
      }
    }
  }));

test('a box that missed what another wrote fetches it within seconds of being back, not at the next period', async () => {
  const measure = async (isEaten: boolean): Promise<number> => {
    let tookMs = 0;
    await pool(3, async (scene) => {
      const { world, boxes, desktop } = scene;
      if (isEaten) scene.world.pruneGroups();
      // Long enough for the pauses between attempts to connect to have grown.
      world.partition([boxes[2]!.host]);
      await sleep(world.clock, 120_000);
      await write(scene);
      assert.equal(desktop.reachable().length, 2);
      world.heal();
      tookMs = await untilSame(scene);
    });
    return tookMs;
  };
  const [heardMs, eatenMs] = [await measure(false), await measure(true)];
  assert.ok(heardMs < 8000, `${heardMs} ms with multicast`);
  assert.ok(eatenMs > heardMs && eatenMs < 60_000, `${eatenMs} ms without multicast`);
});

test('where a push failed, the hint that follows it brings the record, not the pull ten seconds later', async () => {
  const measure = async (isEaten: boolean): Promise<number> => {
    let tookMs = 0;
    await pool(2, async (scene) => {
      if (isEaten) scene.world.pruneGroups();
      const [writer, reader] = scene.boxes;
      reader!.stateDisk.fillUp();
      // The desktop asks either box; the reader has no room.
      while (writer!.logBytes(writer!.identity.memberId) === 0) await write(scene).catch(() => {});
      reader!.stateDisk.resize(2 ** 32);
      tookMs = await untilSame(scene);
    });
    return tookMs;
  };
  const [heardMs, eatenMs] = [await measure(false), await measure(true)];
  assert.ok(heardMs < 7000 && heardMs < eatenMs, `${heardMs} ms with multicast`);
  assert.ok(eatenMs < 12_000, `${eatenMs} ms without multicast`);
});

test('a switch that eats all multicast, mDNS too, takes no box out of a pool that knows its addresses', () =>
  pool(3, async (scene) => {
    const { world, boxes } = scene;
    world.lan.eat(() => true);
    await boxes[1]!.end('power cut');
    await write(scene);
    await sleep(world.clock, 60_000);
    await boxes[1]!.start();
    assert.ok((await untilSame(scene)) < 60_000);
    await write(scene);
    assert.ok((await untilSame(scene)) < 1000);
    for (const { heardAgoMs } of boxes[1]!.multicast!.members) assert.equal(heardAgoMs, null);
  }));

test('a host that records, replays, forges and floods changes nothing that anybody relies on', () =>
  pool(3, async (scene) => {
    const { world, boxes } = scene;
    const evil = world.addHost('evil');
    const groups = groupAddressesOf(boxes[0]!.box!.poolId!);
    const recorded: Uint8Array[] = [];
    const sockets: MulticastSocket[] = [];
    for (const family of ['ipv4', 'ipv6'] as const) {
      const where = { interfaceName: 'eth0', family, group: groups[family], port: groupPort };
      const socket = await evil.multicast.open(where);
      socket.onMessage(({ bytes }) => recorded.push(bytes));
      sockets.push(socket);
    }
    await sleep(world.clock, 60_000);
    const noise = new SeededEntropy(3);
    for (let round = 0; round < 100; round++) {
      for (const bytes of recorded.slice(0, 60)) {
        const bent = new Uint8Array(bytes);
        if (noise.chance(0.5)) bent[noise.below(bent.length)]! ^= 1 << noise.below(8);
        for (const socket of sockets) socket.send(bent);
      }
      if (round % 20 === 0) await write(scene);
      await sleep(world.clock, 100);
    }
    assert.ok((await untilSame(scene)) < 1000);
    for (const box of boxes) {
      for (const peer of box.box!.status().peers) {
        assert.equal(peer.reachable, true);
        assert.ok(!peer.address!.startsWith(evil.address), peer.address!);
      }
      for (const { address, refused } of box.multicast!.members) {
        assert.ok(address !== evil.address && refused > 0, `${address}, ${refused} refused`);
      }
    }
  }));

test('a box that restarts is heard again within seconds', () =>
  pool(2, async ({ world, boxes }) => {
    const [a, b] = boxes;
    await b!.end('power cut');
    await sleep(world.clock, 30_000);
    assert.ok(a!.multicast!.members[0]!.heardAgoMs! > 25_000);
    await b!.start();
    await sleep(world.clock, 4000);
    const [heard] = a!.multicast!.members;
    assert.ok(heard!.heardAgoMs! < 4000, `${heard!.heardAgoMs} ms`);
    assert.equal(toHex(b!.identity.memberId), heard!.memberId);
  }));

test('a box that has no other in its pool speaks to nobody in particular, and closes', () =>
  pool(1, async ({ world, boxes }) => {
    const [box] = boxes;
    assert.deepEqual(box!.multicast!.members, []);
    assert.ok(box!.multicast!.sent > 1);
    await box!.end('stop');
    await sleep(world.clock, 10_000);
    assert.equal(box!.host.multicast.sockets.size, 0);
  }));
