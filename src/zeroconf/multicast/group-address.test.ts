import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { fromHex } from '../../base/bytes.ts';
import { ethernetAddressOf, groupAddressesOf } from './group-address.ts';

/** Neighbours on many LANs, by the Ethernet addresses that the standards print or that captures show. */
const neighbours = {
  '224.0.0.1': '01:00:5e:00:00:01',
  '224.0.0.251': '01:00:5e:00:00:fb',
  '224.128.0.251': '01:00:5e:00:00:fb',
  '224.0.0.252': '01:00:5e:00:00:fc',
  '224.0.1.1': '01:00:5e:00:01:01',
  '239.255.255.250': '01:00:5e:7f:ff:fa',
  '239.255.255.253': '01:00:5e:7f:ff:fd',
  '239.255.2.2': '01:00:5e:7f:02:02',
  'ff02::1': '33:33:00:00:00:01',
  'ff02::fb': '33:33:00:00:00:fb',
  'ff02::1:3': '33:33:00:01:00:03',
  'ff05::1:3': '33:33:00:01:00:03',
  'ff02::1:ff28:9c5a': '33:33:ff:28:9c:5a',
};

test('frames to a group go to 01-00-5E with its low 23 bits (RFC 1112 §6.4), or 33-33 with 32 (RFC 2464 §7)', () => {
  for (const [group, ethernet] of Object.entries(neighbours))
    assert.equal(ethernetAddressOf(group), ethernet);
  assert.equal(ethernetAddressOf('239.255.128.7'), '01:00:5e:7f:80:07');
});

test('the groups of a pool are the same on every box, for ever', () => {
  const pool = (digit: string) => fromHex(digit.repeat(32))!;
  assert.deepEqual(groupAddressesOf(pool('0')), { ipv4: '239.255.238.239', ipv6: 'ff05::a2c9:c516' });
  assert.deepEqual(groupAddressesOf(pool('a')), { ipv4: '239.255.31.71', ipv6: 'ff05::9745:4cb0' });
});

test('a pool whose first candidate collides takes the next', () => {
  // Of this one 239.255.255.108, scope-relative, and ff05::ff8d:20b1, a solicited-node group's neighbour.
  const pool = fromHex('00000000000000000000000000007702')!;
  assert.deepEqual(groupAddressesOf(pool), { ipv4: '239.255.119.136', ipv6: 'ff05::d3ac:19f7' });
});

test('no pool gets a group, or an Ethernet address, of a neighbour', () => {
  const taken = new Set<string>(Object.values(neighbours));
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 16, maxLength: 16 }), (pool) => {
      const { ipv4, ipv6 } = groupAddressesOf(pool);
      assert.match(ipv4, /^239\.255\.\d+\.\d+$/);
      assert.match(ipv6, /^ff05::[89a-f][0-9a-f]{3}:[0-9a-f]{1,4}$/);
      for (const group of [ipv4, ipv6]) assert.ok(!taken.has(ethernetAddressOf(group)), group);
      assert.doesNotMatch(ethernetAddressOf(ipv4), /^01:00:5e:(00|7f:ff)/);
      assert.doesNotMatch(ethernetAddressOf(ipv6), /^33:33:(0|ff)/);
      assert.deepEqual(groupAddressesOf(pool), { ipv4, ipv6 });
    }),
    { numRuns: 2000 },
  );
});
