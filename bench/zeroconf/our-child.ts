/**
 * Our own side of the zero-conf benchmark, as a box has it: `our-child.ts advertise NAME` announces a service,
 * `our-child.ts link-local` claims an address on each interface. One JSON object a line; ends by SIGTERM.
 */
import { silentLog } from '../../src/base/log.ts';
import { openKernel } from '../../src/platform/kernel.ts';
import { NodeClock } from '../../src/platform/node-clock.ts';
import { nodeEntropy } from '../../src/platform/node-entropy.ts';
import { NodeMulticastNetwork } from '../../src/platform/node-multicast.ts';
import { Advertiser } from '../../src/zeroconf/dnssd/advertise.ts';
import { LinkLocal } from '../../src/zeroconf/ipv4ll/link-local.ts';

const [task, name = 'box'] = process.argv.slice(2);
const kernel = (await openKernel())!;
const ports = { clock: new NodeClock(), entropy: nodeEntropy, log: silentLog };
process.stdout.write('starting\n');
if (task === 'link-local') {
  const memory = { linkLocalOf: () => undefined, rememberLinkLocal: () => {} };
  LinkLocal.start({ mode: 'always', memory }, { ...kernel, ...ports });
} else {
  const text = { txtvers: '1', box: name };
  const services = [{ instance: name, type: '_aetherstore._tcp', port: 4270, text }];
  await Advertiser.start(
    { hostLabel: name, services },
    { ...ports, network: new NodeMulticastNetwork({ links: kernel.links }) },
  );
}
process.once('SIGTERM', () => process.exit());
