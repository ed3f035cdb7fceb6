import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AetherError } from '../../base/errors.ts';
import {
  mqttAnswerTimeoutMs,
  mqttPublishGapMs,
  mqttRefreshMs,
  mqttRetryDelayMsMax,
} from '../../base/face-limits.ts';
import { closeGraceMs } from '../../base/limits.ts';
import { createLog, type LogEntry } from '../../base/log.ts';
import { healthyFacts, volumeFacts } from '../../testing/appliance-facts.ts';
import { FakeClock } from '../../testing/fake-clock.ts';
import { FakeMessageBroker } from '../../testing/fake-message-broker.ts';
import { NotingControl } from '../../testing/noting-control.ts';
import { SeededEntropy } from '../../testing/seeded-entropy.ts';
import { type DialOptions, MqttFace } from './mqtt-face.ts';
import { diskTag } from './state-message.ts';
import { topicsOf } from './topics.ts';

const memberId = healthyFacts.box.memberId;
const topics = topicsOf(memberId, 'homeassistant');
const target: DialOptions = { host: 'broker', port: 1883, tls: null, credentials: null };
const refused = new AetherError('BROKER_UNREACHABLE', 'nothing listens there');
const hour = 60 * 60_000;

async function running(dial: () => Promise<DialOptions | undefined> = async () => target) {
  const broker = new FakeMessageBroker();
  const control = new NotingControl();
  const clock = new FakeClock();
  const entries: LogEntry[] = [];
  const log = createLog(
    'mqtt',
    () => clock.wallMs(),
    (entry) => entries.push(entry),
  );
  const face = MqttFace.start(
    { memberId, discoveryPrefix: 'homeassistant', dial },
    { broker, control, clock, entropy: new SeededEntropy(1), log },
  );
  await clock.run(10);
  return { broker, control, clock, face, entries };
}

test('a new connection tells what the device is, how it is, and last that it is there', async () => {
  const { broker, face } = await running();
  assert.deepEqual(
    broker.published.map(({ topic }) => topic),
    [topics.discovery, topics.state, topics.updateState, topics.availability],
  );
  assert.equal(broker.retained.get(topics.availability), 'online');
  assert.deepEqual(broker.connects[0]?.lastWill, { topic: topics.availability, payload: 'offline' });
  assert.equal(broker.connects[0]?.clientId, 'aetherstore-3f2a000000000000');
  assert.deepEqual(face.state(), { phase: 'connected', broker: 'broker:1883', error: null });
});

test('only what changed is published, at most once a second, the last state surely', async () => {
  const { broker, control, clock } = await running();
  await clock.run(2 * mqttPublishGapMs);
  const before = broker.published.length;
  for (let missing = 1; missing <= 500; missing++) {
    control.set({ copies: { missing, copying: true } });
    await clock.run(10);
  }
  await clock.run(mqttPublishGapMs);
  const states = broker.published.slice(before);
  assert.ok(states.every(({ topic }) => topic === topics.state));
  assert.ok(states.length >= 5 && states.length <= 7, `${states.length}`);
  assert.equal((broker.json(topics.state) as { copies_missing: number }).copies_missing, 500);
});

test('a change that shows in no sensor is not published', async () => {
  const { broker, control, clock } = await running();
  await clock.run(2 * mqttPublishGapMs);
  const before = broker.published.length;
  control.set({ box: { ...healthyFacts.box, uptimeMs: 99 } });
  await clock.run(hour);
  assert.equal(broker.published.length, before);
});

test('what moves without an event, like a temperature, is looked at now and then', async () => {
  const { control, clock } = await running();
  await clock.run(2 * mqttPublishGapMs);
  const before = control.statusCalls;
  await clock.run(10 * mqttRefreshMs);
  assert.ok(control.statusCalls - before >= 9 && control.statusCalls - before <= 11);
});

test('a broker that is away for a day costs little, keeps nothing, and then hears the last state', async () => {
  const { broker, control, clock, face, entries } = await running();
  await clock.run(hour);
  broker.fail(refused);
  broker.drop(new AetherError('BROKER_LOST', 'gone'));
  assert.equal(broker.retained.get(topics.availability), 'offline');
  const published = broker.published.length;
  const [dials, statusCalls, lines] = [broker.connects.length, control.statusCalls, entries.length];
  for (let minute = 1; minute <= 24 * 60; minute++) {
    control.set({ copies: { missing: minute, copying: true } });
    await clock.run(60_000);
  }
  const attempts = broker.connects.length - dials;
  assert.ok(attempts > (24 * hour) / mqttRetryDelayMsMax && attempts < 600, `${attempts}`);
  assert.equal(control.statusCalls, statusCalls);
  assert.equal(control.listenerCount, 0);
  assert.ok(entries.filter(({ level }) => level !== 'debug').length - lines <= 2);
  assert.equal(face.state().phase, 'waiting');
  assert.equal(face.state().error?.code, 'BROKER_UNREACHABLE');
  broker.fail(undefined);
  await clock.run(mqttRetryDelayMsMax);
  assert.equal(broker.published.length, published + 4);
  assert.equal((broker.json(topics.state) as { copies_missing: number }).copies_missing, 1440);
  assert.equal(broker.retained.get(topics.availability), 'online');
});

test('waiting times double from a second to five minutes, half of each by chance', async () => {
  const { broker, clock } = await running();
  broker.fail(refused);
  broker.drop(refused);
  const times: number[] = [];
  for (let seen = broker.connects.length; times.length < 14; ) {
    await clock.run(100);
    if (broker.connects.length > seen) times.push(clock.monotonicMs());
    seen = broker.connects.length;
  }
  const gaps = times.slice(1).map((atMs, index) => atMs - times[index]!);
  gaps.forEach((gapMs, index) => {
    const longestMs = Math.min(2000 * 2 ** index, mqttRetryDelayMsMax);
    assert.ok(gapMs >= longestMs / 2 - 200 && gapMs <= longestMs + 200, `${index}: ${gapMs}`);
  });
});

test('a broker that takes the connection and then says nothing is given up in time', async () => {
  const { broker, clock, face } = await running();
  broker.mute(true);
  broker.drop(refused);
  await clock.run(2000 + mqttAnswerTimeoutMs);
  assert.equal(face.state().error?.code, 'BROKER_UNREACHABLE');
  broker.mute(false);
  await clock.run(10_000);
  assert.equal(face.state().phase, 'connected');
});

test('Home Assistant that starts anew hears everything again', async () => {
  const { broker, clock } = await running();
  await clock.run(2 * mqttPublishGapMs);
  assert.ok(broker.subscribed.includes('homeassistant/status'));
  const before = broker.published.length;
  for (let time = 0; time < 50; time++)
    broker.deliver({ topic: topics.homeAssistant, payload: 'online', retained: false });
  await clock.run(mqttPublishGapMs);
  assert.equal(broker.published.length, before + 4);
});

test('commands reach the control, and each failure is told in the log only', async () => {
  const { broker, control, clock, entries } = await running();
  control.fail(new AetherError('UPDATE_NOT_STAGED', 'no update lies ready'));
  for (const [topic, payload] of [
    [topics.identify, 'PRESS'],
    [topics.update, 'install'],
    [topics.restart, 'PRESS'],
    [topics.restart, 'PRESS'],
    [topics.restart, undefined],
  ] as const)
    broker.deliver({ topic, payload, retained: false });
  broker.deliver({ topic: topics.update, payload: 'install', retained: true });
  await clock.run(10);
  assert.deepEqual(control.asked, ['identify true', 'installUpdate', 'restart']);
  const failures = entries.filter(({ message }) => message === 'command from the MQTT broker failed');
  assert.deepEqual(failures[0]?.fields, {
    command: 'update',
    reason: 'UPDATE_NOT_STAGED: no update lies ready',
  });
});

test('a disk that comes and one that goes are told of by the discovery message', async () => {
  const { broker, control, clock } = await running();
  await clock.run(2 * mqttPublishGapMs);
  control.set({ volumes: [volumeFacts('disk2'), volumeFacts('disk3')] });
  await clock.run(mqttPublishGapMs);
  const { components } = broker.json(topics.discovery) as { components: Record<string, object> };
  assert.deepEqual(components[`disk_${diskTag('disk1')}_problem`], { platform: 'binary_sensor' });
  assert.ok('unique_id' in components[`disk_${diskTag('disk3')}_problem`]!);
  control.set({ volumes: healthyFacts.volumes });
  await clock.run(2 * mqttPublishGapMs);
  const again = broker.json(topics.discovery) as { components: Record<string, object> };
  assert.ok('unique_id' in again.components[`disk_${diskTag('disk1')}_problem`]!);
});

test('closing says offline, and is not held up by a broker that does not answer', async () => {
  const first = await running();
  await first.clock.runUntil(first.face.close());
  assert.equal(first.broker.retained.get(topics.availability), 'offline');
  assert.equal(first.control.listenerCount, 0);
  await first.clock.run(hour);
  assert.equal(first.broker.connects.length, 1);

  const second = await running();
  second.broker.mute(true);
  const startMs = second.clock.monotonicMs();
  await second.clock.runUntil(second.face.close());
  assert.ok(second.clock.monotonicMs() - startMs <= closeGraceMs);
});

test('leaving a broker for good takes the device away from it', async () => {
  let given: DialOptions | undefined = target;
  const { broker, clock, face } = await running(async () => given);
  given = undefined;
  await clock.runUntil(face.redial('forget'));
  assert.deepEqual([...broker.retained], []);
});

test('no broker: off, and nothing is dialled until one is given', async () => {
  let given: DialOptions | undefined;
  const { broker, clock, control, face } = await running(async () => given);
  await clock.run(hour);
  assert.deepEqual(face.state(), { phase: 'off', broker: null, error: null });
  assert.equal(broker.connects.length, 0);
  given = target;
  await clock.runUntil(Promise.all([face.redial(), face.redial()]));
  await clock.run(10);
  assert.equal(face.state().phase, 'connected');
  assert.equal(control.listenerCount, 1, 'one connection, though asked for twice');
});

test('settings that cannot be read are said in the state, and read again', async () => {
  let isReadable = false;
  const { clock, face } = await running(async () => {
    if (isReadable) return target;
    throw new AetherError('MQTT_FILE_UNREADABLE', 'no such file', { help: 'Check it.' });
  });
  assert.deepEqual(face.state(), {
    phase: 'waiting',
    broker: null,
    error: { code: 'MQTT_FILE_UNREADABLE', message: 'no such file', help: 'Check it.' },
  });
  isReadable = true;
  await clock.run(mqttRetryDelayMsMax);
  assert.deepEqual(face.state().error, null);
});
