import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { test } from 'node:test';
import type { Bytes } from '../base/bytes.ts';
import type { SecureStream, SecureTransport } from '../ports/secure-transport.ts';
import { secureTransportContract } from './contracts/secure-transport-contract.ts';
import { FakeClock } from './fake-clock.ts';
import { FakeSecureNetwork } from './fake-secure-network.ts';
import { SeededEntropy } from './seeded-entropy.ts';

function keyOf(name: string) {
  const publicKey: Bytes = new TextEncoder().encode(`key of ${name}`);
  return { publicKey, memberId: new Uint8Array(hash('sha256', publicKey, 'buffer')) };
}

function network(seed = 1) {
  const clock = new FakeClock();
  const fake = new FakeSecureNetwork({ clock, entropy: new SeededEntropy(seed) });
  return { clock, fake, a: fake.transportFor('a', keyOf('a')), b: fake.transportFor('b', keyOf('b')) };
}

secureTransportContract('fake', async () => {
  const { clock, a, b } = network();
  return {
    server: a,
    client: b,
    serverPublicKey: keyOf('a').publicKey,
    clientPublicKey: keyOf('b').publicKey,
    host: 'a',
    settle: (promise) => clock.runUntil(promise),
    elapse: (durationMs) => clock.run(durationMs),
  };
});

/** A stream from `b` to `a`, and what happens at both ends, in words. */
async function joined(clock: FakeClock, a: SecureTransport, b: SecureTransport) {
  const events: string[] = [];
  const watch = (name: string, stream: SecureStream) =>
    stream.attach({
      data: (bytes) => events.push(`${name} got ${bytes.length}`),
      drain: () => {},
      closed: (error) =>
        events.push(`${name} closed ${(error as { code?: string } | undefined)?.code ?? ''}`),
    });
  const listener = await a.listen({ host: 'a', port: 0 }, (stream) => watch('a', stream));
  const connecting = b.connect({ host: 'a', port: listener.port }, { timeoutMs: 1000 });
  const stream = await clock.runUntil(connecting);
  watch('b', stream);
  return { stream, events, port: listener.port };
}

test('a cut holds bytes back and heal lets them go on; connecting meanwhile times out', async () => {
  const { clock, fake, a, b } = network();
  const { stream, events, port } = await joined(clock, a, b);
  fake.cut('a', 'b');
  stream.write([new Uint8Array([1])]);
  await clock.run(60_000);
  assert.deepEqual(events, []);
  await assert.rejects(clock.runUntil(b.connect({ host: 'a', port }, { timeoutMs: 1000 })), {
    code: 'LINK_TIMEOUT',
  });
  fake.heal('a', 'b');
  await clock.run(10);
  assert.deepEqual(events, ['a got 1']);
});

test('a program that dies resets its streams and hears nothing itself', async () => {
  const { clock, fake, a, b } = network();
  const { events, port } = await joined(clock, a, b);
  fake.crash('a');
  await clock.run(10);
  assert.deepEqual(events, ['b closed LINK_CLOSED']);
  await assert.rejects(clock.runUntil(b.connect({ host: 'a', port }, { timeoutMs: 1000 })), {
    code: 'LINK_REFUSED',
  });
});

test('a host without power is silent until it is back, then it resets', async () => {
  const { clock, fake, a, b } = network();
  const { stream, events } = await joined(clock, a, b);
  fake.crash('a', 'silent');
  stream.write([new Uint8Array(100)]);
  await clock.run(60_000);
  assert.deepEqual(events, []);
  fake.restart('a');
  await clock.run(10);
  assert.deepEqual(events, ['b closed LINK_CLOSED']);
});

test('the same seed splits and delays the same way', async () => {
  const traces: string[] = [];
  for (const seed of [5, 5, 6]) {
    const { clock, a, b } = network(seed);
    const { stream, events } = await joined(clock, a, b);
    stream.write([new Uint8Array(50_000)]);
    await clock.run(100);
    traces.push(events.join());
  }
  assert.equal(traces[0], traces[1]);
  assert.notEqual(traces[0], traces[2]);
});
