import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FoundService } from '../zeroconf/dnssd/browse.ts';
import { compareOpinions, type Sighting } from './cross-check.ts';

const ours: FoundService = {
  instance: 'Mr. Box',
  type: '_aetherstore._tcp',
  host: 'box.local',
  port: 4270,
  addresses: [{ family: 'ipv4', address: '192.0.2.7', interfaceName: 'eth0' }],
  text: { txtvers: '1', box: 'ab=c' },
};
const theirs: Sighting = {
  instance: 'Mr. Box',
  port: 4270,
  address: '192.0.2.7',
  text: ['txtvers=1', 'BOX=ab=c', ''],
};

test('what both say alike is no difference, whatever the case of keys', () => {
  const [one, ...more] = compareOpinions([ours], [theirs, theirs]);
  assert.deepEqual([one, more], [{ instance: 'Mr. Box', seenBy: 'both', differences: [] }, []]);
});

test('another port, another address and other text are told, harmless on a terminal', () => {
  const other = { ...theirs, port: 80, address: '192.0.2.66', text: ['evil=\x1b[2J'] };
  const [one] = compareOpinions([ours], [other]);
  assert.deepEqual(one?.differences, [
    'port 4270 for us, 80 for mdns-js',
    'an answer from 192.0.2.66, which is none of its addresses',
    'TXT evil=\ufffd[2J for mdns-js only',
  ]);
});

test('a box that one of them does not see is a difference, unless it has no IPv4 address for mdns-js to ask', () => {
  const six = {
    ...ours,
    instance: 'six',
    addresses: [{ family: 'ipv6' as const, address: 'fe80::1', interfaceName: 'eth0' }],
  };
  const compared = compareOpinions([ours, six], [{ ...theirs, instance: 'ghost' }]);
  assert.deepEqual(
    compared.map(({ instance, seenBy, differences }) => [instance, seenBy, differences.length]),
    [
      ['Mr. Box', 'us', 1],
      ['ghost', 'mdns-js', 1],
      ['six', 'us', 0],
    ],
  );
});
