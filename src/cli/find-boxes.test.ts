import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseAddress } from './find-boxes.ts';

const port = 4270;

const addresses = {
  '192.0.2.7': { host: '192.0.2.7', port },
  '192.0.2.7:80': { host: '192.0.2.7', port: 80 },
  'box.local:4000': { host: 'box.local', port: 4000 },
  '[2001:db8::1]:4000': { host: '2001:db8::1', port: 4000 },
  '[fe80::1%eth0]': { host: 'fe80::1%eth0', port },
  'fe80::1%eth0': { host: 'fe80::1%eth0', port },
  '::1': { host: '::1', port },
};

for (const [text, address] of Object.entries(addresses)) {
  test(`${text} is an address`, () => assert.deepEqual(parseAddress(text), address));
}

test('anything else is the name of a box', () => {
  for (const text of [
    'alder',
    'box.local',
    'box:',
    ':80',
    'box:70000',
    'box:0',
    '[::1',
    'a:b:c!',
    '1.2.3',
    '',
  ]) {
    assert.equal(parseAddress(text), undefined, text);
  }
});
