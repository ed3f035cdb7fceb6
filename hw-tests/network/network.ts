import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import { Avahi, whyNoAvahi } from '../../scripts/lan/avahi.ts';
import type { LanHost } from '../../scripts/lan/network.ts';
import type { Place } from '../../scripts/lan/processes.ts';
import type { Scene } from '../scene.ts';
import type { HardwareTest, Suite } from '../suite.ts';

const linkLocal = /^169\.254\.\d+\.\d+$/;
const linkLocalMsMax = 120_000;
const dhcpMsMax = 180_000;

interface ScannedBox {
  readonly name: string;
  readonly host: string;
  readonly addresses: readonly { readonly host: string; readonly port: number }[];
}

const hasDhcpAddress: HardwareTest = {
  name: 'a box takes the address that the DHCP server gives, and says so',
  needs: ['dhcp'],
  changesNothing: true,
  run: async (scene) => {
    await scene.serving();
    const address = await scene.target.network.address();
    const { network } = await scene.status();
    const said = network.interfaces.flatMap((each) => each.addresses).map((each) => each.address);
    assert.ok(said.includes(address), `the server gave ${address}, the console says ${said.join(', ')}`);
    return address;
  },
};

function isFound(name: string, needs: HardwareTest['needs'], from: 'desktop' | 'second'): HardwareTest {
  return {
    name,
    needs,
    changesNothing: true,
    run: async (scene) => {
      await scene.serving();
      return findAtAddress(scene, scene.target.network[from]);
    },
  };
}

const isSeenByAvahi: HardwareTest = {
  name: 'avahi, as most Linux desktops have it, resolves its name and its service',
  needs: ['second computer'],
  changesNothing: true,
  run: async (scene) => {
    await scene.serving();
    const name = await scene.target.console.greet();
    const address = await scene.target.network.address();
    return withAvahi(scene.target.network.second, async (avahi) => {
      const { txt, host } = await serviceOf(avahi, name, address);
      const { stdout } = await avahi.run('avahi-resolve', ['-4', '-n', `${name}.local`]);
      assert.ok(stdout.includes(address), `avahi-resolve ${name}.local: ${stdout}`);
      return `${host} is ${address}, _aetherstore._tcp with ${Object.keys(txt).join(', ')}`;
    });
  },
};

const hasLinkLocalAddress: HardwareTest = {
  name: 'on a network without any DHCP server it claims an address of 169.254/16, and two computers see it there',
  needs: ['dhcp', 'cable', 'second computer'],
  run: async (scene) => {
    await scene.serving();
    const { console: boxConsole, network } = scene.target;
    const name = await boxConsole.greet();
    const startMs = await replugWithoutServer(scene);
    const address = await linkLocalAddress(scene);
    const seconds = (performance.now() - startMs) / 1000;
    for (const [index, place] of [network.desktop, network.second].entries()) {
      await place.run('ip', ['address', 'add', `169.254.77.${index + 1}/16`, 'dev', 'eth0'], {
        mayFail: true,
      });
      await place.run('ping', ['-c', '3', '-W', '5', address], { mayFail: true });
      await findAt(scene, place, { name, address });
      await reach(place, address);
    }
    const kept = await withAvahi(
      network.second,
      async (avahi) => (await serviceOf(avahi, name, address)).host,
    );
    return `${address} ${seconds.toFixed(1)} s after the cable, served there to both; avahi: ${kept}`;
  },
};

const comesBackToDhcp: HardwareTest = {
  name: 'when a DHCP server appears, it takes its address and gives the link-local one up',
  needs: ['dhcp', 'cable'],
  run: async (scene) => {
    await scene.serving();
    const { network } = scene.target;
    await replugWithoutServer(scene);
    await linkLocalAddress(scene);
    const startMs = performance.now();
    await network.dhcp(true);
    const given = await network.address();
    for (;;) {
      const addresses = await addressesOf(scene);
      if (addresses.includes(given) && !addresses.some((each) => linkLocal.test(each))) break;
      assert.ok(
        performance.now() - startMs < scene.patienceMs(dhcpMsMax),
        `it still has ${addresses.join(', ')}`,
      );
      await delay(1000);
    }
    return `${((performance.now() - startMs) / 1000).toFixed(0)} s after the server`;
  },
};

export const network: Suite = {
  name: 'network',
  tests: [
    hasDhcpAddress,
    isFound('aether scan finds it, at the address it has', [], 'desktop'),
    isFound('aether scan on another computer finds it there too', ['second computer'], 'second'),
    isSeenByAvahi,
    hasLinkLocalAddress,
    comesBackToDhcp,
  ],
};

/** To another network, which has no DHCP server; returns when the cable was plugged in there. */
async function replugWithoutServer({ target: { network } }: Scene): Promise<number> {
  await network.cable(false);
  await network.dhcp(false);
  // A cable that is out for less is no other network.
  await delay(6000);
  await network.cable(true);
  return performance.now();
}

async function addressesOf(scene: Scene): Promise<readonly string[]> {
  const status = await scene.status();
  return status.network.interfaces.flatMap((each) => each.addresses).map(({ address }) => address);
}

async function linkLocalAddress(scene: Scene): Promise<string> {
  const timeoutMs = scene.patienceMs(linkLocalMsMax);
  const endMs = performance.now() + timeoutMs;
  for (;;) {
    const addresses = await addressesOf(scene);
    const found = addresses.find((address) => linkLocal.test(address));
    if (found !== undefined) return found;
    if (performance.now() > endMs)
      throw new Error(`no link-local address after ${timeoutMs / 1000} s, but ${addresses.join(', ')}`);
    await delay(500);
  }
}

async function findAtAddress(scene: Scene, place: Place): Promise<string> {
  const name = await scene.target.console.greet();
  const address = await scene.target.network.address();
  const startMs = performance.now();
  await findAt(scene, place, { name, address });
  return `${name} within ${((performance.now() - startMs) / 1000).toFixed(1)} s`;
}

async function findAt(
  scene: Scene,
  place: Place,
  { name, address }: { readonly name: string; readonly address: string },
): Promise<void> {
  const hosts = (await scanFor(scene, place, name)).addresses.map(({ host }) => host);
  assert.ok(hosts.includes(address), `${place.name} finds ${name} at ${hosts.join(', ')}, not ${address}`);
}

/** Looks for it some times: on a machine that is emulated the answer to a question may come after the scan. */
async function scanFor(scene: Scene, place: Place, name: string): Promise<ScannedBox> {
  for (let tries = 0; tries < 8; tries++) {
    const { stdout } = await scene
      .aetherAt(place)
      .run(['scan', '--json'], { timeoutMs: scene.patienceMs(60_000) });
    const found = JSON.parse(stdout) as readonly ScannedBox[];
    const box = found.find((each) => each.name === name);
    if (box !== undefined && box.addresses.length > 0) return box;
  }
  throw new Error(`aether scan on ${place.name} does not find ${name}`);
}

async function reach(place: Place, address: string): Promise<void> {
  await place.run('bash', ['-c', `exec 3<>/dev/tcp/${address}/443`], { timeoutMs: 10_000 });
}

async function withAvahi<T>(place: Place, run: (avahi: Avahi) => Promise<T>): Promise<T> {
  const reason = whyNoAvahi();
  if (reason !== undefined) throw new Error(reason);
  const avahi = await Avahi.start(place as LanHost);
  try {
    return await run(avahi);
  } finally {
    await avahi.stop();
  }
}

async function serviceOf(
  avahi: Avahi,
  name: string,
  address: string,
): Promise<{ readonly host: string; readonly txt: Readonly<Record<string, string>> }> {
  for (let tries = 0; tries < 15; tries++) {
    const services = await avahi.browse('_aetherstore._tcp');
    const found = services.find((each) => each.instance === name && each.address === address);
    if (found !== undefined) return { host: found.hostName, txt: found.txt };
    await delay(1000);
  }
  throw new Error(`avahi-browse does not see ${name} at ${address}`);
}
