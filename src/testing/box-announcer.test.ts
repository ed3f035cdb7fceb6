import assert from 'node:assert/strict';
import { test } from 'node:test';
import { silentLog } from '../base/log.ts';
import type { Box } from '../box.ts';
import { BoxAnnouncer, boxServiceType } from '../box-announcer.ts';
import { sleep } from '../ports/clock.ts';
import type { MulticastNetwork } from '../ports/datagram.ts';
import { Browser } from '../zeroconf/dnssd/browse.ts';
import { NetworkMemory } from '../zeroconf/network-memory.ts';
import { FakeClock } from './fake-clock.ts';
import { FakeLan } from './fake-multicast-network.ts';
import { MemoryDisk } from './memory-disk.ts';
import { SeededEntropy } from './seeded-entropy.ts';

const socketMs = 10;

/** A LAN on which a box's sockets take their time, its announcer on the way, and who looks for boxes. */
async function startedLan() {
  const clock = new FakeClock();
  const entropy = new SeededEntropy(1);
  const lan = new FakeLan({ clock, seed: 1, delayMs: { least: 0.1, most: 2 } });
  const host = lan.host('box');
  const network: MulticastNetwork = {
    interfaces: () => host.interfaces(),
    onChange: (listener) => host.onChange(listener),
    open: async (options) => {
      await sleep(clock, socketMs);
      return host.open(options);
    },
  };
  const listeners = new Set<() => void>();
  const capacity = { freeBytes: 64 * 2 ** 30 };
  // What an announcer asks of a box.
  const box = {
    claimed: false,
    name: 'aether-0707',
    identity: { memberId: new Uint8Array(32).fill(7) },
    poolId: undefined as Uint8Array | undefined,
    status: () => ({ capacity }),
    onChange: (listener: () => void) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    hint: () => {},
  };
  const change = (what: () => void) => {
    what();
    for (const listener of listeners) listener();
  };
  const memory = await NetworkMemory.open(new MemoryDisk({ entropy }), { log: silentLog });
  const ports = { clock, entropy, log: silentLog };
  const starting = BoxAnnouncer.start(box as unknown as Box, { port: 4270 }, { ...ports, network, memory });
  const looking = Browser.start({ type: boxServiceType }, { ...ports, network: lan.host('desktop') });
  return { clock, box, capacity, change, starting, browser: await looking };
}

test('a box that is claimed while its sockets open is announced as a member, with the room it has by then', async () => {
  for (const afterMs of [socketMs / 2, socketMs * 1.5]) {
    const { clock, box, capacity, change, starting, browser } = await startedLan();
    clock.after(afterMs, () =>
      change(() => {
        Object.assign(box, { claimed: true, poolId: new Uint8Array(16) });
        capacity.freeBytes = 16 * 2 ** 30;
      }),
    );
    const announcer = await clock.runUntil(starting);
    assert.ok(clock.monotonicMs() > afterMs);
    await clock.run(10_000);
    const [found] = browser.found();
    assert.equal(found?.text.state, 'member', `claimed after ${afterMs} ms`);
    assert.match(found?.text.pool ?? '', /^[0-9a-f]{8}$/);
    assert.equal(found?.text.free, '16');
    await clock.runUntil(announcer.close());
  }
});
