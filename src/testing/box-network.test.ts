import assert from 'node:assert/strict';
import { test } from 'node:test';
import { silentLog } from '../base/log.ts';
import { BoxNetwork } from '../box-network.ts';
import type { MulticastNetwork } from '../ports/datagram.ts';
import { FakeArpWire } from './fake-arp-wire.ts';
import { FakeClock } from './fake-clock.ts';
import { FakeLinkTable } from './fake-link-table.ts';
import { MemoryDisk } from './memory-disk.ts';
import { SeededEntropy } from './seeded-entropy.ts';

/** As Node tells it where nothing else is up. */
const loopback: MulticastNetwork = {
  interfaces: () => [
    {
      name: 'lo',
      mac: '00:00:00:00:00:00',
      carrierChanges: 0,
      addresses: [{ address: '127.0.0.1', family: 'ipv4', prefixLength: 8 }],
    },
  ],
  onChange: () => () => {},
  open: () => Promise.reject(new Error('nothing is sent here')),
};

test('a box whose cable is out is on no network; where nothing could carry, it is tried out on loopback', async () => {
  const clock = new FakeClock();
  const entropy = new SeededEntropy(1);
  const links = new FakeLinkTable();
  const arp = new FakeArpWire({ clock, entropy }).network('box', links);
  const network = await BoxNetwork.open(
    { listenHost: '::', linkLocal: 'never' },
    {
      network: loopback,
      kernel: { links, arp },
      otherResponders: () => [],
      stateDisk: new MemoryDisk({ entropy }),
      ...{ clock, entropy, log: silentLog },
    },
  );
  const names = () => network.facts().interfaces.map(({ name }) => name);
  assert.deepEqual(names(), ['lo']);
  links.add('eth0', 1);
  assert.deepEqual(names(), []);
  links.plug('eth0');
  assert.deepEqual(names(), ['eth0']);
  await network.close();
});
