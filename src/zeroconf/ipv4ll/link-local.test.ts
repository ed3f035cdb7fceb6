import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Bytes } from '../../base/bytes.ts';
import { createLog, type LogEntry } from '../../base/log.ts';
import { arpReply, FakeArpWire, type FakeArpWireOptions } from '../../testing/fake-arp-wire.ts';
import { FakeClock } from '../../testing/fake-clock.ts';
import { FakeLinkTable } from '../../testing/fake-link-table.ts';
import { SeededEntropy } from '../../testing/seeded-entropy.ts';
import { arpAnnouncement, decodeArp } from './arp-packet.ts';
import { candidateAddress } from './candidate.ts';
import type { LinkLocalMemory } from './link-claimer.ts';
import { LinkLocal, type LinkLocalOptions } from './link-local.ts';

const rival = new Uint8Array([2, 0, 0, 0, 0, 99]);

/** Production hosts on one wire and a virtual clock. */
class Wire {
  readonly clock = new FakeClock();
  readonly wire: FakeArpWire;
  readonly logged: LogEntry[] = [];
  readonly #seed: number;
  #hosts = 0;

  constructor(seed = 1, options: Partial<FakeArpWireOptions> = {}) {
    this.#seed = seed;
    this.wire = new FakeArpWire({
      clock: this.clock,
      entropy: new SeededEntropy(seed),
      delayMsMax: 2,
      ...options,
    });
  }

  host(options: Partial<LinkLocalOptions> = {}, refuses: 'ARP_NOT_PERMITTED' | undefined = undefined) {
    const number = ++this.#hosts;
    const links = new FakeLinkTable();
    links.add('eth0', number);
    const arp = this.wire.network(`host ${number}`, links);
    arp.refuses = refuses;
    const memory = memoryOf();
    const log = createLog(
      'test',
      () => this.clock.wallMs(),
      (entry) => this.logged.push(entry),
    );
    const ports = {
      links,
      arp,
      clock: this.clock,
      entropy: new SeededEntropy(this.#seed * 100 + number),
      log,
    };
    const start = () => LinkLocal.start({ mode: 'fallback', memory, ...options }, ports);
    return { links, memory, start, linkLocal: start(), own: () => links.addressesOf('eth0') };
  }

  /** Denies whatever is probed for from now on, as a hostile or confused host would. */
  denyEverything(): void {
    const deny = () => {
      const seen = this.wire.captured.splice(0);
      for (const { frame, from } of seen) {
        const packet = decodeArp(frame);
        if (packet?.senderAddress === '0.0.0.0' && from !== 'injected')
          this.wire.inject(arpReply(rival, packet.targetAddress, packet.senderMac));
      }
      this.clock.after(5, deny);
    };
    deny();
  }
}

function memoryOf(): LinkLocalMemory & { readonly kept: Map<string, string> } {
  const kept = new Map<string, string>();
  return {
    kept,
    linkLocalOf: (mac: Bytes) => kept.get(String(mac)),
    rememberLinkLocal: (mac: Bytes, address: string) => void kept.set(String(mac), address),
  };
}

test('a box on a bare cable has an address 9 to 12 s after link-up: 5 s for DHCP, then RFC 3927’s 4 to 7 s', async () => {
  for (const seed of [1, 2, 3, 4, 5]) {
    const lan = new Wire(seed);
    const box = lan.host();
    box.links.plug('eth0');
    await lan.clock.run(8900);
    assert.deepEqual(box.own(), [], 'L0: no address before its claim has succeeded');
    assert.equal(box.linkLocal.facts()[0]!.phase, 'probing');
    await lan.clock.run(3200);
    assert.match(box.own()[0]!, /^169\.254\./);
    assert.deepEqual(box.linkLocal.facts(), [
      {
        interfaceName: 'eth0',
        phase: 'held',
        address: box.own()[0],
        reason: null,
        conflicts: 0,
        framesRefused: 0,
      },
    ]);
  }
});

test('L0: nothing is put on the interface while it is asked for, however long it is denied (RFC 3927 §2.2)', async () => {
  const lan = new Wire();
  const box = lan.host({ mode: 'always' });
  lan.denyEverything();
  box.links.plug('eth0');
  for (let second = 0; second < 300; second++) {
    await lan.clock.run(1000);
    assert.deepEqual(box.own(), []);
  }
});

test('L4: a host that denies every probe gets at most one new address a minute to see (RFC 3927 §2.2.1)', async () => {
  const lan = new Wire();
  const box = lan.host({ mode: 'always' });
  box.links.plug('eth0');
  lan.denyEverything();
  await lan.clock.run(60_000);
  const afterOneMinute = box.linkLocal.facts()[0]!.conflicts;
  assert.ok(afterOneMinute >= 11 && afterOneMinute <= 13, `${afterOneMinute}`);
  await lan.clock.run(600_000);
  assert.ok(box.linkLocal.facts()[0]!.conflicts - afterOneMinute <= 11);
});

test('hosts on one wire end up with addresses of their own, on a lossy network too', async () => {
  for (let seed = 1; seed <= 20; seed++) {
    const lan = new Wire(seed, { lossRate: seed % 2 === 0 ? 0.2 : 0, duplicateRate: 0.1, delayMsMax: 50 });
    // All remember the same address: the worst case.
    const hosts = Array.from({ length: 5 }, () => lan.host({ mode: 'always' }));
    await Promise.all(hosts.map((host) => host.linkLocal.close()));
    const started = hosts.map((host) => {
      const [link] = host.links.links();
      host.memory.rememberLinkLocal(link!.mac, '169.254.7.7');
      host.links.plug('eth0');
      return host.start();
    });
    await lan.clock.run(120_000);
    const owned = hosts.map((host) => host.own().join());
    assert.equal(new Set(owned).size, 5, `seed ${seed}: ${owned}`);
    assert.ok(owned.every((address) => address !== ''));
    await lan.clock.runUntil(Promise.all(started.map((one) => one.close())));
  }
});

test('L7: cable out: the address goes; cable in: the same one is asked for first, within the second', async () => {
  const lan = new Wire();
  const box = lan.host();
  box.links.plug('eth0');
  await lan.clock.run(15_000);
  const [address] = box.own();
  box.links.unplug('eth0');
  await lan.clock.run(1000);
  assert.deepEqual(box.own(), []);
  lan.wire.captured.length = 0;
  box.links.plug('eth0');
  await lan.clock.run(1000);
  assert.equal(decodeArp(lan.wire.captured[0]!.frame)?.targetAddress, address);
  await lan.clock.run(6500);
  assert.deepEqual(box.own(), [address]);
});

test('L7: a cable that was out for a moment only, heard of as one change, is probed for all the same', async () => {
  const lan = new Wire();
  const box = lan.host();
  box.links.plug('eth0');
  await lan.clock.run(15_000);
  lan.wire.captured.length = 0;
  box.links.unplug('eth0');
  box.links.plug('eth0');
  await lan.clock.run(8000);
  assert.equal(decodeArp(lan.wire.captured[0]!.frame)?.senderAddress, '0.0.0.0');
  assert.match(box.own()[0]!, /^169\.254\./);
});

test('L8: after a restart the box asks for the address it had, also when a killed run has left it behind', async () => {
  const lan = new Wire();
  const box = lan.host();
  box.links.plug('eth0');
  await lan.clock.run(15_000);
  const [address] = box.own();
  await lan.clock.runUntil(box.linkLocal.close());
  assert.deepEqual(box.own(), [], 'a clean stop leaves nothing behind');
  box.links.give('eth0', address!, 'link-local');
  lan.wire.captured.length = 0;
  const again = box.start();
  await lan.clock.run(100);
  assert.deepEqual(box.own(), [], 'not used before it was asked for');
  await lan.clock.run(15_000);
  assert.deepEqual(box.own(), [address]);
  assert.equal(decodeArp(lan.wire.captured[0]!.frame)?.targetAddress, address);
  await lan.clock.runUntil(again.close());
});

test('L10: DHCP comes: its address is left alone, ours goes after a minute; DHCP goes: ours is back (RFC 3927 §1.9)', async () => {
  const lan = new Wire();
  const box = lan.host();
  box.links.plug('eth0');
  await lan.clock.run(15_000);
  const [address] = box.own();
  box.links.give('eth0', '192.0.2.7');
  await lan.clock.run(59_000);
  assert.deepEqual(box.own(), [address, '192.0.2.7']);
  await lan.clock.run(2000);
  assert.deepEqual(box.own(), ['192.0.2.7']);
  box.links.take('eth0', '192.0.2.7');
  await lan.clock.run(8000);
  assert.deepEqual(box.own(), [address]);
});

test('an address of 169.254/16 that somebody else put there is used as it is', async () => {
  const lan = new Wire();
  const box = lan.host();
  box.links.plug('eth0');
  box.links.give('eth0', '169.254.9.9', 'link-local');
  await lan.clock.run(60_000);
  assert.deepEqual(box.own(), ['169.254.9.9']);
  assert.equal(lan.wire.captured.length, 0);
});

test('an address of ours that somebody takes off the interface is asked for anew', async () => {
  const lan = new Wire();
  const box = lan.host();
  box.links.plug('eth0');
  await lan.clock.run(15_000);
  const [address] = box.own();
  box.links.take('eth0', address!);
  await lan.clock.run(8000);
  assert.deepEqual(box.own(), [address]);
});

test('L6: two rivals’ claims within ten seconds, and the box has another address (RFC 3927 §2.5)', async () => {
  const lan = new Wire();
  const box = lan.host();
  box.links.plug('eth0');
  await lan.clock.run(15_000);
  const [address] = box.own();
  lan.wire.inject(arpAnnouncement(rival, address!));
  await lan.clock.run(1000);
  assert.deepEqual(box.own(), [address]);
  lan.wire.inject(arpAnnouncement(rival, address!));
  await lan.clock.run(100);
  assert.deepEqual(box.own(), []);
  await lan.clock.run(8000);
  assert.match(box.own()[0]!, /^169\.254\./);
  assert.notEqual(box.own()[0], address);
});

test('without the right to raw sockets or to change addresses the box says so once, and goes on', async () => {
  const lan = new Wire();
  const noArp = lan.host({ mode: 'always' }, 'ARP_NOT_PERMITTED');
  const noAdmin = lan.host({ mode: 'always' });
  noAdmin.links.refuses = 'LINK_NOT_PERMITTED';
  for (const host of [noArp, noAdmin]) host.links.plug('eth0');
  await lan.clock.run(60_000);
  for (const host of [noArp, noAdmin]) {
    const [facts] = host.linkLocal.facts();
    assert.equal(facts!.phase, 'unavailable');
    assert.match(facts!.reason!, /eth0/);
    host.links.give('eth0', '192.0.2.9');
  }
  await lan.clock.run(60_000);
  assert.equal(lan.logged.filter(({ level }) => level === 'warn').length, 2);
});

test('interfaces that come later, go, and come back under the same name are served', async () => {
  const lan = new Wire();
  const box = lan.host({ mode: 'always' });
  box.links.plug('eth0');
  await lan.clock.run(10_000);
  box.links.remove('eth0');
  await lan.clock.run(1000);
  assert.deepEqual(box.linkLocal.facts(), []);
  box.links.add('eth0', 1);
  box.links.plug('eth0');
  await lan.clock.run(10_000);
  const [link] = box.links.links();
  assert.deepEqual(box.own(), [candidateAddress(link!.mac, 0)]);
});

test('frames that are no ARP are counted, and change nothing', async () => {
  const lan = new Wire();
  const box = lan.host();
  box.links.plug('eth0');
  await lan.clock.run(15_000);
  const [address] = box.own();
  const whole = arpAnnouncement(rival, address!);
  for (let length = 14; length < 42; length++) lan.wire.inject(whole.slice(0, length));
  await lan.clock.run(10_000);
  assert.deepEqual(box.own(), [address]);
  assert.equal(box.linkLocal.facts()[0]!.framesRefused, 28);
});

test('a flood of claims costs no memory and no more than one address in a defence', async () => {
  const lan = new Wire();
  const box = lan.host();
  box.links.plug('eth0');
  await lan.clock.run(15_000);
  for (let number = 0; number < 2000; number++) {
    lan.wire.inject(arpAnnouncement(rival, `169.254.${1 + (number % 254)}.${(number >> 8) % 256}`));
  }
  lan.wire.captured.length = 0;
  await lan.clock.run(20_000);
  assert.ok(lan.wire.captured.length < 20, `${lan.wire.captured.length} frames`);
  assert.match(box.own()[0]!, /^169\.254\./);
});
