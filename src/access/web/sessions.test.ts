import assert from 'node:assert/strict';
import { test } from 'node:test';
import { webSessionIdleMs, webSessionMs, webSessionsMax } from '../../base/face-limits.ts';
import { FakeClock } from '../../testing/fake-clock.ts';
import { SeededEntropy } from '../../testing/seeded-entropy.ts';
import { Sessions } from './sessions.ts';

function open() {
  const clock = new FakeClock();
  const control = { pinChanges: 0 };
  const sessions = new Sessions({ clock, entropy: new SeededEntropy(1), control });
  const begin = () => {
    const { session, cookie } = sessions.begin();
    return { session, cookie: cookie.split(';')[0]! };
  };
  return { clock, control, sessions, begin };
}

test('a session is found by its cookie, among others, and by nothing else', () => {
  const { sessions, begin } = open();
  const { session, cookie } = begin();
  assert.equal(sessions.find(cookie), session);
  assert.equal(sessions.find(`theme=dark; ${cookie}; x=y`), session);
  const id = cookie.split('=')[1]!;
  for (const other of [
    undefined,
    '',
    'x',
    `aether=${id}`,
    `__Host-aether=${'0'.repeat(64)}`,
    `${cookie}0`,
    '__Host-aether=',
  ]) {
    assert.equal(sessions.find(other), undefined, other);
  }
});

test('the cookie is for this host alone, over TLS, and no script reads it', () => {
  const { cookie } = open().sessions.begin();
  assert.match(cookie, /^__Host-aether=[0-9a-f]{64}; Path=\/; Secure; HttpOnly; SameSite=Strict$/);
});

test('a session ends when nobody uses it, and at last after a day', async () => {
  const { clock, sessions, begin } = open();
  const idle = begin();
  await clock.run(webSessionIdleMs);
  assert.equal(sessions.find(idle.cookie), undefined);
  const used = begin();
  for (let ms = 0; ms < webSessionMs - 1; ms += webSessionIdleMs / 2) {
    assert.ok(sessions.find(used.cookie), `after ${ms} ms`);
    await clock.run(webSessionIdleMs / 2);
  }
  assert.equal(sessions.find(used.cookie), undefined);
});

test('there are only so many: the one unused longest goes', async () => {
  const { clock, sessions, begin } = open();
  const first = begin();
  const second = begin();
  for (let count = 2; count < webSessionsMax; count++) begin();
  await clock.run(1);
  sessions.find(first.cookie);
  begin();
  assert.equal(sessions.find(second.cookie), undefined);
  assert.ok(sessions.find(first.cookie));
});

test('who logs out is out, and a new PIN ends all but the one that is kept', () => {
  const { control, sessions, begin } = open();
  const [one, other, third] = [begin(), begin(), begin()];
  assert.match(sessions.end(one.session), /Max-Age=0/);
  assert.equal(sessions.find(one.cookie), undefined);
  assert.ok(sessions.find(other.cookie));
  control.pinChanges++;
  sessions.keep(other.session);
  assert.ok(sessions.find(other.cookie));
  assert.equal(sessions.find(third.cookie), undefined);
});

test('whether a session goes on can be asked without using it', async () => {
  const { clock, sessions, begin } = open();
  const { session, cookie } = begin();
  await clock.run(webSessionIdleMs - 1);
  assert.ok(sessions.isLive(session));
  await clock.run(1);
  assert.ok(!sessions.isLive(session));
  assert.equal(sessions.find(cookie), undefined);
});
