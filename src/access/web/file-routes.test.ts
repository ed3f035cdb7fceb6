import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Bytes, concat, fromUtf8, utf8 } from '../../base/bytes.ts';
import type { PoolFiles } from '../../files/pool-files.ts';
import type { RemoteEntry } from '../../files/tree/remote-entry.ts';
import type { HttpRequest } from '../../ports/http-server.ts';
import { FileRoutes } from './file-routes.ts';

const session = { token: 't', notice: undefined, adoptions: new Map() };
const changedMs = Date.UTC(2026, 0, 1, 12, 0, 0, 700);
const changed = 'Thu, 01 Jan 2026 12:00:00 GMT';

/** Asks for a file that has these bytes at that moment. */
async function ask(text: string, headers: Readonly<Record<string, string>> = {}, mtimeMs = changedMs) {
  const inline = utf8(text);
  const entry: RemoteEntry = {
    name: 'a',
    node: new Uint8Array(16),
    kind: 'file',
    mode: 0o644,
    mtimeMs,
    size: inline.length,
    content: { depth: 0, inline },
  };
  const files: Pick<PoolFiles, 'stat' | 'read'> = {
    stat: async () => entry,
    read: async function* (_entry, { offset, length }) {
      yield inline.subarray(offset, offset + length);
    },
  };
  const routes = new FileRoutes(
    () => files as PoolFiles,
    () => assert.fail('it is no folder'),
  );
  const request = { method: 'GET', query: new URLSearchParams(), headers } as Partial<HttpRequest>;
  const { status, headers: said, body } = await routes.get(request as HttpRequest, ['a'], session);
  const parts: Bytes[] = [];
  for await (const part of (body ?? []) as AsyncIterable<Bytes>) parts.push(part);
  return { status, etag: String(said.etag), range: said['content-range'], text: fromUtf8(concat(parts)) };
}

test('RFC 9110 §8.8.3: a tag is of the bytes: another for others, the same after a touch', async () => {
  const { etag } = await ask('one');
  assert.match(etag, /^"[0-9a-f]{64}"$/);
  assert.equal((await ask('one', {}, changedMs + 5000)).etag, etag);
  assert.notEqual((await ask('two')).etag, etag);
});

test('RFC 9110 §13.1.5: a download goes on only in the version it began with', async () => {
  const { etag } = await ask('0123456789');
  const range = 'bytes=5-';
  const rest = { status: 206, etag, range: 'bytes 5-9/10', text: '56789' };
  assert.deepEqual(await ask('0123456789', { range, 'if-range': etag }), rest);
  assert.deepEqual(await ask('0123456789', { range }), rest);
  for (const stale of [etag, `W/${etag}`, changed, '"x"', '']) {
    const { status, text } = await ask('abcdefghij', { range, 'if-range': stale });
    assert.deepEqual([status, text], [200, 'abcdefghij'], stale);
  }
  const gone = await ask('abc', { range, 'if-range': etag });
  assert.deepEqual([gone.status, gone.text], [200, 'abc'], 'a range that is not looked at is satisfiable');
});

test('RFC 9110 §13.1.1, §13.1.4: who relies on another version gets 412 and no byte', async () => {
  const { etag } = await ask('abc');
  const cases: readonly (readonly [Record<string, string>, number])[] = [
    [{ 'if-match': etag }, 200],
    [{ 'if-match': '*' }, 200],
    [{ 'if-match': `"x", ${etag}` }, 200],
    [{ 'if-match': '"x"' }, 412],
    [{ 'if-match': `W/${etag}` }, 412],
    [{ 'if-match': '"x"', range: 'bytes=1-', 'if-range': etag }, 412],
    [{ 'if-unmodified-since': changed }, 200],
    [{ 'if-unmodified-since': 'Thu, 01 Jan 2026 11:59:59 GMT' }, 412],
    [{ 'if-unmodified-since': 'yesterday' }, 200],
    [{ 'if-match': etag, 'if-unmodified-since': 'Thu, 01 Jan 2026 11:59:59 GMT' }, 200],
  ];
  for (const [headers, status] of cases) {
    const answer = await ask('abc', headers);
    assert.deepEqual(
      [answer.status, answer.text, answer.etag],
      [status, status === 200 ? 'abc' : '', etag],
      JSON.stringify(headers),
    );
  }
});

test('RFC 9110 §13.1.2: who has this version already is told so', async () => {
  const { etag } = await ask('abc');
  for (const known of [etag, `W/${etag}`, '*', `"x",${etag}`])
    assert.deepEqual((await ask('abc', { 'if-none-match': known })).status, 304, known);
  assert.equal((await ask('abc', { 'if-none-match': '"x"' })).status, 200);
});
