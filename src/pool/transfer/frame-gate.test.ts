import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Bytes, utf8 } from '../../base/bytes.ts';
import {
  framePayloadBytesMax,
  helloBytesMax,
  keepAliveIdleMs,
  strangerRequestBytesMax,
} from '../../base/limits.ts';
import type { SecureStream } from '../../ports/secure-transport.ts';
import { PeerWorld } from '../../testing/peer-world.ts';
import { decodeError } from './error-payload.ts';
import { encodeFrame, type Frame, type FrameKind, FrameReader, frameKinds } from './frame.ts';
import { methods } from './methods.ts';

/** A box, with what its handlers were given, and a stream to it on which frames are written by hand. */
async function boxAnd(name: string) {
  const world = new PeerWorld();
  world.admit('a', 'box');
  world.admit('desk', 'desktop');
  const dispatcher = world.dispatcher('a');
  const handled: number[] = [];
  for (const method of [
    methods.pairStart,
    methods.pairFinish,
    methods.chunkPut,
    methods.logVector,
    methods.treeStat,
  ]) {
    dispatcher.handle(method, async () => {
      handled.push(method);
      return utf8('answer');
    });
  }
  await world.serve('a', dispatcher);
  const stream = await world.stream(name, 'a');
  const heard: { frames: Frame[]; closed: boolean } = { frames: [], closed: false };
  const reader = new FrameReader((frame) => heard.frames.push(frame));
  stream.attach({
    data: (bytes) => reader.push(bytes),
    drain: () => {},
    closed: () => {
      heard.closed = true;
    },
  });
  return { world, stream, heard, handled };
}

/** Only the header of a frame: what is refused by it is refused without its payload. */
function sendHeader(stream: SecureStream, kind: FrameKind, method: number, id: number, bytes: number): void {
  const payload: Bytes = new Uint8Array(bytes);
  const [first] = encodeFrame(kind, method, id, [payload]);
  stream.write([first!.subarray(0, 12)]);
}

test('a request longer than its method needs is refused by its header and the connection closed', async () => {
  for (const [name, method, bytes, code] of [
    ['stranger', methods.hello, helloBytesMax + 1, 'FRAME_TOO_LONG'],
    ['stranger', methods.hello, framePayloadBytesMax, 'FRAME_TOO_LONG'],
    ['stranger', methods.pairStart, strangerRequestBytesMax + 1, 'FRAME_TOO_LONG'],
    ['stranger', methods.chunkPut, strangerRequestBytesMax + 1, 'NOT_A_MEMBER'],
    ['stranger', 999, strangerRequestBytesMax + 1, 'NOT_A_MEMBER'],
    ['desk', methods.hello, helloBytesMax + 1, 'FRAME_TOO_LONG'],
    ['desk', methods.logVector, 1, 'FRAME_TOO_LONG'],
    ['desk', methods.treeStat, 32 * 1024, 'FRAME_TOO_LONG'],
  ] as const) {
    const { world, stream, heard, handled } = await boxAnd(name);
    sendHeader(stream, frameKinds.request, method, 5, bytes);
    await world.clock.run(100);
    assert.deepEqual([heard.closed, heard.frames.length, handled], [true, 1, []], `${name} ${method}`);
    assert.deepEqual([heard.frames[0]!.kind, heard.frames[0]!.requestId], [frameKinds.error, 5]);
    assert.equal(decodeError(heard.frames[0]!.payload).code, code);
  }
});

test('a request of the greatest length is answered', async () => {
  for (const [name, method, bytes] of [
    ['stranger', methods.pairStart, strangerRequestBytesMax],
    ['stranger', methods.pairFinish, framePayloadBytesMax],
    ['desk', methods.logVector, 0],
    ['desk', methods.chunkPut, framePayloadBytesMax],
  ] as const) {
    const { world, stream, heard } = await boxAnd(name);
    stream.write(encodeFrame(frameKinds.request, method, 5, [new Uint8Array(bytes)]));
    await world.clock.run(1000);
    assert.deepEqual([heard.closed, heard.frames[0]?.kind], [false, frameKinds.response], `${method}`);
  }
});

test('an answer to a sign of life is no longer than a hello, whatever method it names', async () => {
  for (const [kind, method, bytes] of [
    [frameKinds.response, methods.hello, helloBytesMax + 1],
    [frameKinds.response, methods.chunkGet, framePayloadBytesMax],
    [frameKinds.error, methods.hello, framePayloadBytesMax],
  ] as const) {
    const { world, stream, heard } = await boxAnd('stranger');
    await world.clock.run(keepAliveIdleMs + 3000);
    const asked = heard.frames.find((frame) => frame.kind === frameKinds.request);
    assert.equal(asked?.method, methods.hello);
    sendHeader(stream, kind, method, asked.requestId, bytes);
    await world.clock.run(100);
    assert.equal(heard.closed, true);
    assert.equal(decodeError(heard.frames.at(-1)!.payload).code, 'FRAME_TOO_LONG');
  }
});
