import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Bytes, equalBytes } from '../../base/bytes.ts';
import { silentLog } from '../../base/log.ts';
import type { Datagram, MulticastNetwork, MulticastOptions, MulticastSocket } from '../../ports/datagram.ts';
import { FakeClock } from '../../testing/fake-clock.ts';
import { FakeLan, type FakeLanOptions, fakeInterface } from '../../testing/fake-multicast-network.ts';
import { MemoryDisk } from '../../testing/memory-disk.ts';
import { SeededEntropy } from '../../testing/seeded-entropy.ts';
import { groupAddressesOf, groupPort } from './group-address.ts';
import { GroupChannel } from './group-channel.ts';
import type { HeardAction } from './group-machine.ts';
import { maskSession, sealGroupMessage, senderNamesOf, sessionKeyOf } from './group-message.ts';

const pool = new Uint8Array(16).fill(1);
const epochKey = new Uint8Array(32).fill(1);
const groups = groupAddressesOf(pool);

class Site {
  readonly clock = new FakeClock();
  readonly lan: FakeLan;
  readonly heard: (HeardAction & { readonly by: string; readonly atMs: number })[] = [];
  readonly disks = new Map<string, MemoryDisk>();

  constructor(options: Partial<FakeLanOptions> = {}) {
    this.lan = new FakeLan({ clock: this.clock, seed: 1, delayMs: { least: 0.1, most: 5 }, ...options });
  }

  /** A member of the pool of all whose names are given to `meet`. */
  async join(
    name: string,
    key = epochKey,
    host: MulticastNetwork = this.lan.host(name),
  ): Promise<GroupChannel> {
    const disk = this.disks.get(name) ?? new MemoryDisk({ entropy: new SeededEntropy(3) });
    this.disks.set(name, disk);
    const entropy = new SeededEntropy(name.charCodeAt(0) + this.clock.monotonicMs());
    const starting = GroupChannel.start(
      {
        pool,
        groupKey: key,
        self: idOf(name),
        compose: () => ({ port: 4270, freeGiB: 7, summary: new Uint8Array([name.charCodeAt(0)]) }),
        onHeard: (heard) => this.heard.push({ ...heard, by: name, atMs: this.clock.monotonicMs() }),
      },
      { network: host, clock: this.clock, entropy, log: silentLog, disk },
    );
    return this.clock.runUntil(starting);
  }

  async meet(...names: string[]): Promise<GroupChannel[]> {
    const channels: GroupChannel[] = [];
    for (const name of names) channels.push(await this.join(name));
    for (const channel of channels) channel.setMembers(names.map(idOf));
    return channels;
  }

  /** How often `by` heard `whom`. */
  count(by: string, whom: string): number {
    return this.heard.filter((one) => one.by === by && equalBytes(one.memberId, idOf(whom))).length;
  }
}

/** It is the first host of its site. */
const strangerAddresses = ['10.0.0.1', 'fe80::0:1'];

/** A host of no pool that hears both groups and says there whatever it likes. */
async function stranger(site: Site) {
  const host = site.lan.host('stranger');
  const sockets: MulticastSocket[] = [];
  const recorded: Datagram[] = [];
  for (const family of ['ipv4', 'ipv6'] as const) {
    const socket = await host.open({ interfaceName: 'eth0', family, group: groups[family], port: groupPort });
    socket.onMessage((datagram) => recorded.push(datagram));
    sockets.push(socket);
  }
  const say = (bytes: Bytes) => {
    for (const socket of sockets) socket.send(bytes);
  };
  return { recorded, say };
}

function idOf(name: string): Bytes {
  return new Uint8Array(32).fill(name.charCodeAt(0));
}

test('members hear each other every few seconds, each message once though it comes on two families', async () => {
  const site = new Site();
  const [a] = await site.meet('a', 'b', 'c');
  await site.clock.run(60_000);
  for (const by of ['a', 'b', 'c']) {
    for (const other of ['a', 'b', 'c']) {
      const count = site.count(by, other);
      assert.ok(by === other ? count === 0 : count >= 10 && count <= 16, `${by} ${other} ${count}`);
    }
  }
  const { message, from } = site.heard[0]!;
  assert.deepEqual([message.port, message.freeGiB, message.summary.length], [4270, 7, 1]);
  assert.equal(from.interfaceName, 'eth0');
  const facts = a!.facts();
  assert.deepEqual(
    facts.groups.map(({ address, interfaces }) => [address, interfaces]),
    [
      [groups.ipv4, ['eth0']],
      [groups.ipv6, ['eth0']],
    ],
  );
  for (const { lost, refused, heard } of facts.members) {
    assert.deepEqual([lost, refused], [0, 0]);
    assert.ok(heard!.agoMs < 7000);
  }
  assert.deepEqual(facts.refused, { foreign: 0, strangers: 0 });
});

test('over a network that loses and doubles, each message is heard at most once and gaps are counted', async () => {
  const site = new Site({ lossRate: 0.5, duplicateRate: 0.4, delayMs: { least: 0, most: 2000 } });
  const [a, b] = await site.meet('a', 'b');
  for (let round = 0; round < 60; round++) {
    b!.hint();
    await site.clock.run(1000);
  }
  await site.clock.run(3000);
  const [facts] = a!.facts().members;
  const heard = site.count('a', 'b');
  // Of each message two copies go out, one on each family, and a quarter of the messages loses both.
  assert.ok(facts!.lost > 5 && facts!.lost < 30, `${facts!.lost} lost`);
  assert.ok(heard <= b!.facts().sent);
  assert.ok(heard + facts!.lost >= b!.facts().sent - 5, `${heard} heard, ${facts!.lost} lost`);
  assert.equal(facts!.refused, 0);
});

test('a change is heard within a quarter of a second', async () => {
  const site = new Site();
  const [a] = await site.meet('a', 'b');
  await site.clock.run(10_000);
  const before = site.heard.length;
  const atMs = site.clock.monotonicMs();
  a!.hint();
  await site.clock.run(1000);
  const hint = site.heard.slice(before).find(({ by, message }) => by === 'b' && message.kind === 'change');
  assert.ok(hint!.atMs - atMs < 250, `${hint!.atMs - atMs} ms`);
});

test('an attacker that records everything and sends it again and again is never heard', async () => {
  const site = new Site();
  const { recorded, say } = await stranger(site);
  const [a, b] = await site.meet('a', 'b');
  const replay = async () => {
    for (const { bytes } of recorded.slice(0, 200)) say(bytes);
    await site.clock.run(100);
  };
  await site.clock.run(60_000);
  await replay();
  await b!.close();
  await site.clock.run(20_000);
  await replay();
  assert.ok(a!.facts().members[0]!.heard!.agoMs > 19_000, 'b is silent, whatever is replayed');
  const again = await site.join('b');
  again.setMembers(['a', 'b'].map(idOf));
  await site.clock.run(10_000);
  const refused = a!.facts().members[0]!.refused;
  await replay();
  assert.ok(a!.facts().members[0]!.refused > refused, 'the session before the restart is over for good');
  assert.ok(site.heard.some(({ from }) => from.address === '10.0.0.4'));
  assert.ok(!site.heard.some(({ from }) => strangerAddresses.includes(from.address)));
});

test('to a box that has restarted a recording says no more than hints, and nothing once the sender has spoken', async () => {
  const site = new Site();
  const { recorded, say } = await stranger(site);
  const [a] = await site.meet('a', 'b');
  await site.clock.run(60_000);
  await a!.close();
  const again = await site.join('a');
  again.setMembers(['a', 'b'].map(idOf));
  const ofB = recorded.filter(({ from }) => from.address === '10.0.0.3').map(({ bytes }) => bytes);
  assert.ok(ofB.length > 5);
  const start = site.heard.length;
  for (const bytes of ofB) say(bytes);
  await site.clock.run(50);
  const believed = site.heard.slice(start).filter(({ by }) => by === 'a').length;
  assert.ok(believed > 0 && believed <= ofB.length);
  for (const bytes of ofB) say(bytes);
  await site.clock.run(50);
  const twice = site.heard.slice(start).filter(({ by }) => by === 'a').length;
  assert.equal(twice, believed, 'each once');
  await site.clock.run(6000);
  const real = site.heard
    .slice(start)
    .filter(({ by }) => by === 'a')
    .at(-1)!;
  assert.match(real.from.address, /3$/);
});

test("a stranger's flood costs nobody the members' words", async () => {
  const site = new Site();
  const { say } = await stranger(site);
  const [a] = await site.meet('a', 'b');
  const noise = new SeededEntropy(5);
  for (let round = 0; round < 300; round++) {
    for (let count = 0; count < 10; count++) {
      const bytes = noise.bytes(noise.below(1300));
      if (count > 5 && bytes.length > 0) bytes[0] = 1;
      say(bytes);
    }
    await site.clock.run(100);
  }
  const facts = a!.facts();
  assert.equal(facts.refused.foreign + facts.refused.strangers, 6000);
  assert.ok(facts.refused.strangers > 500);
  assert.equal(facts.members[0]!.refused, 0);
  assert.ok(site.count('a', 'b') >= 5);
});

test('forgeries in a member’s name silence it at worst while they last', async () => {
  const site = new Site();
  const { recorded, say } = await stranger(site);
  const [a] = await site.meet('a', 'b');
  await site.clock.run(10_000);
  const base = recorded.find(({ from }) => from.address === '10.0.0.3')!.bytes;
  for (let round = 0; round < 200; round++) {
    for (let count = 0; count < 10; count++) {
      const bytes = new Uint8Array(base);
      bytes.set([0xff, round, count], 9);
      say(bytes);
    }
    await site.clock.run(50);
  }
  assert.ok(a!.facts().members[0]!.refused >= 4000);
  const before = site.count('a', 'b');
  await site.clock.run(15_000);
  assert.ok(site.count('a', 'b') >= before + 2);
});

test('another epoch and another pool on one group are strangers, and neither is heard', async () => {
  const site = new Site();
  const names = ['a', 'b', 'c', 'd'];
  const other = new Uint8Array(32).fill(2);
  const channels = [await site.join('a'), await site.join('b')];
  channels.push(await site.join('c', other), await site.join('d', other));
  for (const channel of channels) channel.setMembers(names.map(idOf));
  await site.clock.run(30_000);
  for (const [by, whom] of [
    ['a', 'b'],
    ['b', 'a'],
    ['c', 'd'],
    ['d', 'c'],
  ] as const)
    assert.ok(site.count(by, whom) > 3);
  for (const [by, whom] of [
    ['a', 'c'],
    ['c', 'b'],
    ['d', 'a'],
  ] as const)
    assert.equal(site.count(by, whom), 0);
  assert.ok(channels[0]!.facts().refused.strangers >= 20);
  assert.equal(channels[0]!.facts().refused.foreign, 0);
});

test('a packet sent to this box alone is not looked at', async () => {
  const site = new Site();
  const [a] = await site.meet('a', 'b');
  const away = await site.lan.host('away').open({
    interfaceName: 'eth0',
    family: 'ipv4',
    group: '239.255.9.9',
    port: groupPort,
  });
  const session = new Uint8Array(16).fill(255);
  const names = senderNamesOf(epochKey, idOf('b'));
  const header = { tag: names.tag, session: maskSession(session, names), counter: 0 };
  const message = { kind: 'heartbeat', port: 1, freeGiB: 1, summary: new Uint8Array(0) } as const;
  const bytes = sealGroupMessage(sessionKeyOf(epochKey, idOf('b'), session), header, message);
  const heardFrom = (address: string) => site.heard.some((one) => one.from.address === address);
  away.send(bytes, { address: '10.0.0.1', port: groupPort });
  await site.clock.run(50);
  assert.equal(heardFrom('10.0.0.3'), false);
  const near = await site.lan.host('near').open({
    interfaceName: 'eth0',
    family: 'ipv4',
    group: groups.ipv4,
    port: groupPort,
  });
  near.send(bytes);
  await site.clock.run(50);
  assert.equal(heardFrom('10.0.0.4'), true, 'to the group it would have been');
  assert.equal(a!.facts().refused.foreign, 0);
});

test('groups are joined on interfaces that come, left on those that go, and joined anew at a new address', async () => {
  const site = new Site();
  const host = site.lan.host('a', []);
  const a = await site.join('a', epochKey, host);
  const b = await site.join('b');
  for (const channel of [a, b]) channel.setMembers(['a', 'b'].map(idOf));
  assert.deepEqual(
    a.facts().groups.map(({ interfaces }) => interfaces.length),
    [0, 0],
  );
  host.connect([fakeInterface('eth0', 11), fakeInterface('eth1', 11, 'elsewhere', 3)]);
  await site.clock.run(12_000);
  assert.deepEqual(a.facts().groups[0]!.interfaces, ['eth0', 'eth1']);
  assert.ok(site.count('a', 'b') > 0 && site.count('b', 'a') > 0);
  host.connect([fakeInterface('eth0', 12)]);
  const before = site.heard.length;
  await site.clock.run(12_000);
  assert.deepEqual(a.facts().groups[0]!.interfaces, ['eth0']);
  const last = site.heard
    .slice(before)
    .filter(({ by }) => by === 'b')
    .at(-1);
  assert.match(last!.from.address, /(12|c)$/);
  host.connect([]);
  await site.clock.run(12_000);
  assert.deepEqual(
    a.facts().groups.map(({ interfaces }) => interfaces.length),
    [0, 0],
  );
  assert.equal(host.sockets.size, 0);
});

test('a switch that has forgotten the members learns of them when they join again after a minute of silence', async () => {
  const site = new Site();
  let joins = 0;
  const host = site.lan.host('a');
  const counted = {
    interfaces: () => host.interfaces(),
    onChange: (listener: () => void) => host.onChange(listener),
    open: (options: MulticastOptions) => {
      joins++;
      return host.open(options);
    },
  };
  for (const channel of [await site.join('a', epochKey, counted), await site.join('b')]) {
    channel.setMembers(['a', 'b'].map(idOf));
  }
  await site.clock.run(20_000);
  const before = site.heard.length;
  assert.ok(before > 0);
  assert.equal(joins, 2);
  site.lan.eat(() => joins < 4);
  await site.clock.run(50_000);
  assert.equal(site.heard.length, before);
  await site.clock.run(20_000);
  assert.equal(joins, 4);
  assert.ok(site.heard.length > before);
});

test('after it was closed a channel says and hears nothing', async () => {
  const site = new Site();
  const [a, b] = await site.meet('a', 'b');
  await site.clock.run(5000);
  await a!.close();
  const [sent, heard] = [a!.facts().sent, site.count('a', 'b')];
  a!.hint();
  b!.hint();
  await site.clock.run(30_000);
  assert.deepEqual([a!.facts().sent, site.count('a', 'b')], [sent, heard]);
  await b!.close();
});
