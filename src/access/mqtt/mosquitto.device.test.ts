import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { after, type TestContext, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { mqttPacketBytesMax, mqttRetryDelayMsMin } from '../../base/face-limits.ts';
import { silentLog } from '../../base/log.ts';
import { MqttBroker } from '../../platform/mqtt-broker.ts';
import { NodeClock } from '../../platform/node-clock.ts';
import { nodeEntropy } from '../../platform/node-entropy.ts';
import { healthyFacts } from '../../testing/appliance-facts.ts';
import { discoveryProblems, updateProblems } from '../../testing/home-assistant-schema.ts';
import {
  type Listener,
  Mosquitto,
  type MosquittoOptions,
  mosquittoMissing,
} from '../../testing/mosquitto.ts';
import { NotingControl } from '../../testing/noting-control.ts';
import { testAuthority } from '../../testing/test-authority.ts';
import { type DialOptions, MqttFace } from './mqtt-face.ts';
import { topicsOf } from './topics.ts';

const skip = mosquittoMissing() ?? false;
const memberId = healthyFacts.box.memberId;
const topics = topicsOf(memberId, 'homeassistant');
const started = new Set<ChildProcess>();
after(() => {
  for (const child of started) child.kill('SIGKILL');
});

async function broker(
  t: TestContext,
  options: MosquittoOptions = {},
  clientArguments: readonly string[] = [],
): Promise<Mosquitto> {
  const mosquitto = await Mosquitto.start(options, clientArguments);
  t.after(() => mosquitto.close());
  return mosquitto;
}

function face(t: TestContext, { port }: { readonly port: number }, changes: Partial<DialOptions> = {}) {
  const control = new NotingControl();
  const target = { host: '127.0.0.1', port, tls: null, credentials: null, ...changes };
  const running = MqttFace.start(
    { memberId, discoveryPrefix: 'homeassistant', dial: async () => target },
    { control, broker: new MqttBroker(), clock: new NodeClock(), entropy: nodeEntropy, log: silentLog },
  );
  t.after(() => running.close());
  return { control, face: running };
}

async function until(holds: () => boolean, what: string, withinMs = 10_000): Promise<number> {
  const startMs = performance.now();
  while (!holds()) {
    assert.ok(performance.now() - startMs < withinMs, `not within ${withinMs} ms: ${what}`);
    await pause(10);
  }
  return performance.now() - startMs;
}

const last = (listener: Listener, topic: string) => listener.of(topic).at(-1);

test('another client hears what the box is and how it is, and whoever comes later too', {
  skip,
}, async (t) => {
  const mosquitto = await broker(t);
  const early = await mosquitto.follow('#');
  const { control } = face(t, mosquitto);
  await until(() => last(early, topics.availability) === 'online', 'online');
  control.set({ copies: { missing: 7, copying: true } });
  await until(() => last(early, topics.state)?.includes('"copies_missing":7') === true, 'the change');
  const late = await mosquitto.follow('#');
  const all = [topics.discovery, topics.state, topics.updateState, topics.availability];
  await until(() => all.every((topic) => late.of(topic).length === 1), 'all retained');
  assert.ok(late.messages.filter(({ topic }) => all.includes(topic)).every(({ retained }) => retained));
  assert.deepEqual(discoveryProblems(JSON.parse(last(late, topics.discovery)!)), []);
  assert.deepEqual(updateProblems(JSON.parse(last(late, topics.updateState)!)), []);
  assert.equal(JSON.parse(last(late, topics.state)!).copies_missing, 7);
});

test('a box that is killed is offline by its last will, and one that closes says so itself', {
  skip,
}, async (t) => {
  const mosquitto = await broker(t);
  const listener = await mosquitto.follow(topics.availability);
  const program = fileURLToPath(new URL('../../testing/mqtt-child.ts', import.meta.url));
  const child = spawn(process.execPath, [program, String(mosquitto.port), memberId], { stdio: 'inherit' });
  started.add(child);
  await until(() => last(listener, topics.availability) === 'online', 'online');
  child.kill('SIGKILL');
  const tookMs = await until(() => last(listener, topics.availability) === 'offline', 'the last will');
  t.diagnostic(`offline ${Math.round(tookMs)} ms after kill -9`);
  const late = await mosquitto.follow(topics.availability);
  await until(() => last(late, topics.availability) === 'offline', 'retained');

  const { face: closing } = face(t, mosquitto);
  await until(() => closing.state().phase === 'connected', 'connected');
  await until(() => last(listener, topics.availability) === 'online', 'online again');
  await closing.close();
  await until(() => last(listener, topics.availability) === 'offline', 'its own goodbye');
});

test('a broker that is killed and started again has the last state within the waiting time, once', {
  skip,
}, async (t) => {
  const mosquitto = await broker(t);
  const { control, face: running } = face(t, mosquitto);
  await until(() => running.state().phase === 'connected', 'connected');
  await mosquitto.killBroker();
  await until(() => running.state().phase === 'waiting', 'noticed');
  for (let missing = 1; missing <= 2000; missing++) control.set({ copies: { missing, copying: true } });
  await until(() => running.state().error?.code === 'BROKER_UNREACHABLE', 'refused');
  await mosquitto.startBroker();
  const listener = await mosquitto.follow('#');
  const tookMs = await until(
    () => last(listener, topics.availability) === 'online',
    'back',
    8 * mqttRetryDelayMsMin,
  );
  t.diagnostic(`back ${Math.round(tookMs)} ms after the broker`);
  await pause(1500);
  assert.deepEqual(
    listener.of(topics.state).map((text) => JSON.parse(text).copies_missing),
    [2000],
  );
  assert.equal(listener.of(topics.discovery).length, 1);
});

test('commands reach the box; retained, wrong and huge ones do not', { skip }, async (t) => {
  const mosquitto = await broker(t);
  for (const topic of [topics.identify, topics.restart])
    await mosquitto.publish(topic, 'PRESS', { retain: true });
  await mosquitto.publish(topics.update, 'install', { retain: true });
  const { control, face: running } = face(t, mosquitto);
  await until(() => running.state().phase === 'connected', 'connected');
  await pause(300);
  assert.deepEqual(control.asked, [], 'what was retained before');
  await mosquitto.publish(topics.restart, 'REBOOT');
  await mosquitto.publish(topics.restart, 'PRESS'.repeat(1000));
  await mosquitto.publish(topics.identify, 'PRESS');
  await mosquitto.publish(topics.update, 'install');
  await mosquitto.publish(topics.restart, 'PRESS');
  await mosquitto.publish(topics.restart, 'PRESS');
  await until(() => control.asked.length === 3, 'the commands');
  await pause(300);
  assert.deepEqual(control.asked, ['identify true', 'installUpdate', 'restart']);
  assert.equal(running.state().phase, 'connected');
});

test('a command retained while the box listens is followed once, and not again when it comes back', {
  skip,
}, async (t) => {
  const mosquitto = await broker(t);
  const { control, face: running } = face(t, mosquitto);
  await until(() => running.state().phase === 'connected', 'connected');
  await mosquitto.publish(topics.restart, 'PRESS', { retain: true });
  await until(() => control.asked.length === 1, 'followed');
  await running.close();
  const { control: restarted, face: again } = face(t, mosquitto);
  await until(() => again.state().phase === 'connected', 'back');
  await pause(300);
  assert.deepEqual(restarted.asked, []);
});

test('a packet longer than any of ours ends the connection, and the box comes back', { skip }, async (t) => {
  const mosquitto = await broker(t);
  const { control, face: running } = face(t, mosquitto);
  await until(() => running.state().phase === 'connected', 'connected');
  await mosquitto.publish(topics.restart, 'x'.repeat(mqttPacketBytesMax));
  await until(() => running.state().error?.code === 'BROKER_PROTOCOL', 'refused');
  await until(() => running.state().phase === 'connected', 'back');
  assert.deepEqual(control.asked, []);
});

test('Home Assistant that says online is told everything again', { skip }, async (t) => {
  const mosquitto = await broker(t);
  const listener = await mosquitto.follow(topics.discovery);
  const { face: running } = face(t, mosquitto);
  await until(() => running.state().phase === 'connected', 'connected');
  await until(() => listener.of(topics.discovery).length === 1, 'first');
  await mosquitto.publish('homeassistant/status', 'online');
  await until(() => listener.of(topics.discovery).length === 2, 'again');
});

test('leaving for good takes everything away that was retained', { skip }, async (t) => {
  const mosquitto = await broker(t);
  const { face: running } = face(t, mosquitto);
  await until(() => running.state().phase === 'connected', 'connected');
  await pause(200);
  const listener = await mosquitto.follow(topics.discovery);
  await running.redial('forget');
  await until(() => last(listener, topics.discovery) === '', 'taken away');
});

test('TLS with an authority and a password of one’s own works, and without either is refused', {
  skip,
}, async (t) => {
  const [ours, theirs] = await Promise.all([testAuthority('home'), testAuthority('other')]);
  const own = await ours.issue('127.0.0.1');
  const mosquitto = await broker(
    t,
    {
      settings: ['certfile DIR/cert.pem', 'keyfile DIR/key.pem'],
      files: { 'cert.pem': own.certificatePem, 'key.pem': own.keyPem, 'ca.pem': ours.caPem },
      user: { name: 'box', password: 'correct horse' },
    },
    ['--cafile', 'DIR/ca.pem'],
  );
  const listener = await mosquitto.follow(topics.availability);
  const credentials = { username: 'box', password: 'correct horse' };
  const tls = { serverName: '127.0.0.1', caPem: ours.caPem, client: null };
  const refused = async (changes: Partial<DialOptions>, code: string) => {
    const { face: running } = face(t, mosquitto, { tls, credentials, ...changes });
    await until(() => running.state().error !== null, code);
    assert.equal(running.state().error?.code, code, running.state().error?.message);
    await running.close();
  };
  await refused({ tls: { ...tls, caPem: theirs.caPem } }, 'BROKER_CERTIFICATE');
  await refused({ tls: { ...tls, caPem: null } }, 'BROKER_CERTIFICATE');
  await refused({ tls: { ...tls, serverName: 'elsewhere.lan' } }, 'BROKER_CERTIFICATE');
  await refused({ tls: { ...tls, caPem: 'no PEM' } }, 'BROKER_CERTIFICATE');
  await refused(
    { tls: { ...tls, client: { certificatePem: 'no PEM', keyPem: 'no PEM' } } },
    'BROKER_PEM_INVALID',
  );
  await refused({ credentials: { ...credentials, password: 'wrong' } }, 'BROKER_DENIED');
  await refused({ credentials: null }, 'BROKER_DENIED');
  assert.deepEqual(listener.of(topics.availability), [], 'nobody was let in');
  const { face: running } = face(t, mosquitto, { tls, credentials });
  await until(() => running.state().phase === 'connected', 'connected');
  await until(() => last(listener, topics.availability) === 'online', 'online');
});

test('a broker that asks for a client certificate is shown ours', { skip }, async (t) => {
  const authority = await testAuthority('home');
  const [own, box] = await Promise.all([authority.issue('127.0.0.1'), authority.issue('box')]);
  const files = { 'cert.pem': own.certificatePem, 'key.pem': own.keyPem, 'ca.pem': authority.caPem };
  const clientFiles = { 'box.pem': box.certificatePem, 'box-key.pem': box.keyPem };
  const mosquitto = await broker(t, {
    settings: [
      'certfile DIR/cert.pem',
      'keyfile DIR/key.pem',
      'cafile DIR/ca.pem',
      'require_certificate true',
    ],
    files: { ...files, ...clientFiles },
  });
  const tls = { serverName: '127.0.0.1', caPem: authority.caPem, client: null };
  const without = face(t, mosquitto, { tls }).face;
  await until(() => without.state().error !== null, 'refused');
  assert.equal(without.state().error?.code, 'BROKER_DENIED', without.state().error?.message);
  await without.close();
  const client = { certificatePem: box.certificatePem, keyPem: box.keyPem };
  const running = face(t, mosquitto, { tls: { ...tls, client } }).face;
  await until(() => running.state().phase === 'connected', 'connected');
});

test('connections that come and go, and attempts that fail, leave no memory behind', { skip }, async (t) => {
  const mosquitto = await broker(t);
  const options = {
    host: '127.0.0.1',
    tls: null,
    credentials: null,
    clientId: 'leak',
    lastWill: { topic: 'a', payload: 'b' },
  };
  const port = new MqttBroker();
  const rounds = async (count: number) => {
    for (let round = 0; round < count; round++) {
      const { signal } = new AbortController();
      await assert.rejects(port.connect({ ...options, port: 1 }, signal), { code: 'BROKER_UNREACHABLE' });
      const connection = await port.connect({ ...options, port: mosquitto.port }, signal);
      await connection.publish({ topic: 'a', payload: 'x'.repeat(10_000) });
      await connection.close();
    }
  };
  await rounds(400);
  const before = await heapBytes();
  await rounds(800);
  const grown = (await heapBytes()) - before;
  t.diagnostic(`${Math.round(grown / 800)} bytes a round`);
  assert.ok(grown < 400_000, `${grown} bytes in 800 rounds`);
});

async function heapBytes(): Promise<number> {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc');
  collect();
  await pause(50);
  collect();
  return process.memoryUsage().heapUsed;
}

test('who speaks no MQTT or nothing at all is told apart from who is not there', { skip }, async (t) => {
  const web = createServer((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')).listen(0, '127.0.0.1');
  await once(web, 'listening');
  t.after(() => web.close());
  const { port } = web.address() as { readonly port: number };
  const { face: running } = face(t, { port });
  await until(() => running.state().error !== null, 'no MQTT');
  assert.equal(running.state().error?.code, 'BROKER_PROTOCOL', running.state().error?.message);
  await running.close();
  const tls = { serverName: '127.0.0.1', caPem: null, client: null };
  const { face: secure } = face(t, { port }, { tls });
  await until(() => secure.state().error !== null, 'no TLS');
  assert.equal(secure.state().error?.code, 'BROKER_PROTOCOL', secure.state().error?.message);
});
