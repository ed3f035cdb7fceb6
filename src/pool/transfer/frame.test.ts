import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Bytes, concat } from '../../base/bytes.ts';
import { framePayloadBytesMax } from '../../base/limits.ts';
import { encodeFrame, type Frame, FrameReader, frameHeaderBytes, frameKinds } from './frame.ts';

function readAll(pieces: readonly Bytes[]): readonly Frame[] {
  const frames: Frame[] = [];
  const reader = new FrameReader((frame) => frames.push(frame));
  for (const piece of pieces) {
    const reused = new Uint8Array(piece);
    reader.push(reused);
    reused.fill(0xee);
  }
  reader.end();
  return frames;
}

function splitAt(bytes: Bytes, cuts: readonly number[]): readonly Bytes[] {
  const pieces: Bytes[] = [];
  let from = 0;
  for (const cut of [...cuts].sort((a, b) => a - b)) {
    pieces.push(bytes.subarray(from, cut));
    from = cut;
  }
  pieces.push(bytes.subarray(from));
  return pieces;
}

const anyFrame: fc.Arbitrary<Frame> = fc.record(
  {
    kind: fc.constantFrom(frameKinds.request, frameKinds.response, frameKinds.error),
    method: fc.integer({ min: 0, max: 0xffff }),
    requestId: fc.integer({ min: 0, max: 0xffffffff }),
    payload: fc.oneof(
      fc.uint8Array({ maxLength: 40 }),
      fc.integer({ min: 4000, max: 9000 }).map((size) => new Uint8Array(size).map((_, index) => index * 7)),
    ),
  },
  { noNullPrototype: true },
);

test('frames come out as they went in, whatever pieces the stream arrives in and though pieces are reused', () => {
  const property = fc.property(
    fc.array(anyFrame, { maxLength: 6 }),
    fc.array(fc.nat(), { maxLength: 12 }),
    (frames, cuts) => {
      const stream = concat(frames.flatMap((f) => encodeFrame(f.kind, f.method, f.requestId, [f.payload])));
      const pieces = splitAt(
        stream,
        cuts.map((cut) => cut % (stream.length + 1)),
      );
      assert.deepEqual(readAll(pieces), frames);
    },
  );
  fc.assert(property, { numRuns: 150 });
});

test('a payload in several parts is one payload, joined or not', () => {
  for (const size of [3, 5000]) {
    const parts = [new Uint8Array(32).fill(1), new Uint8Array(size).fill(2)];
    const [frame] = readAll(encodeFrame(frameKinds.request, 32, 9, parts));
    assert.deepEqual(frame?.payload, concat(parts));
  }
});

test('the header is laid out as formats.md §6 says', () => {
  const [bytes] = encodeFrame(frameKinds.error, 0x0102, 0x0a0b0c0d, [new Uint8Array([9])]);
  assert.deepEqual([...bytes!], [0, 0, 0, 1, 1, 3, 1, 2, 10, 11, 12, 13, 9]);
});

test('a large payload is written without being copied', () => {
  const payload = new Uint8Array(300_000);
  const [header, same] = encodeFrame(frameKinds.response, 33, 1, [payload]);
  assert.equal(header?.length, frameHeaderBytes);
  assert.equal(same, payload);
});

test('a payload of the greatest size passes; one byte more is refused on both sides', () => {
  const most = new Uint8Array(framePayloadBytesMax);
  assert.equal(readAll(encodeFrame(frameKinds.request, 1, 1, [most]))[0]?.payload.length, most.length);
  assert.throws(() => encodeFrame(frameKinds.request, 1, 1, [most, new Uint8Array(1)]), {
    code: 'FRAME_TOO_LONG',
  });
});

test('a frame of another version, an unknown kind or too long is refused with its request id', () => {
  const [good] = encodeFrame(frameKinds.request, 1, 77, []);
  const changed = (offset: number, value: number) => good!.map((byte, at) => (at === offset ? value : byte));
  const cases = [
    [changed(4, 2), 'FRAME_VERSION_UNKNOWN'],
    [changed(4, 0), 'FRAME_VERSION_UNKNOWN'],
    [changed(5, 0), 'FRAME_KIND_UNKNOWN'],
    [changed(5, 4), 'FRAME_KIND_UNKNOWN'],
    [changed(0, 0xff), 'FRAME_TOO_LONG'],
  ] as const;
  for (const [bytes, code] of cases) {
    const reader = new FrameReader(() => assert.fail('no frame'));
    assert.throws(
      () => reader.push(bytes),
      (error: { code: string; fields: { requestId: number } }) =>
        error.code === code && error.fields.requestId === 77,
    );
    reader.push(good!);
    reader.end();
  }
});

test('a stream that ends inside a frame is truncated, at every place inside', () => {
  const stream = concat(encodeFrame(frameKinds.request, 1, 1, [new Uint8Array(5)]));
  for (let size = 0; size <= stream.length; size++) {
    const reader = new FrameReader(() => {});
    reader.push(stream.subarray(0, size));
    const whole = size === 0 || size === stream.length;
    if (whole) reader.end();
    else assert.throws(() => reader.end(), { code: 'FRAME_TRUNCATED' });
  }
});

test('arbitrary bytes give frames or one of the known errors, and never more memory than they announce', () => {
  const known = new Set(['FRAME_VERSION_UNKNOWN', 'FRAME_KIND_UNKNOWN', 'FRAME_TOO_LONG']);
  const property = fc.property(fc.array(fc.uint8Array({ maxLength: 40 })), (pieces) => {
    const reader = new FrameReader(
      () => {},
      (header) => {
        assert.ok(header.payloadBytes <= framePayloadBytesMax);
        return new Uint8Array(header.payloadBytes);
      },
    );
    try {
      for (const piece of pieces) reader.push(piece);
    } catch (error) {
      assert.ok(known.has((error as { code: string }).code));
    }
  });
  fc.assert(property, { numRuns: 300 });
});
