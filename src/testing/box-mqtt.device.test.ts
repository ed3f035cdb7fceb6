import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { mqttFileBytesMax } from '../base/face-limits.ts';
import { silentLog } from '../base/log.ts';
import { parseBoxConfig } from '../box-config.ts';
import { BoxMqtt } from '../box-mqtt.ts';
import { MqttBroker } from '../platform/mqtt-broker.ts';
import { NodeClock } from '../platform/node-clock.ts';
import { nodeEntropy } from '../platform/node-entropy.ts';
import { readTextFile } from '../platform/text-file.ts';
import { healthyFacts } from './appliance-facts.ts';
import { FakeLan } from './fake-multicast-network.ts';
import { MemoryDisk } from './memory-disk.ts';
import { Mosquitto, mosquittoMissing } from './mosquitto.ts';
import { NotingControl } from './noting-control.ts';
import { SeededEntropy } from './seeded-entropy.ts';
import { testAuthority } from './test-authority.ts';

test('box.json with TLS and files, as a person writes it, brings a box onto its broker', {
  skip: mosquittoMissing() ?? false,
}, async (t) => {
  const authority = await testAuthority('home');
  const own = await authority.issue('127.0.0.1');
  const mosquitto = await Mosquitto.start({
    settings: ['certfile DIR/cert.pem', 'keyfile DIR/key.pem'],
    files: { 'cert.pem': own.certificatePem, 'key.pem': own.keyPem },
    user: { name: 'box', password: 'correct horse' },
  });
  t.after(() => mosquitto.close());
  const folder = await mkdtemp(join(tmpdir(), 'box-mqtt-'));
  t.after(() => rm(folder, { recursive: true }));
  await writeFile(join(folder, 'ca.pem'), authority.caPem);
  await writeFile(join(folder, 'password'), 'wrong\n');
  const url = `mqtts://127.0.0.1:${mosquitto.port}`;
  const mqtt = { url, username: 'box', passwordFile: 'password', caFile: 'ca.pem' };
  const clock = new NodeClock();
  const box = await BoxMqtt.start({
    control: new NotingControl(),
    config: parseBoxConfig(JSON.stringify({ mqtt })).mqtt,
    stateDisk: new MemoryDisk({ entropy: new SeededEntropy(1) }),
    boxId: healthyFacts.box.memberId,
    readText: (path) => readTextFile(resolve(folder, path), mqttFileBytesMax),
    broker: new MqttBroker(),
    network: new FakeLan({ clock, seed: 1 }).host('box'),
    clock,
    entropy: nodeEntropy,
    log: silentLog,
  });
  t.after(() => box.close());
  const phases = async (phase: string) => {
    for (let tries = 0; box.state().phase !== phase; tries++) {
      assert.ok(tries < 500, `${phase} was expected: ${JSON.stringify(box.state())}`);
      await pause(10);
    }
  };
  await phases('waiting');
  assert.equal(box.state().error?.code, 'BROKER_DENIED');
  // A person corrects the file; the box needs no restart.
  await writeFile(join(folder, 'password'), 'correct horse\n');
  await phases('connected');
});
