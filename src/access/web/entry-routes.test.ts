import assert from 'node:assert/strict';
import { test } from 'node:test';
import { utf8 } from '../../base/bytes.ts';
import { AetherError } from '../../base/errors.ts';
import { httpHeadersTimeoutMs } from '../../base/face-limits.ts';
import type { HttpRequest } from '../../ports/http-server.ts';
import { FakeClock } from '../../testing/fake-clock.ts';
import { NotingControl } from '../../testing/noting-control.ts';
import { SeededEntropy } from '../../testing/seeded-entropy.ts';
import { EntryRoutes } from './entry-routes.ts';
import { Sessions } from './sessions.ts';

function open({ claimed = false } = {}) {
  const clock = new FakeClock();
  const control = new NotingControl();
  const sessions = new Sessions({ clock, entropy: new SeededEntropy(1), control });
  const finishes: PromiseWithResolvers<void>[] = [];
  const finish = () => {
    const finishing = Promise.withResolvers<void>();
    finishes.push(finishing);
    return finishing.promise;
  };
  const entry = { claimed, prove: async () => {}, newPool: () => ({ words: ['word'], finish }) };
  const routes = new EntryRoutes({ control, entry, sessions }, { clock });
  const claim = async () => {
    const cookie = String((await routes.claim(form({ code: 'x' }))).headers['set-cookie']);
    const session = sessions.find(cookie.split(';')[0])!;
    return { session, finish: () => routes.finishClaim(form({ token: session.token }), session) };
  };
  return { clock, routes, finishes, claim };
}

function form(fields: Record<string, string>): HttpRequest {
  return posted([new URLSearchParams(fields).toString()]);
}

function posted(parts: Iterable<string> | AsyncIterable<string>): HttpRequest {
  const body = (async function* () {
    for await (const part of parts) yield utf8(part);
  })();
  const headers = { 'content-type': 'application/x-www-form-urlencoded', 'sec-fetch-site': 'same-origin' };
  return { headers, body } as Partial<HttpRequest> as HttpRequest;
}

test('who confirms the words twice has made one pool, and both clicks lead to it', async () => {
  const { clock, finishes, claim } = open();
  const { session, finish } = await claim();
  const clicks = [finish(), finish()];
  await clock.run(0);
  assert.equal(finishes.length, 1);
  finishes[0]!.resolve();
  assert.deepEqual(
    (await Promise.all(clicks)).map(({ status }) => status),
    [303, 303],
  );
  assert.match(session.notice!, /This box is yours/);
  assert.equal((await finish()).status, 303);
  assert.equal(finishes.length, 1);
});

test('a pool that could not be made is told to every click, and the next one tries again', async () => {
  const { clock, routes, finishes, claim } = open();
  const { session, finish } = await claim();
  const clicks = [finish(), finish()].map((click) => assert.rejects(click, { code: 'STORE_FULL' }));
  await clock.run(0);
  finishes[0]!.reject(new AetherError('STORE_FULL', 'the card is full'));
  await Promise.all(clicks);
  assert.ok(routes.isOnlyClaiming(session));
  const again = finish();
  await clock.run(0);
  finishes[1]!.resolve();
  assert.equal((await again).status, 303);
  assert.ok(!routes.isOnlyClaiming(session));
});

test('a stranger who sends a code byte by byte is not waited for', async () => {
  const { clock, routes } = open({ claimed: true });
  const trickle = (async function* () {
    for (;;) {
      yield 'c';
      await new Promise<void>((resolve) => clock.after(1000, resolve));
    }
  })();
  const answer = routes.logIn(posted(trickle));
  await clock.run(httpHeadersTimeoutMs - 1);
  let answered = false;
  void answer.then(() => {
    answered = true;
  });
  await clock.run(0);
  assert.ok(!answered);
  await clock.run(1);
  assert.ok(answered);
  assert.equal((await answer).status, 403);
});

test('who goes away while sending a code, or sends none in time, leaves nothing behind', async () => {
  const { clock, routes } = open({ claimed: true });
  const breaking = (async function* () {
    yield 'code=';
    throw new AetherError('LINK_LOST', 'gone');
  })();
  assert.equal((await routes.logIn(posted(breaking))).status, 403);
  assert.equal((await routes.logIn(form({ code: 'x' }))).status, 303);
  await clock.run(2 * httpHeadersTimeoutMs);
});
