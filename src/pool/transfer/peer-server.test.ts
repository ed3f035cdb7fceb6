import assert from 'node:assert/strict';
import { test } from 'node:test';
import { emptyBytes } from '../../base/bytes.ts';
import {
  closeGraceMs,
  connectionsMax,
  refusalsMax,
  strangerConnectionsMax,
  strangerLifetimeMs,
} from '../../base/limits.ts';
import type { SecureStream } from '../../ports/secure-transport.ts';
import { fakeKey, PeerWorld } from '../../testing/peer-world.ts';
import { methods } from './methods.ts';
import type { PeerConnection } from './peer-connection.ts';
import { PeerServer } from './peer-server.ts';

const foreignPool = new Uint8Array(16).fill(9);

async function box() {
  const world = new PeerWorld();
  world.admit('a', 'box');
  world.admit('desk', 'desktop');
  const dispatcher = world.dispatcher('a');
  dispatcher.handle(methods.chunkHas, async () => emptyBytes);
  dispatcher.handle(methods.logVector, async () => emptyBytes);
  dispatcher.handle(methods.logAppend, async () => emptyBytes);
  dispatcher.handle(methods.pairStart, async () => emptyBytes);
  const members: PeerConnection[] = [];
  const server = await world.serve('a', dispatcher, (connection) => members.push(connection));
  return { world, server, members };
}

test('a stranger may say hello and pair, and is told what to do when it asks for more', async () => {
  const { world } = await box();
  const stranger = await world.connect('stranger', 'a', world.dispatcher('stranger', 'desktop', null));
  assert.equal((await world.clock.runUntil(stranger.greet())).state, 'ok');
  await world.clock.runUntil(stranger.request(methods.pairStart));
  await assert.rejects(world.clock.runUntil(stranger.request(methods.chunkHas)), {
    code: 'NOT_A_MEMBER',
    help: /aether login/,
  });
});

test('a box of a foreign pool is FOREIGN_POOL', async () => {
  const { world } = await box();
  const foreign = await world.connect('foreign', 'a', world.dispatcher('foreign', 'box', foreignPool));
  await world.clock.runUntil(foreign.greet());
  await assert.rejects(world.clock.runUntil(foreign.request(methods.chunkHas)), { code: 'FOREIGN_POOL' });
});

test('a member’s claim to be of another pool changes nothing: its key decides', async () => {
  const { world } = await box();
  const desk = await world.connect('desk', 'a', world.dispatcher('desk', 'box', foreignPool));
  await world.clock.runUntil(desk.greet());
  await world.clock.runUntil(desk.request(methods.chunkHas));
  await assert.rejects(world.clock.runUntil(desk.request(methods.logAppend)), { code: 'NOT_A_BOX' });
});

test('who is admitted is a member from the next request on, and stays', async () => {
  const { world, server, members } = await box();
  const paired = await world.connect('paired', 'a', world.dispatcher('paired', 'desktop'));
  await assert.rejects(world.clock.runUntil(paired.request(methods.logVector)), { code: 'NOT_A_MEMBER' });
  assert.equal(members.length, 0);
  world.admit('paired', 'desktop');
  await world.clock.runUntil(paired.request(methods.logVector));
  await world.clock.run(2 * strangerLifetimeMs);
  assert.equal(paired.open, true);
  assert.deepEqual(
    members.map(({ peer }) => peer.memberId),
    [fakeKey('paired').memberId],
  );
  assert.equal(server.connections().length, 1);
});

test('a stranger that does not pair is closed when its time is over', async () => {
  const { world, server } = await box();
  const stranger = await world.connect('stranger', 'a', world.dispatcher('stranger', 'desktop'));
  await world.clock.run(strangerLifetimeMs - 1000);
  assert.equal(stranger.open, true);
  await world.clock.run(2000);
  assert.equal(stranger.open, false);
  assert.equal(server.connections().length, 0);
});

test('strangers fill only their own places; members come up to the whole', async () => {
  const { world, server } = await box();
  const connect = (name: string) => world.connect(name, 'a', world.dispatcher(name, 'desktop'));
  for (let index = 0; index < strangerConnectionsMax; index++) await connect(`stranger ${index}`);
  const extra = await connect('one stranger more');
  await assert.rejects(world.clock.runUntil(extra.greet()), { code: 'CONNECTIONS_FULL' });
  for (let index = strangerConnectionsMax; index < connectionsMax; index++) await connect('desk');
  assert.equal(server.connections().length, connectionsMax);
  const last = await connect('desk');
  await assert.rejects(world.clock.runUntil(last.greet()), { code: 'CONNECTIONS_FULL' });
});

test('of those that come when all places are taken, only some are told why; the rest are cut off', async () => {
  const { world } = await box();
  const connect = (name: string) => world.connect(name, 'a', world.dispatcher(name, 'desktop'));
  for (let index = 0; index < strangerConnectionsMax; index++) await connect(`stranger ${index}`);
  const codes: string[] = [];
  for (let index = 0; index < refusalsMax + 3; index++) {
    const extra = await connect('one stranger more');
    await world.clock.runUntil(
      extra.greet().then(
        () => codes.push('none'),
        (error: { code: string }) => codes.push(error.code),
      ),
    );
  }
  assert.deepEqual(new Set(codes.slice(0, refusalsMax)), new Set(['CONNECTIONS_FULL']));
  assert.deepEqual(new Set(codes.slice(refusalsMax)), new Set(['LINK_CLOSED']));
  await world.clock.run(closeGraceMs);
  await assert.rejects(world.clock.runUntil((await connect('later')).greet()), { code: 'CONNECTIONS_FULL' });
});

test('a handshake that ends when the server has closed makes no connection, and the peer hears of it', async () => {
  const world = new PeerWorld();
  world.admit('b', 'box');
  const transport = world.network.transportFor('a', fakeKey('a'));
  const accepts: ((stream: SecureStream) => void)[] = [];
  const server = new PeerServer(
    {
      transport: {
        connect: transport.connect,
        listen: (address, accept) => {
          accepts.push(accept);
          return transport.listen(address, accept);
        },
      },
      dispatcher: world.dispatcher('a'),
      onMember: () => assert.fail('nobody is asked on it'),
    },
    { clock: world.clock, log: world.log },
  );
  await server.listen({ host: 'a', port: 4000 });
  const arrived: SecureStream[] = [];
  await transport.listen({ host: 'a', port: 4001 }, (stream) => arrived.push(stream));
  const connecting = world.network
    .transportFor('b', fakeKey('b'))
    .connect({ host: 'a', port: 4001 }, { timeoutMs: 1000 });
  const stream = await world.clock.runUntil(connecting);
  const closing = server.close();
  accepts[0]!(arrived[0]!);
  await closing;
  assert.deepEqual(server.connections(), []);
  let closed = false;
  stream.attach({ data: () => {}, drain: () => {}, closed: () => (closed = true) });
  await world.clock.run(1000);
  assert.equal(closed, true);
});

test('hello that cannot be read is refused by code, and the connection stays', async () => {
  const { world } = await box();
  const desk = await world.connect('desk', 'a', world.dispatcher('desk', 'desktop'));
  await assert.rejects(world.clock.runUntil(desk.request(methods.hello, new Uint8Array([0xff]))), {
    code: 'CBOR_INVALID',
  });
  await world.clock.runUntil(desk.greet());
});
