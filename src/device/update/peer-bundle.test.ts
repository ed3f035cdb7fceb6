import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Bytes } from '../../base/bytes.ts';
import { silentLog } from '../../base/log.ts';
import type { HttpHandler, HttpRequest, HttpResponse } from '../../ports/http-server.ts';
import { SeededEntropy } from '../../testing/seeded-entropy.ts';
import { PeerBundle } from './peer-bundle.ts';

const bytes = new SeededEntropy(5).bytes(3_000_000);

/** A bundle of another box, and how an installer on this computer asks for it. */
async function open() {
  let handler: HttpHandler | undefined;
  const reads: (readonly [number, number])[] = [];
  const bundle = await PeerBundle.open(
    {
      totalBytes: bytes.length,
      read: (offset, length) => {
        reads.push([offset, length]);
        return Promise.resolve(bytes.subarray(offset, offset + length));
      },
    },
    {
      entropy: new SeededEntropy(6),
      log: silentLog,
      server: {
        listen: (address, certificate, given) => {
          assert.deepEqual([address, certificate], [{ host: '127.0.0.1', port: 0 }, undefined]);
          handler = given;
          return Promise.resolve({ port: 4711, close: () => Promise.resolve() });
        },
      },
    },
  );
  const ask = (method: string, path: string, range?: string) =>
    handler!({
      method,
      path: [path],
      headers: range === undefined ? {} : { range },
    } as unknown as HttpRequest);
  return { bundle, ask, reads, name: new URL(bundle.place).pathname.slice(1) };
}

async function bodyOf({ body }: HttpResponse): Promise<Bytes> {
  const parts: Bytes[] = [];
  for await (const part of body as AsyncIterable<Bytes>) parts.push(part);
  return Buffer.concat(parts);
}

test('only the ranges that are asked for are read from the other box (RFC 9110 §14)', async () => {
  const { bundle, ask, reads, name } = await open();
  assert.match(bundle.place, /^http:\/\/127\.0\.0\.1:4711\/[0-9a-f]{32}\.raucb$/);
  const head = await ask('HEAD', name);
  assert.deepEqual([head.status, head.headers['content-length']], [200, '3000000']);
  const part = await ask('GET', name, 'bytes=1000-1500');
  assert.deepEqual([part.status, part.headers['content-range']], [206, 'bytes 1000-1500/3000000']);
  assert.deepEqual(Buffer.from(await bodyOf(part)), Buffer.from(bytes.subarray(1000, 1501)));
  assert.deepEqual(reads, [[1000, 501]]);
});

test('a long range comes in parts that fit a frame', async () => {
  const { ask, reads, name } = await open();
  const whole = await ask('GET', name);
  assert.equal(whole.status, 200);
  assert.deepEqual(Buffer.from(await bodyOf(whole)), Buffer.from(bytes));
  assert.deepEqual(
    reads.map(([, length]) => length),
    [1_048_576, 1_048_576, 902_848],
  );
});

test('nothing else is there, and nothing is there for who does not know its name', async () => {
  const { ask, name } = await open();
  assert.equal((await ask('GET', 'bundle.raucb')).status, 404);
  assert.equal((await ask('GET', name, 'bytes=3000000-')).status, 416);
  assert.equal((await ask('POST', name)).status, 405);
});
