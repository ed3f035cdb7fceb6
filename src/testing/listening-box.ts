import { silentLog } from '../base/log.ts';
import { Box, defaultReplicas } from '../box.ts';
import { NodeClock } from '../platform/node-clock.ts';
import { nodeEntropy } from '../platform/node-entropy.ts';
import { TlsTransport } from '../platform/tls-transport.ts';
import { noNetworkFacts } from '../status/facts.ts';
import { fakeCompute } from './fake-compute.ts';
import { MemoryDisk } from './memory-disk.ts';
import { MemoryKeyValueStore } from './memory-key-value-store.ts';
import { SeededEntropy } from './seeded-entropy.ts';

export interface ListeningBox {
  readonly box: Box;
  /** `HOST:PORT`, as `aether claim` takes it. */
  readonly address: string;
  /** Undefined once it is claimed. */
  readonly code: string | undefined;
}

/** The production box on a real socket of this computer, with disks in memory, for tests of what connects to one. */
export async function startListeningBox(name: string): Promise<ListeningBox> {
  const disk = () => new MemoryDisk({ entropy: new SeededEntropy(1), totalBytes: 4 * 2 ** 30 });
  const box = await Box.open(
    {
      name,
      listen: { host: '127.0.0.1', port: 0 },
      volumes: [{ name: 'disk', disk: disk(), openIndex: async () => new MemoryKeyValueStore() }],
      replicas: defaultReplicas,
      suite: 'aes-256-gcm',
    },
    {
      clock: new NodeClock(),
      entropy: nodeEntropy,
      log: silentLog,
      compute: fakeCompute,
      stateDisk: disk(),
      openTreeIndex: async () => new MemoryKeyValueStore(),
      transportFor: (identity) => new TlsTransport(identity),
      network: () => noNetworkFacts,
    },
  );
  const port = await box.start();
  return { box, address: `127.0.0.1:${port}`, code: box.pairing().code };
}
