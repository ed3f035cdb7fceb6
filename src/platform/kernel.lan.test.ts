import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import koffi from 'koffi';
import { arpNetworkContract } from '../testing/contracts/arp-network-contract.ts';
import { linkTableContract } from '../testing/contracts/link-table-contract.ts';
import { type Kernel, openKernel } from './kernel.ts';

/*
 * On the real kernel, in a network namespace that this process makes for itself: a pair of interfaces, `near` and
 * `far`, with a cable between them.
 */
const skip = whyNot();

function whyNot(): string | undefined {
  if (process.platform !== 'linux') return 'rtnetlink and packet sockets are things of Linux';
  if (process.getuid?.() !== 0) return 'making a network namespace takes root';
  const newNetwork = 0x40000000;
  if (koffi.load('libc.so.6').func('int unshare(int)')(newNetwork) !== 0)
    return 'network namespaces cannot be made here';
  try {
    ip('link', 'set', 'lo', 'up');
    ip('link', 'add', 'near', 'type', 'veth', 'peer', 'name', 'far');
    ip('link', 'set', 'near', 'up');
    ip('link', 'set', 'far', 'up');
  } catch {
    return 'iproute2 is not installed, or pairs of interfaces cannot be made here';
  }
  return undefined;
}

function ip(...words: string[]): string {
  return execFileSync('ip', words, { encoding: 'utf8' });
}

async function until(holds: () => boolean): Promise<void> {
  for (let waitedMs = 0; !holds(); waitedMs += 5) {
    if (waitedMs > 5000) throw new Error('waited in vain');
    await delay(5);
  }
}

async function opened(context: TestContext): Promise<Kernel> {
  const kernel = (await openKernel())!;
  context.after(() => kernel.close());
  return kernel;
}

linkTableContract('rtnetlink', async (context) => {
  if (skip !== undefined) return skip;
  const { links } = await opened(context);
  await until(() => links.links().some((link) => link.name === 'near' && link.isUp));
  return {
    links,
    interfaceName: 'near',
    give: async (address) => void ip('address', 'add', `${address}/24`, 'dev', 'near'),
    take: async (address) => void ip('address', 'delete', `${address}/24`, 'dev', 'near'),
    plug: async () => void ip('link', 'set', 'far', 'up'),
    unplug: async () => void ip('link', 'set', 'far', 'down'),
    until,
  };
});

arpNetworkContract('packet socket', async (context) => {
  if (skip !== undefined) return skip;
  const { arp } = await opened(context);
  return { near: { arp, interfaceName: 'near' }, far: { arp, interfaceName: 'far' }, until };
});

test('rtnetlink: more changes at once than the kernel keeps notices of are caught up with', async (context) => {
  if (skip !== undefined) return context.skip(skip);
  const { links } = await opened(context);
  const lines = Array.from({ length: 4000 }, (_, n) => `address add 10.${n >> 8}.${n & 255}.1/32 dev near`);
  execFileSync('ip', ['-batch', '-'], { input: lines.join('\n') });
  const count = () => links.links().find(({ name }) => name === 'near')!.addresses.length;
  await until(() => count() >= 4000);
  execFileSync('ip', ['address', 'flush', 'dev', 'near', 'to', '10.0.0.0/8']);
  await until(() => count() < 10);
});

test('rtnetlink: an interface that goes and comes again under its name has another number', async (context) => {
  if (skip !== undefined) return context.skip(skip);
  const { links } = await opened(context);
  const find = () => links.links().find(({ name }) => name === 'extra');
  ip('link', 'add', 'extra', 'type', 'veth', 'peer', 'name', 'end');
  await until(() => find() !== undefined);
  const { index } = find()!;
  ip('link', 'delete', 'extra');
  await until(() => find() === undefined);
  ip('link', 'add', 'extra', 'type', 'veth', 'peer', 'name', 'end');
  await until(() => find() !== undefined);
  assert.notEqual(find()!.index, index);
  ip('link', 'delete', 'extra');
});

test('a process without the rights for it is told so by code, whichever way it ends it ends', async (context) => {
  if (skip !== undefined) return context.skip(skip);
  const module = new URL('./kernel.ts', import.meta.url).href;
  const program = (ending: string) => `
    import { openKernel } from '${module}';
    const kernel = await openKernel();
    const code = (error) => error.code;
    const change = { interfaceName: 'near', address: '169.254.7.7', prefixLength: 16 };
    console.log(await kernel.arp.open('near').catch(code), await kernel.links.addAddress(change).catch(code));
    ${ending}`;
  for (const [ending, status] of [
    ['await kernel.close();', 0],
    ['process.exit(7);', 7],
    ['throw new Error("on purpose");', 1],
  ] as const) {
    const node = [process.execPath, '--input-type=module-typescript', '-e', program(ending)];
    const child = spawn('setpriv', [
      '--bounding-set=-all',
      '--inh-caps=-all',
      '--reuid=65534',
      '--clear-groups',
      ...node,
    ]);
    const said: Buffer[] = [];
    child.stdout.on('data', (chunk) => said.push(chunk));
    const [exitCode] = await once(child, 'close', { signal: AbortSignal.timeout(20_000) });
    assert.equal(Buffer.concat(said).toString().trim(), 'ARP_NOT_PERMITTED LINK_NOT_PERMITTED', ending);
    assert.equal(exitCode, status, ending);
  }
});
