import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';

/** Two hosts as network namespaces on one bridge: our box in A, the real avahi in B. */
const lan = { a: `az${process.pid}a`, b: `az${process.pid}b`, bridge: `az${process.pid}`.slice(0, 15) };
const child = join(import.meta.dirname, '../testing/mdns-child.ts');
const skip = whyNot();
const running = new Set<ChildProcess>();
let folder = '';
let busAddress = '';

before(async () => {
  if (skip !== undefined) return;
  folder = mkdtempSync(join(tmpdir(), 'aether-avahi-'));
  run('ip', 'link', 'add', lan.bridge, 'type', 'bridge', 'forward_delay', '0', 'mcast_snooping', '0');
  run('ip', 'link', 'set', lan.bridge, 'up');
  for (const [index, name] of [lan.a, lan.b].entries()) {
    run('ip', 'netns', 'add', name);
    run('ip', 'link', 'add', `${name}v`, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', name);
    run('ip', 'link', 'set', `${name}v`, 'master', lan.bridge, 'up');
    run('ip', '-n', name, 'link', 'set', 'lo', 'up');
    // An IPv6 address counts for as long as it takes to find out whether somebody else has it; here nobody has.
    run('ip', 'netns', 'exec', name, 'sysctl', '-qw', 'net.ipv6.conf.eth0.accept_dad=0');
    run('ip', '-n', name, 'address', 'add', `10.77.0.${index + 1}/24`, 'dev', 'eth0');
    run('ip', '-n', name, 'address', 'add', `fd77::${index + 1}/64`, 'dev', 'eth0', 'nodad');
    run('ip', '-n', name, 'link', 'set', 'eth0', 'up');
  }
  await startAvahi();
});

after(() => {
  for (const process of running) process.kill('SIGKILL');
  if (skip !== undefined) return;
  for (const name of [lan.a, lan.b]) {
    tryRun('ip', 'link', 'delete', `${name}v`);
    tryRun('ip', 'netns', 'delete', name);
  }
  tryRun('ip', 'link', 'delete', lan.bridge);
  rmSync(folder, { recursive: true, force: true });
});

test('avahi sees the box with host, port, addresses and TXT, within the time RFC 6762 allows', async (t) => {
  if (skip !== undefined) return t.skip(skip);
  // avahi-browse shows the strings of a TXT record last to first.
  const watch = browse('_aetherstore._tcp');
  await delay(1500);
  const box = start(lan.a, [process.execPath, child, advertise('alpha', 'Mr. Box', 4711)]);
  await box.line((line) => line.includes('"started"'));
  const startedMs = performance.now();
  const four = await watch.line((line) => line.startsWith('=;eth0;IPv4;Mr\\.\\032Box;'));
  const visibleMs = performance.now() - startedMs;
  // Heard over IPv6, whichever of the addresses avahi then chooses to show.
  const six = await watch.line((line) => line.startsWith('=;eth0;IPv6;Mr\\.\\032Box;'));
  t.diagnostic(`start to visible in avahi-browse: ${visibleMs.toFixed(0)} ms`);
  assert.match(
    four,
    /;_aetherstore\._tcp;local;alpha\.local;10\.77\.0\.1;4711;"note=a b" "box=abc" "txtvers=1"$/,
  );
  assert.match(six, /;_aetherstore\._tcp;local;alpha\.local;[0-9a-f.:]+;4711;"note=a b"/);
  assert.ok(visibleMs < 1500, `${visibleMs} ms`);
  assert.match(await resolveHost('-4', 'alpha.local'), /10\.77\.0\.1/);
  assert.match(await resolveHost('-6', 'alpha.local'), /fd77::1|fe80:/);
  assert.match(reverse('10.77.0.1'), /alpha\.local/);

  const goneAfter = performance.now();
  box.process.stdin!.end();
  await watch.line((line) => line.startsWith('-;eth0;IPv4;Mr\\.\\032Box;'));
  await watch.line((line) => line.startsWith('-;eth0;IPv6;Mr\\.\\032Box;'));
  const goneMs = performance.now() - goneAfter;
  t.diagnostic(`close to gone in avahi-browse: ${goneMs.toFixed(0)} ms`);
  assert.ok(goneMs < 2000, `${goneMs} ms`);
  await stop(watch.process);
});

test('our browser sees what avahi publishes, and that it is gone', async (t) => {
  if (skip !== undefined) return t.skip(skip);
  const browser = start(lan.a, [process.execPath, child, '{"browse":"_http._tcp"}']);
  const publisher = start(lan.b, [
    'avahi-publish',
    '-s',
    'Printer 1.5',
    '_http._tcp',
    '8080',
    'path=/x',
    'note=ü',
  ]);
  const isWhole = (line: string) => line.includes('10.77.0.2') && line.includes('fd77::2');
  const added = JSON.parse(await browser.line((line) => line.includes('Printer 1.5') && isWhole(line)));
  assert.equal(added.service.host, 'beta.local');
  assert.equal(added.service.port, 8080);
  assert.deepEqual(added.service.text, { note: 'ü', path: '/x' });
  assert.ok(added.service.addresses.every((one: { interfaceName: string }) => one.interfaceName === 'eth0'));
  await stop(publisher.process);
  await browser.line((line) => line.includes('"removed"'));
  browser.process.stdin!.end();
});

test('an instance name and a host name that avahi has are left to it, and others chosen', async (t) => {
  if (skip !== undefined) return t.skip(skip);
  const publisher = start(lan.b, ['avahi-publish', '-s', 'Taken', '_aetherstore._tcp', '1', 'txtvers=1']);
  await publisher.line((line) => line.includes('Established'));
  const box = start(lan.a, [process.execPath, child, advertise('beta', 'Taken', 4712)]);
  const ready = JSON.parse(await box.line((line) => line.includes('"ready"')));
  assert.deepEqual(ready.names, { host: 'beta-2', instance: 'Taken (2)' });
  const watch = browse('_aetherstore._tcp');
  const both = await Promise.all([
    watch.line((line) => line.startsWith('=;eth0;IPv4;Taken;') && line.includes(';beta.local;')),
    watch.line(
      (line) => line.startsWith('=;eth0;IPv4;Taken\\032\\0402\\041;') && line.includes(';beta-2.local;'),
    ),
  ]);
  assert.equal(both.length, 2);
  box.process.stdin!.end();
  await stop(watch.process);
  await stop(publisher.process);
});

function whyNot(): string | undefined {
  if (process.platform !== 'linux') return 'network namespaces are a thing of Linux';
  if (process.getuid?.() !== 0) return 'making network namespaces takes root';
  for (const program of ['ip', 'avahi-daemon', 'avahi-browse', 'avahi-publish', 'dbus-daemon', 'unshare']) {
    const found = ['/usr/sbin', '/usr/bin', '/sbin', '/bin'].some((path) => existsSync(join(path, program)));
    if (!found) return `${program} is not installed`;
  }
  try {
    run('ip', 'netns', 'add', `${lan.a}t`);
    run('ip', 'netns', 'delete', `${lan.a}t`);
  } catch {
    return 'network namespaces cannot be made here';
  }
  return undefined;
}

/** avahi with a message bus and a run folder of its own, so that several can be on one computer. */
async function startAvahi(): Promise<void> {
  busAddress = `unix:path=${folder}/bus`;
  mkdirSync(join(folder, 'run'));
  writeFileSync(
    join(folder, 'bus.conf'),
    `<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN" "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>system</type><listen>${busAddress}</listen><auth>EXTERNAL</auth><policy context="default">
<allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/><allow user="*"/></policy></busconfig>`,
  );
  writeFileSync(
    join(folder, 'avahi.conf'),
    '[server]\nhost-name=beta\nuse-ipv4=yes\nuse-ipv6=yes\nallow-interfaces=eth0\n[publish]\npublish-hinfo=no\npublish-workstation=no\npublish-aaaa-on-ipv4=yes\n[wide-area]\nenable-wide-area=no\n',
  );
  start(undefined, ['dbus-daemon', `--config-file=${folder}/bus.conf`, '--nofork', '--nopidfile']);
  await until(() => existsSync(join(folder, 'bus')));
  const command = `mkdir -p /run/avahi-daemon; mount --bind ${folder}/run /run/avahi-daemon; exec avahi-daemon -f ${folder}/avahi.conf --no-drop-root --no-chroot --no-rlimits`;
  const daemon = start(lan.b, ['unshare', '-m', '--propagation', 'private', 'sh', '-c', command]);
  await daemon.line((line) => line.includes('Server startup complete'), 15_000);
}

function browse(type: string): Started {
  return start(lan.b, ['avahi-browse', '-rp', type]);
}

function advertise(hostLabel: string, instance: string, port: number): string {
  const text = { txtvers: '1', box: 'abc', note: 'a b' };
  return JSON.stringify({
    advertise: { hostLabel, services: [{ instance, type: '_aetherstore._tcp', port, text }] },
  });
}

async function resolveHost(family: string, name: string): Promise<string> {
  const resolver = start(lan.b, ['avahi-resolve', family, '-n', name]);
  return resolver.line((line) => line.includes(name));
}

function reverse(address: string): string {
  return run(
    'ip',
    'netns',
    'exec',
    lan.b,
    'env',
    `DBUS_SYSTEM_BUS_ADDRESS=${busAddress}`,
    'avahi-resolve',
    '-a',
    address,
  );
}

interface Started {
  readonly process: ChildProcess;
  /** The first line, past or to come, that fits. */
  line(fits: (line: string) => boolean, limitMs?: number): Promise<string>;
}

function start(namespace: string | undefined, command: readonly string[]): Started {
  const [program, ...rest] =
    namespace === undefined ? command : ['ip', 'netns', 'exec', namespace, ...command];
  const env = { ...process.env, DBUS_SYSTEM_BUS_ADDRESS: busAddress, LC_ALL: 'C.UTF-8' };
  const spawned = spawn(program!, rest, { env, stdio: ['pipe', 'pipe', 'pipe'] });
  running.add(spawned);
  spawned.once('exit', () => running.delete(spawned));
  const lines: string[] = [];
  for (const stream of [spawned.stdout, spawned.stderr]) {
    let rest = '';
    stream.on('data', (chunk: Buffer) => {
      const parts = (rest + chunk.toString()).split('\n');
      rest = parts.pop()!;
      lines.push(...parts);
    });
  }
  const line = async (fits: (line: string) => boolean, limitMs = 10_000) => {
    await until(() => lines.some(fits), limitMs).catch(() => {
      throw new Error(`${command.join(' ')} said only:\n${lines.join('\n')}`);
    });
    return lines.find(fits)!;
  };
  return { process: spawned, line };
}

async function stop(process: ChildProcess): Promise<void> {
  process.kill('SIGTERM');
  await until(() => process.exitCode !== null || process.signalCode !== null);
}

async function until(holds: () => boolean, limitMs = 10_000): Promise<void> {
  for (const startMs = performance.now(); !holds(); await delay(5)) {
    if (performance.now() - startMs > limitMs) throw new Error('waited in vain');
  }
}

function run(program: string, ...rest: string[]): string {
  return execFileSync(program, rest, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

function tryRun(program: string, ...rest: string[]): void {
  try {
    run(program, ...rest);
  } catch {
    // Already gone.
  }
}
