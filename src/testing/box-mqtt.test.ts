import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type BoxConfig, parseBoxConfig } from '../box-config.ts';
import { BoxMqtt } from '../box-mqtt.ts';
import { healthyFacts } from './appliance-facts.ts';
import { FakeMessageBroker } from './fake-message-broker.ts';
import { MemoryDisk } from './memory-disk.ts';
import { NotingControl } from './noting-control.ts';
import { SeededEntropy } from './seeded-entropy.ts';
import { ServiceLan } from './service-lan.ts';

const mqttOf = (mqtt: object): BoxConfig['mqtt'] => parseBoxConfig(JSON.stringify({ mqtt })).mqtt;

async function running(settings: object = {}, files: Readonly<Record<string, string>> = {}) {
  const lan = new ServiceLan();
  const network = lan.wire.host('box');
  const stateDisk = new MemoryDisk({ entropy: new SeededEntropy(1) });
  const broker = new FakeMessageBroker();
  const start = () =>
    BoxMqtt.start({
      ...lan.ports(network),
      control: new NotingControl(),
      config: mqttOf(settings),
      stateDisk,
      boxId: healthyFacts.box.memberId,
      readText: async (path) => files[path] ?? Promise.reject(new Error('ENOENT')),
      broker,
    });
  const mqtt = await start();
  await lan.clock.run(10);
  return { lan, broker, mqtt, start };
}

const announce = (lan: ServiceLan, port = 1883) =>
  lan.advertise(lan.wire.host('ha'), 'ha', {
    instance: 'Home Assistant',
    type: '_mqtt._tcp',
    port,
    text: {},
  });

test('a found broker is spoken to only after a person approved it, from then on after a restart too', async () => {
  const { lan, broker, mqtt, start } = await running();
  await announce(lan);
  await lan.clock.run(10_000);
  assert.deepEqual(
    mqtt.found().map(({ instance, host, port, approved }) => [instance, host, port, approved]),
    [['Home Assistant', 'ha.local', 1883, false]],
  );
  assert.equal(mqtt.state().phase, 'off');
  assert.equal(broker.connects.length, 0);
  await lan.clock.runUntil(mqtt.approve('Home Assistant'));
  await lan.clock.run(100);
  assert.equal(mqtt.state().phase, 'connected');
  assert.equal(mqtt.found()[0]?.approved, true);
  assert.deepEqual([broker.connects[0]?.host, broker.connects[0]?.tls], ['10.0.0.2', null]);
  await lan.clock.runUntil(mqtt.close());
  const again = await start();
  await lan.clock.run(100);
  assert.equal(again.state().phase, 'connected');
  await lan.clock.runUntil(again.forget());
  assert.equal(again.state().phase, 'off');
  assert.deepEqual([...broker.retained], [], 'it took its device away');
  const third = await start();
  await lan.clock.run(100);
  assert.equal(third.state().phase, 'off');
});

test('one that nobody announces cannot be approved, nor any where box.json gives one', async () => {
  const { lan, mqtt } = await running();
  await assert.rejects(mqtt.approve('Nobody'), { code: 'MQTT_BROKER_UNKNOWN' });
  const given = await running({ url: 'mqtt://127.0.0.1' });
  await announce(given.lan);
  await given.lan.clock.run(10_000);
  await assert.rejects(given.mqtt.approve('Home Assistant'), { code: 'MQTT_BROKER_GIVEN' });
  await given.lan.clock.runUntil(given.mqtt.forget());
  assert.equal(given.mqtt.state().phase, 'connected');
  await lan.clock.runUntil(mqtt.close());
});

test('on the port of MQTT over TLS a found broker must prove its announced name', async () => {
  const { lan, broker, mqtt } = await running({ caFile: 'ca.pem' }, { 'ca.pem': 'CA' });
  await announce(lan, 8883);
  await lan.clock.run(10_000);
  await lan.clock.runUntil(mqtt.approve('Home Assistant'));
  await lan.clock.run(100);
  assert.deepEqual(broker.connects[0]?.tls, { serverName: 'ha.local', caPem: 'CA', client: null });
});

test('the given broker is dialled with what the files say, as they are at each attempt', async () => {
  const files: Record<string, string> = { pw: 'secret\n', 'cert.pem': 'CERT', 'key.pem': 'KEY' };
  const { lan, broker, mqtt } = await running(
    {
      url: 'mqtts://broker.lan',
      username: 'box',
      passwordFile: 'pw',
      clientCertFile: 'cert.pem',
      clientKeyFile: 'key.pem',
    },
    files,
  );
  const { host, port, tls, credentials } = broker.connects[0]!;
  assert.deepEqual([host, port], ['broker.lan', 8883]);
  assert.deepEqual(credentials, { username: 'box', password: 'secret' });
  assert.deepEqual(tls, {
    serverName: 'broker.lan',
    caPem: null,
    client: { certificatePem: 'CERT', keyPem: 'KEY' },
  });
  files.pw = 'changed';
  broker.drop(new Error('gone'));
  await lan.clock.run(2000);
  assert.equal(broker.connects[1]?.credentials?.password, 'changed');
  await lan.clock.runUntil(mqtt.close());
});

const refusals: readonly (readonly [string, object, string])[] = [
  [
    'a password over plain mqtt://',
    { url: 'mqtt://192.0.2.7', username: 'u', passwordFile: 'pw' },
    'MQTT_PASSWORD_EXPOSED',
  ],
  ['a password without a user', { url: 'mqtts://192.0.2.7', passwordFile: 'pw' }, 'MQTT_CONFIG_INVALID'],
  [
    'a certificate without its key',
    { url: 'mqtts://192.0.2.7', clientCertFile: 'pw' },
    'MQTT_CONFIG_INVALID',
  ],
  ['a file that is not there', { url: 'mqtts://192.0.2.7', caFile: 'none' }, 'MQTT_FILE_UNREADABLE'],
];

for (const [what, settings, code] of refusals) {
  test(`${what} is refused before anybody is dialled, and said in the state`, async () => {
    const { broker, mqtt } = await running(settings, { pw: 'secret' });
    assert.equal(mqtt.state().error?.code, code);
    assert.equal(broker.connects.length, 0);
  });
}

test('a person may allow a plain password, and to this computer it needs no leave', async () => {
  for (const settings of [
    { url: 'mqtt://192.0.2.7', allowPlainPassword: true },
    { url: 'mqtt://127.0.0.1' },
  ]) {
    const { broker } = await running({ ...settings, username: 'u', passwordFile: 'pw' }, { pw: 'secret' });
    assert.equal(broker.connects[0]?.credentials?.password, 'secret');
  }
});

test('box.json takes no password itself, and no URL with one in it', () => {
  assert.throws(() => mqttOf({ password: 'secret' }), { code: 'CONFIG_UNKNOWN_KEY' });
  assert.throws(() => mqttOf({ url: 'mqtt://u:secret@broker' }), { code: 'CONFIG_INVALID' });
  assert.throws(() => mqttOf({ discoveryPrefix: 'a/#' }), { code: 'CONFIG_INVALID' });
  assert.equal(mqttOf({}).url, null);
});
