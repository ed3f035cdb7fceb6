import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fromUtf8 } from '../../base/bytes.ts';
import { webStreamPeriodMs } from '../../base/face-limits.ts';
import { peerFacts } from '../../testing/appliance-facts.ts';
import { FakeClock } from '../../testing/fake-clock.ts';
import { NotingControl } from '../../testing/noting-control.ts';
import { news } from './news.ts';
import { parts } from './pages/overview.ts';

function open() {
  const clock = new FakeClock();
  const control = new NotingControl();
  const ending = new AbortController();
  const session = { token: 't', notice: undefined, adoptions: new Map() };
  const until = { signal: ending.signal, live: true, isLive: () => until.live };
  const stream = news(control, session, until, clock);
  const said: string[] = [];
  const done = (async () => {
    for await (const bytes of stream) said.push(fromUtf8(bytes)!);
  })();
  const ids = () =>
    said.splice(0).flatMap((text) => [...text.matchAll(/"id":"(\w+)"/g)].map(([, id]) => id!));
  return { clock, control, ending, until, said, done, ids };
}

test('first every part, then those that changed, a moment after they did', async () => {
  const { clock, control, ids, ending, done } = open();
  await clock.run(0);
  assert.deepEqual(ids(), Object.keys(parts));
  control.set({ peers: [peerFacts('aether-7b10', { reachable: false })] });
  control.set({ peers: [peerFacts('aether-7b10', { reachable: false, address: '192.0.2.7:1' })] });
  assert.deepEqual(ids(), []);
  await clock.run(100);
  assert.deepEqual(ids(), ['health', 'conditions', 'boxes']);
  ending.abort();
  await done;
});

test('when nothing changes there is a sign of life, and no more', async () => {
  const { clock, said, ending, done } = open();
  await clock.run(0);
  said.length = 0;
  await clock.run(webStreamPeriodMs + 5000);
  assert.deepEqual(said, [': still here\n\n']);
  ending.abort();
  await done;
});

test('who goes away leaves nothing behind', async () => {
  const { clock, control, ending, done } = open();
  await clock.run(0);
  assert.equal(control.listenerCount, 1);
  ending.abort();
  await done;
  assert.equal(control.listenerCount, 0);
});

test('who has logged out, or whose session has ended, hears nothing more', async () => {
  const { clock, control, until, ids, done } = open();
  await clock.run(0);
  ids();
  until.live = false;
  control.set({ peers: [peerFacts('aether-7b10', { reachable: false })] });
  await clock.run(100);
  await done;
  assert.deepEqual(ids(), []);
  assert.equal(control.listenerCount, 0);
});
