import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseSeenService } from './avahi.ts';

test('a line of avahi-browse is read with its escapes and its TXT strings', () => {
  const line = String.raw`=;eth0;IPv4;Dr\.\032B\195\182x;_aetherstore._tcp;local;alder.local;10.77.0.1;4000;"v=1" "state=un;claimed" "flag"`;
  assert.deepEqual(parseSeenService(line), [
    {
      family: 'IPv4',
      instance: 'Dr. Böx',
      type: '_aetherstore._tcp',
      hostName: 'alder.local',
      address: '10.77.0.1',
      port: 4000,
      txt: { v: '1', state: 'un;claimed', flag: '' },
    },
  ]);
});

test('lines of other events are no services', () => {
  assert.deepEqual(parseSeenService('+;eth0;IPv4;alder;_aetherstore._tcp;local'), []);
  assert.deepEqual(parseSeenService(''), []);
});
