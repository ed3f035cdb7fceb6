import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Bytes } from '../../base/bytes.ts';
import { linkAnswerMsMax } from '../../base/discovery-limits.ts';
import { AetherError } from '../../base/errors.ts';
import { createLog, type LogEntry } from '../../base/log.ts';
import { sleep } from '../../ports/clock.ts';
import type { AddressChange, LinkErrorCode, LinkState } from '../../ports/link-table.ts';
import { FakeArpWire } from '../../testing/fake-arp-wire.ts';
import { FakeClock } from '../../testing/fake-clock.ts';
import { FakeLinkTable } from '../../testing/fake-link-table.ts';
import { SeededEntropy } from '../../testing/seeded-entropy.ts';
import { arpAnnouncement, decodeArp } from './arp-packet.ts';
import { LinkLocal } from './link-local.ts';
import type { LinkLocalMode } from './policy.ts';

const rival = new Uint8Array([2, 0, 0, 0, 0, 99]);
const aMinute = 60_000;
/** RFC 3927's waits and probes, and some. */
const claimMs = 8000;

/** A kernel that does what it is asked and whose answers get lost, and an interface that gets another address. */
class LossyLinkTable extends FakeLinkTable {
  readonly #clock: FakeClock;
  additionAnswersLost = 0;
  removalsRefused = 0;
  additions = 0;
  mac: Bytes | undefined;

  constructor(clock: FakeClock) {
    super();
    this.#clock = clock;
  }

  override links(): readonly LinkState[] {
    return super.links().map((link) => ({ ...link, mac: this.mac ?? link.mac }));
  }

  override async addAddress(change: AddressChange): Promise<void> {
    this.additions++;
    await super.addAddress(change);
    if (this.additionAnswersLost === 0) return;
    this.additionAnswersLost--;
    await sleep(this.#clock, linkAnswerMsMax);
    throw refused();
  }

  override async removeAddress(change: AddressChange): Promise<void> {
    if (this.removalsRefused === 0) return super.removeAddress(change);
    this.removalsRefused--;
    throw refused();
  }
}

function refused(): AetherError<LinkErrorCode> {
  return new AetherError('LINK_REFUSED', 'the kernel did not answer');
}

function boxOn(mode: LinkLocalMode = 'always') {
  const clock = new FakeClock();
  const entropy = new SeededEntropy(1);
  const wire = new FakeArpWire({ clock, entropy, delayMsMax: 2 });
  const links = new LossyLinkTable(clock);
  links.add('eth0', 1);
  const kept = new Map<string, string>();
  const memory = {
    linkLocalOf: (mac: Bytes) => kept.get(String(mac)),
    rememberLinkLocal: (mac: Bytes, address: string) => void kept.set(String(mac), address),
  };
  const logged: LogEntry[] = [];
  const log = createLog(
    'test',
    () => clock.wallMs(),
    (entry) => logged.push(entry),
  );
  const arp = wire.network('box', links);
  const linkLocal = LinkLocal.start({ mode, memory }, { links, arp, clock, entropy, log });
  const own = () => links.addressesOf('eth0');
  /** Whether the box answers a rival's claim of its address by one of its own. */
  const defends = async () => {
    wire.captured.length = 0;
    wire.inject(arpAnnouncement(rival, own()[0]!));
    await clock.run(1000);
    return wire.captured.some(
      ({ from, frame }) => from === 'box' && decodeArp(frame)?.senderAddress === own()[0],
    );
  };
  return { clock, wire, links, logged, own, defends, facts: () => linkLocal.facts()[0]! };
}

test('an address that the kernel refuses is asked for once a minute, said once, and held when it is taken', async () => {
  const box = boxOn();
  box.links.refuses = 'LINK_REFUSED';
  box.links.plug('eth0');
  await box.clock.run(10 * aMinute);
  assert.equal(box.facts().phase, 'unavailable');
  assert.ok(box.links.additions >= 8 && box.links.additions <= 11, `${box.links.additions} times`);
  assert.equal(box.logged.filter(({ level }) => level === 'warn').length, 1);
  box.links.refuses = undefined;
  await box.clock.run(aMinute + claimMs);
  const [address] = box.own();
  assert.match(address!, /^169\.254\./);
  assert.deepEqual([box.facts().phase, box.facts().address, box.facts().reason], ['held', address, null]);
  assert.ok(await box.defends());
});

for (const removalsRefused of [0, 1]) {
  const what = removalsRefused === 0 ? 'goes again' : 'that cannot be removed is still ours';
  test(`an address that is there though the kernel's answer was lost ${what}, and is asked for anew`, async () => {
    const box = boxOn();
    Object.assign(box.links, { additionAnswersLost: 1, removalsRefused });
    box.links.plug('eth0');
    await box.clock.run(claimMs + linkAnswerMsMax);
    assert.equal(box.own().length, removalsRefused);
    await box.clock.run(30_000);
    assert.equal(box.links.additions, 1, 'what the kernel told of it meanwhile hurries nothing');
    await box.clock.run(30_000 + claimMs);
    assert.equal(box.own().length, 1);
    assert.deepEqual([box.facts().phase, box.facts().reason], ['held', null]);
    assert.ok(await box.defends());
  });
}

test('an address lost to a rival that cannot be removed at once goes when the next one is there', async () => {
  const box = boxOn();
  box.links.plug('eth0');
  await box.clock.run(claimMs);
  const lost = box.own()[0]!;
  box.links.removalsRefused = 1;
  for (let claim = 0; claim < 2; claim++) {
    box.wire.inject(arpAnnouncement(rival, lost));
    await box.clock.run(1000);
  }
  assert.deepEqual(box.own(), [lost]);
  await box.clock.run(claimMs);
  assert.equal(box.own().length, 1);
  assert.notEqual(box.own()[0], lost);
  assert.equal(box.facts().address, box.own()[0]);
});

test('after a refusal a cable that comes back, or an address of DHCP, ends the wait and what was said of it', async () => {
  const box = boxOn('fallback');
  box.links.refuses = 'LINK_REFUSED';
  box.links.plug('eth0');
  await box.clock.run(5000 + claimMs);
  assert.equal(box.facts().phase, 'unavailable');
  box.links.refuses = undefined;
  box.links.unplug('eth0');
  await box.clock.run(100);
  box.links.plug('eth0');
  await box.clock.run(claimMs);
  assert.deepEqual([box.facts().phase, box.facts().reason], ['held', null]);

  box.links.refuses = 'LINK_REFUSED';
  box.links.take('eth0', box.own()[0]!);
  await box.clock.run(claimMs);
  assert.equal(box.facts().phase, 'unavailable');
  box.links.give('eth0', '192.0.2.7');
  await box.clock.run(2 * aMinute);
  assert.deepEqual([box.facts().phase, box.facts().reason], ['off', null]);
});

test('an interface that gets another hardware address gives its address back and claims one anew', async () => {
  for (const mode of ['always', 'fallback'] as const) {
    const box = boxOn(mode);
    box.links.plug('eth0');
    await box.clock.run(5000 + claimMs);
    const [before] = box.own();
    box.links.mac = new Uint8Array([2, 9, 9, 9, 9, 9]);
    box.links.plug('eth0');
    await box.clock.run(100);
    assert.deepEqual(box.own(), []);
    await box.clock.run(5000 + claimMs);
    assert.equal(box.own().length, 1);
    assert.notEqual(box.own()[0], before);
    assert.equal(box.facts().address, box.own()[0]);
    assert.ok(await box.defends());
  }
});

test('an interface made anew under its old name keeps what somebody else gave it', async () => {
  const box = boxOn();
  box.links.plug('eth0');
  await box.clock.run(claimMs);
  const address = box.own()[0]!;
  box.links.remove('eth0');
  box.links.add('eth0', 1);
  box.links.plug('eth0');
  box.links.give('eth0', address, 'link-local');
  await box.clock.run(claimMs);
  assert.deepEqual(box.own(), [address]);
  assert.equal(box.facts().phase, 'off');
});
