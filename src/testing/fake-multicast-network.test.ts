import assert from 'node:assert/strict';
import { test } from 'node:test';
import { utf8 } from '../base/bytes.ts';
import { multicastNetworkContract } from './contracts/multicast-network-contract.ts';
import { FakeClock } from './fake-clock.ts';
import { FakeLan } from './fake-multicast-network.ts';

multicastNetworkContract('fake multicast network', () => {
  const clock = new FakeClock();
  return {
    network: new FakeLan({ clock, seed: 1 }).host('box'),
    groups: { ipv4: '239.255.0.9', ipv6: 'ff02::9' },
    port: 9999,
    wait: (promise) => clock.runUntil(promise),
  };
});

test('a fake network loses, doubles and delays as its seed says, and cuts between partitions', async () => {
  const heardWith = async (seed: number, isCut: boolean) => {
    const clock = new FakeClock();
    const rates = { lossRate: 0.3, duplicateRate: 0.3, delayMs: { least: 1, most: 50 } };
    const lan = new FakeLan({ clock, seed, ...rates });
    const options = { interfaceName: 'eth0', family: 'ipv4', group: '239.255.0.9', port: 9 } as const;
    const sender = await lan.host('a').open(options);
    const heard: string[] = [];
    const receiver = await lan.host('b').open(options);
    receiver.onMessage(({ bytes }) => heard.push(`${bytes} at ${clock.monotonicMs()}`));
    if (isCut) lan.partition(['a'], ['b']);
    for (let index = 0; index < 50; index++) sender.send(utf8(String(index)));
    await clock.run(100);
    return heard;
  };
  const first = await heardWith(7, false);
  assert.deepEqual(await heardWith(7, false), first);
  assert.notDeepEqual(await heardWith(8, false), first);
  assert.ok(new Set(first.map((line) => line.split(' ')[0])).size < 50);
  assert.deepEqual(await heardWith(7, true), []);
});
