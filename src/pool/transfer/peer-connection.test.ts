import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Bytes, concat, emptyBytes, utf8 } from '../../base/bytes.ts';
import { AetherError } from '../../base/errors.ts';
import {
  framePayloadBytesMax,
  largeAnswersInFlightMax,
  requestBytesInFlightMax,
  requestsInFlightMax,
  requestsWaitingMax,
  streamWriteBufferBytes,
} from '../../base/limits.ts';
import type { SecureStream } from '../../ports/secure-transport.ts';
import { settle } from '../../testing/fake-clock.ts';
import { PeerWorld } from '../../testing/peer-world.ts';
import type { Answer } from './answerer.ts';
import { decodeError } from './error-payload.ts';
import { encodeFrame, type Frame, FrameReader, frameKinds } from './frame.ts';
import { methods } from './methods.ts';
import { PeerDispatcher } from './peer-dispatcher.ts';

/** A box `a` that `desk`, a desktop of the same pool, is connected to. */
async function boxAndDesk(handle: (dispatcher: PeerDispatcher) => void = () => {}) {
  const world = new PeerWorld();
  world.admit('a', 'box');
  world.admit('desk', 'desktop');
  const dispatcher = world.dispatcher('a');
  handle(dispatcher);
  const server = await world.serve('a', dispatcher);
  const desk = await world.connect('desk', 'a', world.dispatcher('desk', 'desktop'));
  return { world, server, desk };
}

/** A member that speaks frames by hand: what it sends, and all frames and the closing it hears. */
async function byHand(world: PeerWorld, name = 'desk') {
  const stream = await world.stream(name, 'a');
  const frames: Frame[] = [];
  const heard = { stream, frames, closed: false };
  const reader = new FrameReader((frame) => frames.push(frame));
  stream.attach({
    data: (bytes) => reader.push(bytes),
    drain: () => {},
    closed: () => {
      heard.closed = true;
    },
  });
  return heard;
}

function sendRequest(stream: SecureStream, method: number, id: number, payload: Bytes = emptyBytes): boolean {
  return stream.write(encodeFrame(frameKinds.request, method, id, [payload]));
}

test('each side asks and the other answers, in any order', async () => {
  const waiting: ((answer: Answer) => void)[] = [];
  const { world, server, desk } = await boxAndDesk((box) => {
    box.handle(methods.treeStat, () => new Promise((resolve) => waiting.push(resolve)));
  });
  const first = desk.request(methods.treeStat, utf8('first'));
  const second = desk.request(methods.treeStat, utf8('second'));
  await world.clock.run(10);
  waiting[1]!([utf8('an answer '), utf8('in parts')]);
  assert.deepEqual(await world.clock.runUntil(second), utf8('an answer in parts'));
  waiting[0]!(emptyBytes);
  assert.deepEqual(await world.clock.runUntil(first), emptyBytes);
  const hello = await world.clock.runUntil(server.connections()[0]!.greet());
  assert.deepEqual([hello.role, hello.name], ['desktop', 'desk']);
});

test('a handler’s error reaches the asker with code, fields and help; an unexpected one only as INTERNAL', async () => {
  const { world, desk } = await boxAndDesk((box) => {
    box.handle(methods.treeStat, async () => {
      throw new AetherError('STORE_FULL', 'no room', { fields: { bytes: 5 }, help: 'Add a disk.' });
    });
    box.handle(methods.treeList, async () => {
      throw new Error('secret detail');
    });
  });
  await assert.rejects(world.clock.runUntil(desk.request(methods.treeStat)), {
    code: 'STORE_FULL',
    message: 'no room',
    fields: { bytes: 5 },
    help: 'Add a disk.',
  });
  await assert.rejects(world.clock.runUntil(desk.request(methods.treeList)), (error: AetherError) => {
    return error.code === 'INTERNAL' && !error.message.includes('secret');
  });
  assert.ok(world.logged.some((entry) => String(entry.fields.error).includes('secret detail')));
});

test('an unknown method is METHOD_UNKNOWN and the connection stays', async () => {
  const { world, desk } = await boxAndDesk();
  await assert.rejects(world.clock.runUntil(desk.request(999)), { code: 'METHOD_UNKNOWN' });
  assert.equal((await world.clock.runUntil(desk.greet())).name, 'a');
});

test('an answer longer than a frame is INTERNAL, and a request longer than a frame is refused here', async () => {
  const { world, desk } = await boxAndDesk((box) => {
    box.handle(methods.treeList, async () => new Uint8Array(framePayloadBytesMax + 1));
  });
  await assert.rejects(world.clock.runUntil(desk.request(methods.treeList)), { code: 'INTERNAL' });
  const long = desk.request(methods.treeList, new Uint8Array(framePayloadBytesMax + 1));
  await assert.rejects(world.clock.runUntil(long), { code: 'FRAME_TOO_LONG' });
  assert.equal((await world.clock.runUntil(desk.greet())).name, 'a');
});

test('a frame of another version or too long is answered with one error frame and closed; others are unaffected', async () => {
  const { world, desk } = await boxAndDesk();
  for (const [offset, value, code] of [
    [4, 9, 'FRAME_VERSION_UNKNOWN'],
    [0, 0x7f, 'FRAME_TOO_LONG'],
    [5, 8, 'FRAME_KIND_UNKNOWN'],
  ] as const) {
    const bad = await byHand(world);
    const bytes = concat(encodeFrame(frameKinds.request, methods.hello, 55, []));
    bytes[offset] = value;
    bad.stream.write([bytes]);
    await world.clock.run(100);
    assert.deepEqual(
      bad.frames.map((frame) => [frame.kind, frame.requestId]),
      [[frameKinds.error, 55]],
    );
    assert.equal(decodeError(bad.frames[0]!.payload).code, code);
    assert.equal(bad.closed, true);
    assert.equal((await world.clock.runUntil(desk.greet())).name, 'a');
  }
});

test('a stream that ends inside a frame is FRAME_TRUNCATED for what waits on it', async () => {
  const { world, server } = await boxAndDesk();
  const bad = await byHand(world);
  const asked = server.connections()[1]!.request(methods.hello);
  const failed = assert.rejects(asked, { code: 'FRAME_TRUNCATED' });
  bad.stream.write([
    concat(encodeFrame(frameKinds.request, methods.chunkPut, 1, [new Uint8Array(900)])).subarray(0, 300),
  ]);
  bad.stream.end();
  await world.clock.run(100);
  await failed;
  assert.equal(server.connections().length, 1);
});

test('requests beyond the window wait, and bytes count as well', async () => {
  let most = 0;
  let inFlight = 0;
  let release: (() => void)[] = [];
  const { world, desk } = await boxAndDesk((box) => {
    box.handle(methods.chunkPut, async () => {
      most = Math.max(most, ++inFlight);
      await new Promise<void>((resolve) => release.push(resolve));
      inFlight--;
      return emptyBytes;
    });
  });
  for (const [size, expected] of [
    [1, requestsInFlightMax],
    [256 * 1024, requestBytesInFlightMax / (256 * 1024)],
  ] as const) {
    most = 0;
    const answers = Promise.all(
      Array.from({ length: 300 }, () => desk.request(methods.chunkPut, new Uint8Array(size))),
    );
    await world.clock.run(1000);
    assert.equal(inFlight, expected);
    while (inFlight > 0) {
      const held = release;
      release = [];
      for (const done of held) done();
      await world.clock.run(100);
    }
    await world.clock.runUntil(answers);
    assert.equal(most, expected);
  }
});

test('more requests than may wait are PEER_BUSY', async () => {
  const { world, desk } = await boxAndDesk((box) =>
    box.handle(methods.treeStat, () => new Promise(() => {})),
  );
  const codes: string[] = [];
  for (let count = 0; count < requestsInFlightMax + requestsWaitingMax + 3; count++) {
    desk.request(methods.treeStat).catch((error: AetherError) => codes.push(error.code));
  }
  await world.clock.run(10);
  assert.deepEqual(codes, ['PEER_BUSY', 'PEER_BUSY', 'PEER_BUSY']);
});

test('a request without an answer is REQUEST_TIMEOUT; its late answer disturbs nothing', async () => {
  let answer: (answer: Answer) => void = () => {};
  const { world, desk } = await boxAndDesk((box) => {
    box.handle(methods.treeStat, (payload) => {
      if (payload.length > 0) return Promise.resolve(utf8('second'));
      return new Promise((resolve) => {
        answer = resolve;
      });
    });
  });
  await assert.rejects(world.clock.runUntil(desk.request(methods.treeStat, emptyBytes, { timeoutMs: 500 })), {
    code: 'REQUEST_TIMEOUT',
  });
  assert.ok(world.clock.monotonicMs() < 600);
  answer(utf8('late'));
  assert.deepEqual(await world.clock.runUntil(desk.request(methods.treeStat, utf8('?'))), utf8('second'));
});

test('a flood of requests is not read beyond the window, costs bounded memory, and leaves others alone', async () => {
  let begun = 0;
  const { world, desk } = await boxAndDesk((box) => {
    box.handle(methods.chunkPut, () => {
      begun++;
      return new Promise(() => {});
    });
  });
  const flood = await byHand(world);
  let sent = 0;
  while (sendRequest(flood.stream, methods.chunkPut, ++sent, new Uint8Array(64 * 1024)) && sent < 1000);
  for (let turn = 0; turn < 20; turn++) {
    await world.clock.run(50);
    for (let count = 0; count < 16; count++)
      sendRequest(flood.stream, methods.chunkPut, ++sent, new Uint8Array(64 * 1024));
  }
  assert.ok(sent > 300);
  assert.ok(begun <= requestBytesInFlightMax / (64 * 1024) + 1, `${begun} requests were read`);
  assert.equal((await world.clock.runUntil(desk.greet())).name, 'a');
});

test('a peer that never reads costs the stream’s buffer and a few answers, and is closed when it shows no life', async () => {
  let begun = 0;
  const answerBytes = 256 * 1024;
  const { world, server } = await boxAndDesk((box) => {
    box.handle(methods.chunkGet, async () => {
      begun++;
      return new Uint8Array(answerBytes);
    });
  });
  const deaf = await byHand(world);
  deaf.stream.pause();
  for (let id = 1; id <= requestsInFlightMax; id++) sendRequest(deaf.stream, methods.chunkGet, id);
  await world.clock.run(5000);
  assert.ok(
    begun <= streamWriteBufferBytes / answerBytes + largeAnswersInFlightMax,
    `${begun} answers were made`,
  );
  assert.equal(server.connections().length, 2);
  await world.clock.run(15_000);
  assert.equal(server.connections().length, 1);
});

test('two peers that write to each other as much as they may both finish', async () => {
  const { world, server, desk } = await boxAndDesk((box) =>
    box.handle(methods.chunkPut, async () => emptyBytes),
  );
  const box = server.connections()[0]!;
  const chunk = new Uint8Array(200_000);
  const puts = Array.from({ length: 100 }, () => desk.request(methods.chunkPut, chunk));
  const refusals = Array.from({ length: 100 }, () =>
    box.request(methods.chunkPut, chunk).catch((error: AetherError) => error.code),
  );
  await world.clock.runUntil(Promise.all(puts));
  assert.deepEqual(new Set(await world.clock.runUntil(Promise.all(refusals))), new Set(['METHOD_UNKNOWN']));
});

test('closing fails what is unanswered on both sides, once, and stops every timer', async () => {
  const { world, server, desk } = await boxAndDesk((box) =>
    box.handle(methods.treeStat, () => new Promise(() => {})),
  );
  const asked = desk.request(methods.treeStat);
  const box = server.connections()[0]!;
  const refused = [
    assert.rejects(asked, { code: 'LINK_CLOSED' }),
    assert.rejects(box.request(methods.treeStat), { code: 'LINK_CLOSED' }),
  ];
  await world.clock.run(1);
  box.close();
  await world.clock.runUntil(Promise.all([...refused, desk.closed, box.closed]));
  await assert.rejects(desk.request(methods.treeStat), { code: 'LINK_CLOSED' });
  await world.clock.run(100);
  await assert.rejects(world.clock.runUntil(new Promise(() => {})), /nothing left to happen/);
});

test('a peer that dies without a word is noticed within 15 s; an idle one that lives stays', async () => {
  const { world, desk } = await boxAndDesk();
  let closedAtMs = Number.POSITIVE_INFINITY;
  desk.closed.then(() => {
    closedAtMs = world.clock.monotonicMs();
  });
  await world.clock.run(120_000);
  assert.equal(desk.open, true);
  world.network.crash('a', 'silent');
  const asked = assert.rejects(desk.request(methods.treeStat), { code: 'PEER_UNREACHABLE' });
  await world.clock.run(20_000);
  await asked;
  assert.ok(closedAtMs <= 120_000 + 15_000, `noticed after ${closedAtMs - 120_000} ms`);
});

test('the memory of a stored chunk serves the next one, and no byte of one shows in the other', async () => {
  const seen: { readonly memory: ArrayBufferLike; readonly whole: boolean }[] = [];
  const { world, desk } = await boxAndDesk((box) => {
    box.handle(methods.chunkPut, async (payload) => {
      await settle();
      seen.push({ memory: payload.buffer, whole: payload.every((byte) => byte === payload.length % 251) });
      return emptyBytes;
    });
  });
  for (const size of [20_000, 30_000, 17_000, 32_768]) {
    await world.clock.runUntil(desk.request(methods.chunkPut, new Uint8Array(size).fill(size % 251)));
  }
  assert.ok(seen.every(({ whole }) => whole));
  assert.equal(new Set(seen.map(({ memory }) => memory)).size, 1);
});

test('the time is heard of members, whichever side says hello first, and of nobody else', async () => {
  const world = new PeerWorld();
  world.admit('a', 'box');
  world.admit('desk', 'desktop');
  const heard: string[] = [];
  const telling = (name: string, role: 'box' | 'desktop', wallMs: number) =>
    new PeerDispatcher({
      hello: () => ({ role, name, pool: undefined, state: 'ok', clock: { wallMs, isSet: role === 'box' } }),
      memberOf: world.memberOf,
      onTime: (member, told) => heard.push(`${name} of ${member.name}: ${JSON.stringify(told)}`),
    });
  await world.serve('a', telling('a', 'box', 1000));
  const desk = await world.connect('desk', 'a', telling('desk', 'desktop', 2000));
  await world.clock.runUntil(desk.greet());
  const stranger = await world.connect('stranger', 'a', telling('stranger', 'box', 3000));
  await world.clock.runUntil(stranger.greet());
  assert.deepEqual(heard, [
    'a of desk: {"wallMs":2000,"isSet":false}',
    'desk of a: {"wallMs":1000,"isSet":true}',
    'stranger of a: {"wallMs":1000,"isSet":true}',
  ]);
});
