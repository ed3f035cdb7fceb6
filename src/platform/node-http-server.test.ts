import assert from 'node:assert/strict';
import { type IncomingMessage, request } from 'node:http';
import { connect } from 'node:net';
import { type TestContext, test } from 'node:test';
import { httpHeaderBytesMax } from '../base/face-limits.ts';
import { createLog, type LogEntry } from '../base/log.ts';
import type { HttpHandler } from '../ports/http-server.ts';
import { NodeHttpServer } from './node-http-server.ts';

const entries: LogEntry[] = [];
const log = createLog(
  'web',
  () => 0,
  (entry) => entries.push(entry),
);

async function serve(t: TestContext, handler: HttpHandler, idleMs?: number): Promise<number> {
  const listener = await new NodeHttpServer({ log, ...(idleMs && { idleMs }) }).listen(
    { host: '127.0.0.1', port: 0 },
    undefined,
    handler,
  );
  t.after(() => listener.close());
  return listener.port;
}

interface Asked {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
}

function ask(
  port: number,
  { method = 'GET', path = '/', headers = {}, body }: Asked = {},
): Promise<{ status: number; text: string; answer: IncomingMessage }> {
  return new Promise((resolve, reject) => {
    const asking = request({ host: '127.0.0.1', port, method, path, headers, agent: false }, (answer) => {
      let text = '';
      answer.setEncoding('utf8').on('data', (piece: string) => {
        text += piece;
      });
      answer.on('end', () => resolve({ status: answer.statusCode!, text, answer }));
    });
    asking.on('error', reject);
    asking.end(body);
  });
}

test('a request arrives as it was meant: names decoded, query apart, headers in small letters', async (t) => {
  const port = await serve(t, async ({ method, path, query, headers }) => ({
    status: 200,
    headers: {},
    body: new TextEncoder().encode(
      JSON.stringify({ method, path, after: query.get('after'), x: headers['x-y'] }),
    ),
  }));
  const { text } = await ask(port, {
    path: '/files/a%2Fb/gr%C3%B6%C3%9Fe/?after=a%26b',
    headers: { 'X-Y': '1' },
  });
  assert.deepEqual(JSON.parse(text), {
    method: 'GET',
    path: ['files', 'a/b', 'größe'],
    after: 'a&b',
    x: '1',
  });
});

test('what is no path of ours is refused before anybody looks at it', async (t) => {
  const port = await serve(t, async () => assert.fail('it is not asked'));
  assert.equal((await ask(port, { path: '/%E0%A4%A' })).status, 400);
  assert.equal((await ask(port, { headers: { x: 'x'.repeat(httpHeaderBytesMax) } })).status, 431);
});

test('an answer is heard although the body was not read', async (t) => {
  const port = await serve(t, async () => ({
    status: 403,
    headers: {},
    body: new TextEncoder().encode('no'),
  }));
  const { status, text } = await ask(port, { method: 'PUT', body: new Uint8Array(300_000) });
  assert.deepEqual([status, text], [403, 'no']);
});

test('a stream is made only as fast as it is taken, and ends when the other end goes', async (t) => {
  let made = 0;
  const ended = Promise.withResolvers<void>();
  const port = await serve(t, async ({ signal }) => {
    signal.addEventListener('abort', () => ended.resolve());
    return {
      status: 200,
      headers: {},
      body: (async function* () {
        for (; made < 10_000; made++) yield new Uint8Array(64 * 1024);
      })(),
    };
  });
  const socket = connect(port, '127.0.0.1', () => socket.write('GET / HTTP/1.1\r\nhost: box\r\n\r\n'));
  await new Promise((resolve) => socket.once('readable', resolve));
  await new Promise((resolve) => setTimeout(resolve, 200));
  assert.ok(made < 1000, `${made} pieces for somebody who takes none`);
  socket.destroy();
  await ended.promise;
});

test('who has sent everything is not idle while the box works, and is again once it answers', async (t) => {
  const idleMs = 150;
  const work = () => new Promise((resolve) => setTimeout(resolve, 4 * idleMs));
  const read: HttpHandler = async ({ body }) => {
    for await (const _ of body);
    await work();
    return { status: 201, headers: {} };
  };
  const port = await serve(t, read, idleMs);
  assert.equal((await ask(port, { method: 'PUT', body: new Uint8Array(300_000) })).status, 201);
  assert.equal((await ask(port)).status, 201);
  const stalling = await serve(
    t,
    async () => {
      await work();
      return {
        status: 200,
        headers: {},
        body: (async function* () {
          yield new Uint8Array(1);
          await new Promise(() => {});
        })(),
      };
    },
    idleMs,
  );
  const socket = connect(stalling, '127.0.0.1', () => socket.write('GET / HTTP/1.1\r\nhost: box\r\n\r\n'));
  let said = '';
  socket.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  await new Promise((resolve) => socket.once('close', resolve));
  assert.match(said, /^HTTP\/1\.1 200 /);
});

test('who stops in the middle of a request is dropped, whatever the box does meanwhile', async (t) => {
  const port = await serve(
    t,
    async ({ signal }) => {
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      return { status: 200, headers: {} };
    },
    150,
  );
  const head = 'PUT / HTTP/1.1\r\nhost: box\r\ncontent-length: 10\r\n\r\n12345';
  const socket = connect(port, '127.0.0.1', () => socket.write(head));
  await new Promise((resolve) => socket.once('close', resolve));
});

test('a bug of ours is a bare 500, and logged', async (t) => {
  entries.length = 0;
  const port = await serve(t, async () => {
    throw new Error('on purpose');
  });
  const { status, text } = await ask(port);
  assert.deepEqual([status, text], [500, '']);
  assert.match(JSON.stringify(entries), /request failed unexpectedly.*on purpose/);
});
