import assert from 'node:assert/strict';
import { test } from 'node:test';
import { foldStatus } from '../../status/appliance-status.ts';
import { healthyFacts, volumeFacts } from '../../testing/appliance-facts.ts';
import { discoveryProblems, discoveryTopicPattern } from '../../testing/home-assistant-schema.ts';
import { discoveryMessage } from './discovery-message.ts';
import { diskTag, stateMessage } from './state-message.ts';
import { topicsOf } from './topics.ts';

const status = foldStatus(healthyFacts);
const topics = topicsOf(status.box.memberId, 'homeassistant');

test('the message is one that Home Assistant takes', () => {
  const message = discoveryMessage(status, topics, ['disk9']);
  assert.deepEqual(discoveryProblems(message), []);
  assert.match(topics.discovery, discoveryTopicPattern);
  assert.equal(topics.discovery, 'homeassistant/device/aetherstore_3f2a000000000000/config');
});

test('the description refuses what Home Assistant refuses', () => {
  const { device, origin, components } = discoveryMessage(status, topics);
  const withOne = (changes: object) =>
    discoveryProblems({ device, origin, components: { one: { ...components.temperature, ...changes } } });
  assert.deepEqual(withOne({}), []);
  for (const changes of [
    { unique_id: undefined },
    { unit_of_measurement: 'K°' },
    { stat_t: 'x' },
    { entity_category: 'config' },
    { state_topic: 'a/#' },
    { platform: 'switch' },
  ])
    assert.equal(withOne(changes).length, 1, JSON.stringify(changes));
  assert.equal(discoveryProblems({ device, components }).length, 1);
});

test('it has each sensor, button and the update, and two for each disk', () => {
  const { components } = discoveryMessage(status, topics);
  const kinds = Object.entries(components).map(([key, { platform, device_class }]) => [
    key,
    `${platform} ${device_class ?? ''}`.trim(),
  ]);
  const disks = ['disk1', 'disk2'].flatMap((name) => [
    [`disk_${diskTag(name)}_temperature`, 'sensor temperature'],
    [`disk_${diskTag(name)}_problem`, 'binary_sensor problem'],
  ]);
  assert.deepEqual(kinds, [
    ['health', 'sensor'],
    ['problem', 'binary_sensor problem'],
    ['connectivity', 'binary_sensor connectivity'],
    ['temperature', 'sensor temperature'],
    ['boxes_reachable', 'sensor'],
    ['copies_missing', 'sensor'],
    ['free', 'sensor data_size'],
    ['used', 'sensor data_size'],
    ['capacity', 'sensor data_size'],
    ['identify', 'button identify'],
    ['restart', 'button restart'],
    ['update', 'update firmware'],
    ...disks,
  ]);
});

test('every value that a template reads is in the state', () => {
  const { components } = discoveryMessage(status, topics);
  const state = stateMessage(status);
  const paths = Object.values(components).flatMap(({ value_template, json_attributes_template }) =>
    [value_template, json_attributes_template].filter((template) => template !== undefined),
  );
  assert.equal(paths.length, 14);
  for (const template of paths) {
    const path = /^\{\{ value_json\.([\w.'[\]]+)( \| tojson)? \}\}$/.exec(String(template))?.[1];
    assert.ok(path !== undefined, `${template}`);
    const keys = path.split(/[.[\]']+/).filter((key) => key !== '');
    const value = keys.reduce<unknown>((at, key) => (at as Record<string, unknown>)[key], state);
    assert.notEqual(value, undefined, path);
  }
});

test('availability hides everything of a box that is away, but for the sensor that says so', () => {
  const { components } = discoveryMessage(status, topics);
  const without = Object.entries(components).filter(
    ([, one]) => one.availability_topic !== topics.availability,
  );
  assert.deepEqual(
    without.map(([key]) => key),
    ['connectivity'],
  );
});

test('a disk that is gone is left with its platform alone, so that Home Assistant forgets it', () => {
  const fewer = foldStatus({ ...healthyFacts, volumes: [volumeFacts('disk1')] });
  const { components } = discoveryMessage(fewer, topics, ['disk2']);
  assert.deepEqual(components[`disk_${diskTag('disk2')}_temperature`], { platform: 'sensor' });
  assert.deepEqual(components[`disk_${diskTag('disk2')}_problem`], { platform: 'binary_sensor' });
  assert.ok(components[`disk_${diskTag('disk1')}_problem`]?.unique_id !== undefined);
});
