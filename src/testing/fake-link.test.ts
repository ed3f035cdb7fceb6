import { arpNetworkContract } from './contracts/arp-network-contract.ts';
import { linkTableContract } from './contracts/link-table-contract.ts';
import { FakeArpWire } from './fake-arp-wire.ts';
import { FakeClock } from './fake-clock.ts';
import { FakeLinkTable } from './fake-link-table.ts';
import { SeededEntropy } from './seeded-entropy.ts';

function until(clock: FakeClock) {
  return async (holds: () => boolean) => {
    await clock.run(10);
    if (!holds()) throw new Error('waited in vain');
  };
}

linkTableContract('fake', async () => {
  const links = new FakeLinkTable();
  links.add('eth0', 1);
  links.plug('eth0');
  return {
    links,
    interfaceName: 'eth0',
    give: async (address) => links.give('eth0', address, 'static'),
    take: async (address) => links.take('eth0', address),
    plug: async () => links.plug('eth0'),
    unplug: async () => links.unplug('eth0'),
    until: until(new FakeClock()),
  };
});

arpNetworkContract('fake', async () => {
  const clock = new FakeClock();
  const wire = new FakeArpWire({ clock, entropy: new SeededEntropy(1) });
  const [near, far] = [1, 2].map((number) => {
    const links = new FakeLinkTable();
    links.add('eth0', number);
    links.plug('eth0');
    return { arp: wire.network(`host ${number}`, links), interfaceName: 'eth0' };
  });
  return { near: near!, far: far!, until: until(clock) };
});
