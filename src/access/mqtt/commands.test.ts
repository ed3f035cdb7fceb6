import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mqttCommandGapMs } from '../../base/face-limits.ts';
import { judge } from './commands.ts';
import { topicsOf } from './topics.ts';

const topics = topicsOf('ab'.repeat(32), 'homeassistant');
const message = (topic: string, payload: string | undefined, retained = false) => ({
  topic,
  payload,
  retained,
});

test('each command is followed on its topic with its payload and no other', () => {
  const expected = [
    ['identify', topics.identify, 'PRESS'],
    ['restart', topics.restart, 'PRESS'],
    ['update', topics.update, 'install'],
  ] as const;
  for (const [command, topic, payload] of expected) {
    const answer = judge(message(topic, payload), topics, {}, 5);
    assert.deepEqual(answer, { kind: 'follow', command, times: { [command]: 5 } });
    for (const wrong of [
      '',
      'press',
      ' PRESS',
      'INSTALL',
      'PRESS\n',
      undefined,
      payload === 'PRESS' ? 'install' : 'PRESS',
    ])
      assert.deepEqual(judge(message(topic, wrong), topics, {}, 5), { kind: 'refuse', reason: 'payload' });
  }
});

test('a retained command is not followed: it would come again after every restart', () => {
  assert.deepEqual(judge(message(topics.restart, 'PRESS', true), topics, {}, 5), {
    kind: 'refuse',
    reason: 'retained',
  });
});

test('a command too soon after the last of its kind is not followed, another one is', () => {
  const times = { restart: 1000 };
  const soonMs = 1000 + mqttCommandGapMs.restart - 1;
  assert.deepEqual(judge(message(topics.restart, 'PRESS'), topics, times, soonMs), {
    kind: 'refuse',
    reason: 'too often',
  });
  assert.equal(judge(message(topics.restart, 'PRESS'), topics, times, soonMs + 1).kind, 'follow');
  assert.equal(judge(message(topics.identify, 'PRESS'), topics, times, soonMs).kind, 'follow');
});

test('Home Assistant’s greeting counts retained too, its farewell and other topics do not', () => {
  for (const retained of [false, true])
    assert.deepEqual(judge(message(topics.homeAssistant, 'online', retained), topics, {}, 5), {
      kind: 'greeting',
    });
  assert.equal(judge(message(topics.homeAssistant, 'offline'), topics, {}, 5).kind, 'refuse');
  assert.deepEqual(judge(message('aetherstore/other/restart/set', 'PRESS'), topics, {}, 5), {
    kind: 'refuse',
    reason: 'topic',
  });
});
