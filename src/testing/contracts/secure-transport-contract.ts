import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { type TestContext, test } from 'node:test';
import { type Bytes, concat, toHex } from '../../base/bytes.ts';
import type {
  PeerAddress,
  SecureListener,
  SecureStream,
  SecureStreamHandler,
  SecureTransport,
} from '../../ports/secure-transport.ts';

export interface TransportPair {
  readonly server: SecureTransport;
  readonly client: SecureTransport;
  readonly serverPublicKey: Bytes;
  readonly clientPublicKey: Bytes;
  /** Where `server` may listen. */
  readonly host: string;
  /** Lets time pass until `promise` settles. */
  settle<T>(promise: Promise<T>): Promise<T>;
  elapse(durationMs: number): Promise<void>;
}

/** What every {@link SecureTransport} must do; run on the fake and on the real one. */
export function secureTransportContract(
  name: string,
  setUp: (t: TestContext) => Promise<TransportPair>,
): void {
  test(`${name}: each side knows the key that the other has proved, and its hash`, async (t) => {
    const { pair, near, far } = await connected(t, setUp);
    assert.deepEqual(near.stream.peerPublicKey, pair.serverPublicKey);
    assert.deepEqual(far.stream.peerPublicKey, pair.clientPublicKey);
    for (const { peerKeyHash, peerPublicKey } of [near.stream, far.stream]) {
      assert.equal(toHex(peerKeyHash), hash('sha256', peerPublicKey, 'hex'));
    }
  });

  test(`${name}: bytes arrive whole and in order, both ways at once, with back-pressure`, async (t) => {
    const { pair, near, far } = await connected(t, setUp);
    const sent = pattern(3_000_000);
    const both = Promise.all([
      near.send(sent),
      far.send(sent),
      near.received(sent.length),
      far.received(sent.length),
    ]);
    const [, , atNear, atFar] = await pair.settle(both);
    assert.equal(hash('sha256', atNear), hash('sha256', sent));
    assert.equal(hash('sha256', atFar), hash('sha256', sent));
  });

  test(`${name}: bytes that arrive before anybody is attached wait`, async (t) => {
    const { pair, near, far } = await connected(t, setUp, false);
    far.attach();
    far.stream.write([pattern(100)]);
    far.stream.write([pattern(200)]);
    await pair.elapse(100);
    near.attach();
    const bytes = await pair.settle(near.received(300));
    assert.deepEqual(bytes, concat([pattern(100), pattern(200)]));
  });

  test(`${name}: a paused reader slows the writer down, and loses nothing`, async (t) => {
    const { pair, near, far } = await connected(t, setUp);
    near.stream.pause();
    const sent = pattern(24 * 1024 * 1024);
    let sentAll = false;
    const sending = far.send(sent).then(() => {
      sentAll = true;
    });
    await pair.elapse(300);
    assert.equal(sentAll, false, 'what lies between the two is bounded');
    near.stream.resume();
    await pair.settle(sending);
    const received = await pair.settle(near.received(sent.length));
    assert.equal(hash('sha256', received), hash('sha256', sent));
  });

  test(`${name}: an orderly end delivers everything and closes both sides without an error`, async (t) => {
    const { pair, near, far } = await connected(t, setUp);
    const sent = pattern(500_000);
    far.stream.write([sent]);
    far.stream.end();
    const closings = await pair.settle(Promise.all([near.closed, far.closed]));
    assert.deepEqual(closings, [undefined, undefined]);
    assert.equal((await near.received(sent.length)).length, sent.length);
    assert.deepEqual([near.closings, far.closings], [1, 1]);
  });

  test(`${name}: destroy closes both sides, once`, async (t) => {
    const { pair, near, far } = await connected(t, setUp);
    near.stream.destroy();
    await pair.settle(Promise.all([near.closed, far.closed]));
    near.stream.destroy();
    assert.equal(near.stream.write([pattern(1)]), true, 'writing afterwards is ignored');
    await pair.elapse(100);
    assert.deepEqual([near.closings, far.closings], [1, 1]);
  });

  test(`${name}: nobody there is LINK_REFUSED, and a port in use LINK_ADDRESS_IN_USE`, async (t) => {
    const { pair, listener } = await connected(t, setUp);
    const address = { host: pair.host, port: listener.port };
    await assert.rejects(pair.settle(pair.server.listen(address, () => {})), { code: 'LINK_ADDRESS_IN_USE' });
    await pair.settle(listener.close());
    await assert.rejects(pair.settle(pair.client.connect(address, { timeoutMs: 5000 })), {
      code: 'LINK_REFUSED',
    });
  });
}

async function connected(t: TestContext, setUp: (t: TestContext) => Promise<TransportPair>, attach = true) {
  const pair = await setUp(t);
  let accepted: (stream: SecureStream) => void;
  const accepting = new Promise<SecureStream>((resolve) => {
    accepted = resolve;
  });
  const listening = pair.server.listen({ host: pair.host, port: 0 }, (stream) => accepted(stream));
  const listener: SecureListener = await pair.settle(listening);
  const address: PeerAddress = { host: pair.host, port: listener.port };
  const streams = Promise.all([pair.client.connect(address, { timeoutMs: 5000 }), accepting]);
  const [near, far] = (await pair.settle(streams)).map((stream) => new End(stream)) as [End, End];
  if (attach) {
    near.attach();
    far.attach();
  }
  t.after(async () => {
    near.stream.destroy();
    far.stream.destroy();
    await pair.settle(listener.close());
  });
  return { pair, near, far, listener };
}

/** One end of a stream, remembering all that happened to it. */
class End {
  readonly stream: SecureStream;
  /** Resolves with the error that the stream was closed with, or undefined. */
  readonly closed: Promise<Error | undefined>;
  closings = 0;
  readonly #pieces: Bytes[] = [];
  #receivedBytes = 0;
  #drained: () => void = () => {};
  #progress: () => void = () => {};
  #close!: (error?: Error) => void;

  constructor(stream: SecureStream) {
    this.stream = stream;
    this.closed = new Promise((resolve) => {
      this.#close = resolve;
    });
  }

  attach(): void {
    const handler: SecureStreamHandler = {
      data: (bytes) => {
        this.#pieces.push(new Uint8Array(bytes));
        this.#receivedBytes += bytes.length;
        this.#progress();
      },
      drain: () => this.#drained(),
      closed: (error) => {
        this.closings++;
        this.#close(error);
      },
    };
    this.stream.attach(handler);
  }

  /** Writes `bytes` in pieces, waiting whenever told to. */
  async send(bytes: Bytes): Promise<void> {
    for (let offset = 0; offset < bytes.length; offset += 100_000) {
      const room = this.stream.write([bytes.subarray(offset, offset + 100_000)]);
      if (room) continue;
      await new Promise<void>((resolve) => {
        this.#drained = resolve;
      });
    }
  }

  /** Everything received so far, as soon as that is `sizeBytes`. */
  async received(sizeBytes: number): Promise<Bytes> {
    while (this.#receivedBytes < sizeBytes) {
      await new Promise<void>((resolve) => {
        this.#progress = resolve;
      });
    }
    return concat(this.#pieces);
  }
}

function pattern(sizeBytes: number): Bytes {
  return new Uint8Array(sizeBytes).map((_, index) => (index * 31 + (index >>> 8)) & 0xff);
}
