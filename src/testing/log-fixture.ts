import { createHash } from 'node:crypto';
import { type Bytes, concat, equalBytes, toHex } from '../base/bytes.ts';
import { silentLog } from '../base/log.ts';
import type { LogStorePorts } from '../files/log/log-ports.ts';
import type { LogPeers } from '../files/log/log-shipping.ts';
import { LogShipping } from '../files/log/log-shipping.ts';
import { LogStore } from '../files/log/log-store.ts';
import { TreeStore } from '../files/tree/tree-store.ts';
import { TreeService } from '../files/tree-service.ts';
import { FakeClock } from './fake-clock.ts';
import { MemoryDisk } from './memory-disk.ts';
import { MemoryKeyValueStore } from './memory-key-value-store.ts';
import { SeededEntropy } from './seeded-entropy.ts';

export const metadataKey: Bytes = new Uint8Array(32).fill(7);
export const nameKey: Bytes = new Uint8Array(32).fill(8);

export function memberId(index: number): Bytes {
  return new Uint8Array(32).fill(index);
}

/** Stands in for ECDSA: as long as a real signature, and another one for each author and message. */
export function fakeSignature(author: Bytes, message: Bytes): Bytes {
  return new Uint8Array(
    createHash('sha512')
      .update(concat([author, message]))
      .digest(),
  );
}

export interface LogFixture extends LogStorePorts {
  readonly disk: MemoryDisk;
  readonly clock: FakeClock;
  readonly entropy: SeededEntropy;
}

/** What a log store of member `index` needs, in a pool of the members 1–9. */
export function logFixture(index: number, clock = new FakeClock(), seed = index): LogFixture {
  const entropy = new SeededEntropy(seed);
  const self = memberId(index);
  return {
    disk: new MemoryDisk({ entropy }),
    clock,
    entropy,
    log: silentLog,
    signer: { memberId: self, sign: (message) => fakeSignature(self, message) },
    authors: {
      verify: (author, message, signature) => {
        if (author[0]! < 1 || author[0]! > 9) return 'unknown';
        return equalBytes(signature, fakeSignature(author, message)) ? 'valid' : 'invalid';
      },
    },
    keys: { epoch: 1, metadataKey: (epoch) => (epoch === 1 ? metadataKey : undefined) },
  };
}

export interface TreeBox {
  readonly fixture: LogFixture;
  readonly store: MemoryKeyValueStore;
  readonly logs: LogStore;
  readonly tree: TreeStore;
  readonly shipping: LogShipping;
  readonly service: TreeService;
}

export const noPeers: LogPeers = {
  boxes: () => [],
  request: () => Promise.reject(new Error('there are no peers')),
};

/** Opens a box's logs, tree and service over the disks of `fixture` and `store`. */
export async function openTreeBox(
  fixture: LogFixture,
  store = new MemoryKeyValueStore({ entropy: fixture.entropy }),
  peers: LogPeers = noPeers,
): Promise<TreeBox> {
  const logs = await LogStore.open(fixture);
  const tree = await TreeStore.open(
    { metadataKey, nameKey },
    { ...fixture, store, recordsDurable: () => logs.settled() },
  );
  const shipping = new LogShipping(logs, { clock: fixture.clock, log: silentLog, peers });
  const service = await TreeService.open({ logs, tree, shipping, entropy: fixture.entropy, log: silentLog });
  return { fixture, store, logs, tree, shipping, service };
}

/** Peers that answer by calling the other boxes' handlers; `boxes` may change while it is used. */
export function directPeers(self: Bytes, boxes: readonly TreeBox[]): LogPeers {
  const others = () => boxes.filter(({ logs }) => toHex(logs.self) !== toHex(self));
  return {
    boxes: () => others().map(({ logs }) => logs.self),
    request: async (id, method, payload) => {
      const box = others().find(({ logs }) => equalBytes(logs.self, id));
      if (box === undefined) throw new Error('unreachable');
      if (method === 64) return box.service.handleLogAppend(payload);
      if (method === 65) return box.service.handleLogVector();
      return box.service.handleLogRead(payload);
    },
  };
}
