import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkPlainPassword, parseBrokerUrl } from './broker-url.ts';

test('a URL gives host, port and whether to encrypt; ports are IANA’s when left out', () => {
  assert.deepEqual(parseBrokerUrl('mqtt://broker.local'), { host: 'broker.local', port: 1883, tls: false });
  assert.deepEqual(parseBrokerUrl('mqtts://broker.local'), { host: 'broker.local', port: 8883, tls: true });
  assert.deepEqual(parseBrokerUrl('mqtts://192.0.2.7:1/'), { host: '192.0.2.7', port: 1, tls: true });
  assert.deepEqual(parseBrokerUrl('mqtt://[fe80::1%eth0]:1883'), {
    host: 'fe80::1%eth0',
    port: 1883,
    tls: false,
  });
});

test('what is no broker’s URL, and one with a password in it, is refused', () => {
  for (const url of [
    'http://broker',
    'mqtt://',
    'mqtt://user:secret@broker',
    'mqtt://broker/path',
    'mqtt://broker:0',
    'mqtt://broker:65536',
    'mqtt://a b',
  ])
    assert.throws(() => parseBrokerUrl(url), { code: 'MQTT_URL_INVALID' }, url);
});

test('a password goes unencrypted to this computer only, or where a person allows it', () => {
  const plain = (host: string) => ({ host, port: 1883, tls: false });
  for (const host of ['127.0.0.1', '127.9.9.9', '::1', 'localhost']) checkPlainPassword(plain(host), false);
  checkPlainPassword({ ...plain('192.0.2.7'), tls: true }, false);
  checkPlainPassword(plain('192.0.2.7'), true);
  for (const host of [
    '192.0.2.7',
    'broker.local',
    '127.0.0.1.example.org',
    'localhost.example.org',
    'fe80::1',
  ])
    assert.throws(() => checkPlainPassword(plain(host), false), { code: 'MQTT_PASSWORD_EXPOSED' }, host);
});
