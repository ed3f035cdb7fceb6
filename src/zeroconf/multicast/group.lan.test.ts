import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { join } from 'node:path';
import { after, afterEach, before, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { groupSilenceMs } from '../../base/discovery-limits.ts';
import { ethernetAddressOf, groupAddressesOf, groupPort } from './group-address.ts';

/*
 * Real sockets, the kernel's IGMP and MLD, and switches that snoop: two bridges in a namespace of their own. A is on
 * both, B and a bystander C on the first, D, which has no IPv4, on the second.
 */
const prefix = `gr${process.pid}`;
const hub = `${prefix}h`;
const wires = [
  { host: 'a', link: 'eth0', bridge: 'br0', ipv4: '10.78.0.1/24' },
  { host: 'a', link: 'eth1', bridge: 'br1', ipv4: '10.78.1.1/24' },
  { host: 'b', link: 'eth0', bridge: 'br0', ipv4: '10.78.0.2/24' },
  { host: 'c', link: 'eth0', bridge: 'br0', ipv4: '10.78.0.3/24' },
  { host: 'd', link: 'eth0', bridge: 'br1', ipv4: undefined },
] as const;
const hosts = ['a', 'b', 'c', 'd'] as const;
type HostName = (typeof hosts)[number];
const child = join(import.meta.dirname, '../../testing/group-child.ts');
const groups = groupAddressesOf(new Uint8Array(16));
const running = new Set<ChildProcess>();
const skip = whyNot();
/** It asks who is a member at once and a second later; times are in hundredths of a second. */
const snooping = [
  ['mcast_snooping', '1', 'mcast_querier', '1'],
  ['mcast_query_response_interval', '100', 'mcast_startup_query_interval', '100'],
].flat();
/** A bridge floods until its querier has asked and waited for answers (RFC 3376 §8.3). */
const querierSettlesMs = 12_000;
let madeMs = 0;

before(() => {
  if (skip !== undefined) return;
  for (const name of ['h', ...hosts]) run('ip', 'netns', 'add', prefix + name);
  for (const bridge of ['br0', 'br1']) {
    run('ip', '-n', hub, 'link', 'add', bridge, 'type', 'bridge', 'forward_delay', '0', ...snooping);
    run('ip', 'netns', 'exec', hub, 'sysctl', '-qw', `net.ipv6.conf.${bridge}.accept_dad=0`);
    // A querier has to have an address of the family (RFC 2236 §4, RFC 3810 §5.1.14).
    run('ip', '-n', hub, 'address', 'add', `10.78.${bridge.at(-1)}.254/24`, 'dev', bridge);
    run('ip', '-n', hub, 'link', 'set', bridge, 'up');
  }
  for (const { host, link, bridge, ipv4 } of wires) {
    const port = `${host}${link.at(-1)}`;
    const space = prefix + host;
    run('ip', '-n', hub, 'link', 'add', port, 'type', 'veth', 'peer', 'name', link, 'netns', space);
    run('ip', '-n', hub, 'link', 'set', port, 'master', bridge, 'up');
    run('ip', 'netns', 'exec', space, 'sysctl', '-qw', `net.ipv6.conf.${link}.accept_dad=0`);
    if (ipv4 !== undefined) run('ip', '-n', space, 'address', 'add', ipv4, 'dev', link);
    run('ip', '-n', space, 'link', 'set', link, 'up');
  }
  madeMs = performance.now();
});

afterEach(async () => {
  for (const process of running) process.kill('SIGKILL');
  await until(() => running.size === 0);
});

after(() => {
  if (skip !== undefined) return;
  for (const name of ['h', ...hosts]) tryRun('ip', 'netns', 'delete', prefix + name);
});

test('the kernel joins both groups on every interface, and a frame to them has the address that is shown', async (t) => {
  if (skip !== undefined) return t.skip(skip);
  const a = await start('a', { self: 1, members: [1, 2] });
  for (const [link, group] of [
    ['eth0', groups.ipv4],
    ['eth0', groups.ipv6],
    ['eth1', groups.ipv4],
    ['eth1', groups.ipv6],
  ] as const) {
    const joined = run('ip', '-n', `${prefix}a`, 'maddress', 'show', 'dev', link);
    assert.match(joined, new RegExp(`inet6? +${group}$`, 'm'), `${link} ${group}`);
    assert.match(joined, new RegExp(`link +${ethernetAddressOf(group)}$`, 'm'));
  }
  const facts = await a.facts();
  assert.deepEqual(
    facts.groups.map(({ interfaces }) => interfaces),
    [
      ['eth0', 'eth1'],
      ['eth0', 'eth1'],
    ],
  );
  await until(() => tableOf('br0').includes(groups.ipv4) && tableOf('br0').includes(groups.ipv6));
});

test('members hear each other through snooping switches, on the interface that they are on', async (t) => {
  if (skip !== undefined) return t.skip(skip);
  await delay(Math.max(0, madeMs + querierSettlesMs - performance.now()));
  const wire = capture('c');
  await wire.ready;
  const a = await start('a', { self: 1, members: [1, 2, 4] });
  const [b, d] = [
    await start('b', { self: 2, members: [1, 2, 4] }),
    await start('d', { self: 4, members: [1, 2, 4] }),
  ];
  await until(
    () => a.heard(2).length > 1 && a.heard(4).length > 1 && b.heard(1).length > 1 && d.heard(1).length > 1,
    20_000,
  );
  for (const { from } of a.heard(2)) assert.equal(from.interfaceName, 'eth0');
  for (const { from } of a.heard(4)) {
    assert.equal(from.interfaceName, 'eth1');
    assert.match(from.address, /^fe80:/);
  }
  assert.equal(b.heard(4).length, 0, 'the bridges are two links');
  const { members, refused } = await a.facts();
  for (const { lost, refused: inItsName } of members) assert.deepEqual([lost, inItsName], [0, 0]);
  assert.deepEqual(refused, { foreign: 0, strangers: 0 });
  assert.deepEqual(wire.stop(), [], 'a switch that snoops spares those who are no members');
});

test('packets have a hop limit that keeps them in the site, and stay in one frame', async (t) => {
  if (skip !== undefined) return t.skip(skip);
  const wire = capture('b');
  await wire.ready;
  await start('b', { self: 2, members: [1, 2] });
  await start('a', { self: 1, members: [1, 2] });
  await delay(3000);
  const lines = wire.stop();
  const [four, six] = [
    lines.filter((line) => line.includes('IP ')),
    lines.filter((line) => line.includes('IP6 ')),
  ];
  assert.ok(four.length > 1 && six.length > 1, lines.join('\n'));
  for (const line of four) assert.match(line, /ttl 8,/);
  for (const line of six) assert.match(line, /hlim 8,/);
  for (const line of lines) assert.ok(Number(/length (\d+)$/.exec(line)?.[1] ?? 0) <= 1200, line);
});

test('a switch that forgets a member is told again after a minute of silence, before a querier asks', async (t) => {
  if (skip !== undefined) return t.skip(skip);
  const a = await start('a', { self: 1, members: [1, 2] });
  const b = await start('b', { self: 2, members: [1, 2] });
  await until(() => a.heard(2).length > 0 && b.heard(1).length > 0, 20_000);
  const forgetting = setInterval(() => forget('b0'), 100);
  t.after(() => clearInterval(forgetting));
  await delay(1500);
  const deaf = b.heard(1).length;
  await delay(15_000);
  assert.equal(b.heard(1).length, deaf, 'the switch withholds what it has no member for');
  clearInterval(forgetting);
  const startMs = performance.now();
  await until(() => b.heard(1).length > deaf, groupSilenceMs + 15_000);
  t.diagnostic(`forgotten to heard again: ${((performance.now() - startMs) / 1000).toFixed(0)} s`);
});

interface Heard {
  readonly heard: number;
  readonly from: { readonly interfaceName: string; readonly address: string };
}

interface ChildFacts {
  readonly groups: readonly { readonly interfaces: readonly string[] }[];
  readonly members: readonly { readonly lost: number; readonly refused: number }[];
  readonly refused: object;
}

async function start(host: HostName, task: object) {
  const said: { readonly started?: number; readonly facts?: ChildFacts; readonly heard?: number }[] = [];
  const process_ = launch(host, [process.execPath, child, JSON.stringify(task)], (line) =>
    said.push(JSON.parse(line)),
  );
  await until(() => said.some(({ started }) => started !== undefined));
  return {
    heard: (member: number) => said.filter(({ heard }) => heard === member) as unknown as readonly Heard[],
    facts: async (): Promise<ChildFacts> => {
      const count = said.filter(({ facts }) => facts !== undefined).length;
      process_.stdin!.write('facts\n');
      await until(() => said.filter(({ facts }) => facts !== undefined).length > count);
      return said.findLast(({ facts }) => facts !== undefined)!.facts!;
    },
  };
}

/** What of the group's packets reaches a host that has not joined. */
function capture(host: HostName) {
  const lines: string[] = [];
  const listening = Promise.withResolvers<void>();
  const args = ['-i', 'eth0', '-p', '-n', '-l', '-v', '-t', 'udp', 'port', String(groupPort)];
  const tcpdump = launch(host, ['tcpdump', ...args], (line) => lines.push(line));
  tcpdump.stderr!.on('data', (text: Buffer) => {
    if (text.includes('listening on')) listening.resolve();
  });
  return {
    ready: listening.promise,
    stop: (): readonly string[] => {
      tcpdump.kill('SIGTERM');
      // With -v a packet of IPv4 takes two lines.
      return lines.join('\n').replaceAll(/\n +/g, ' ').split('\n').filter(Boolean);
    },
  };
}

function launch(host: HostName, command: readonly string[], hear: (line: string) => void): ChildProcess {
  const process_ = spawn('ip', ['netns', 'exec', prefix + host, ...command], {
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  running.add(process_);
  process_.once('exit', () => running.delete(process_));
  let rest = '';
  process_.stdout.on('data', (chunk: Buffer) => {
    const parts = (rest + chunk.toString()).split('\n');
    rest = parts.pop()!;
    for (const part of parts) hear(part);
  });
  return process_;
}

/** Which ports of a bridge have members of which groups. */
function tableOf(bridge: string): string {
  return run('bridge', '-n', hub, 'mdb', 'show', 'dev', bridge);
}

function forget(port: string): void {
  for (const group of [groups.ipv4, groups.ipv6]) {
    tryRun('bridge', '-n', hub, 'mdb', 'del', 'dev', 'br0', 'port', port, 'grp', group);
  }
}

function whyNot(): string | undefined {
  if (process.platform !== 'linux' || process.getuid?.() !== 0)
    return 'network namespaces take Linux and root';
  const wanted = ['ip', 'bridge', 'tcpdump', 'sysctl'];
  const missing = wanted.filter((name) => !tryRun('sh', '-c', `command -v ${name}`));
  if (missing.length > 0) return `not installed: ${missing.join(', ')}`;
  const probe = `${prefix}p`;
  if (!tryRun('ip', 'netns', 'add', probe)) return 'network namespaces cannot be made here';
  tryRun('ip', 'netns', 'delete', probe);
  return undefined;
}

async function until(holds: () => boolean, limitMs = 10_000): Promise<void> {
  for (const startMs = performance.now(); !holds(); await delay(10)) {
    if (performance.now() - startMs > limitMs) throw new Error('waited in vain');
  }
}

function run(program: string, ...rest: string[]): string {
  return execFileSync(program, rest, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

function tryRun(program: string, ...rest: string[]): boolean {
  try {
    run(program, ...rest);
    return true;
  } catch {
    return false;
  }
}
