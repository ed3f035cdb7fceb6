import { setTimeout as delay } from 'node:timers/promises';
import { multicastNetworkContract } from '../testing/contracts/multicast-network-contract.ts';
import { NodeMulticastNetwork } from './node-multicast.ts';

multicastNetworkContract('multicast on this computer', () => ({
  network: new NodeMulticastNetwork(),
  groups: { ipv4: '239.255.77.9', ipv6: 'ff02::4d09' },
  port: 20_000 + (process.pid % 20_000),
  wait,
}));

async function wait<T>(promise: Promise<T>): Promise<T> {
  const enough = new AbortController();
  const late = delay(3000, undefined, { signal: enough.signal }).then(() => {
    throw new Error('not heard within three seconds');
  });
  late.catch(() => {});
  return Promise.race([promise, late]).finally(() => enough.abort());
}
