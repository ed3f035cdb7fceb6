import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Bytes, fromUtf8, utf8 } from '../../base/bytes.ts';
import { AetherError } from '../../base/errors.ts';
import { webFormBytesMax, webLoginsPerMinuteMax } from '../../base/face-limits.ts';
import { silentLog } from '../../base/log.ts';
import type { PoolFiles } from '../../files/pool-files.ts';
import type { HttpRequest, HttpResponse } from '../../ports/http-server.ts';
import { noUpdate, type UpdateFacts } from '../../status/facts.ts';
import { diskFacts, peerFacts } from '../../testing/appliance-facts.ts';
import { FakeClock } from '../../testing/fake-clock.ts';
import { NotingControl } from '../../testing/noting-control.ts';
import { SeededEntropy } from '../../testing/seeded-entropy.ts';
import { WebFace } from './web-face.ts';

const evil = '"><script>alert(1)<!--';

class Browser {
  readonly clock = new FakeClock();
  readonly control = new NotingControl();
  readonly proved: string[] = [];
  claimed = true;
  finished = 0;
  cookie = '';
  token = '';
  readonly #face: WebFace;

  constructor(files?: Partial<PoolFiles>) {
    const browser = this;
    const entry = {
      get claimed() {
        return browser.claimed;
      },
      prove: async (code: string) => {
        this.proved.push(code);
        if (code !== 'GOOD-CODE')
          throw new AetherError('PAIRING_CODE_WRONG', 'the code is wrong', { help: 'Look again.' });
      },
      newPool: () => ({
        words: Array.from({ length: 24 }, (_, index) => `word${index}`),
        finish: async () => {
          this.finished++;
          this.claimed = true;
        },
      }),
    };
    const asset = utf8('asset');
    this.#face = new WebFace(
      {
        control: this.control,
        entry,
        files: () => files as PoolFiles | undefined,
        assets: { 'page.css': asset, 'page.js': asset, 'icon.svg': asset },
        metrics: { contentType: 'text/plain', render: async (metrics) => `${metrics.length} families\n` },
        metricsToken: () => 'a'.repeat(64),
      },
      { clock: this.clock, entropy: new SeededEntropy(1), log: silentLog },
    );
  }

  ask(
    method: string,
    path: string,
    { form, headers = {} }: { form?: Record<string, string>; headers?: Record<string, string> } = {},
  ): Promise<HttpResponse> {
    const body = form === undefined ? '' : new URLSearchParams(form).toString();
    const [names = '', query = ''] = path.split('?');
    const request: HttpRequest = {
      method,
      path: names
        .split('/')
        .filter((name) => name !== '')
        .map(decodeURIComponent),
      query: new URLSearchParams(query),
      headers: {
        host: 'box',
        cookie: this.cookie,
        'sec-fetch-site': 'same-origin',
        ...(form === undefined ? {} : { 'content-type': 'application/x-www-form-urlencoded' }),
        ...headers,
      },
      remote: '192.0.2.9',
      body: once(utf8(body)),
      signal: new AbortController().signal,
    };
    return this.#face.handle(request);
  }

  async logIn(code = 'GOOD-CODE'): Promise<HttpResponse> {
    const answer = await this.ask('POST', '/login', { form: { code } });
    const cookie = answer.headers['set-cookie'];
    if (typeof cookie === 'string') this.cookie = cookie.split(';')[0]!;
    this.token = /name="token" value="([0-9a-f]{32})"/.exec(textOf(await this.ask('GET', '/')))?.[1] ?? '';
    return answer;
  }

  post(path: string, form: Record<string, string> = {}): Promise<HttpResponse> {
    return this.ask('POST', path, { form: { token: this.token, ...form } });
  }
}

async function* once(bytes: Bytes): AsyncGenerator<Bytes> {
  if (bytes.length > 0) yield bytes;
}

function textOf({ body }: HttpResponse): string {
  return body instanceof Uint8Array ? fromUtf8(body)! : '';
}

test('a stranger sees a door, on every path and by every method, and nothing is asked of the box', async () => {
  const browser = new Browser();
  browser.control.set({ peers: [peerFacts('secret-name')] });
  for (const method of ['GET', 'HEAD', 'POST', 'PUT', 'DELETE']) {
    for (const path of [
      '/',
      '/files',
      '/files/a',
      '/settings',
      '/news',
      '/power',
      '/disks/adopt',
      '/pair',
      '/claim/finish',
      '/x',
    ]) {
      const answer = await browser.ask(method, path, method === 'POST' ? { form: {} } : {});
      assert.ok([303, 401, 403].includes(answer.status), `${method} ${path}: ${answer.status}`);
      assert.ok(!textOf(answer).includes('secret-name'));
    }
  }
  assert.deepEqual(browser.control.asked, []);
  assert.match(textOf(await browser.ask('GET', '/')), /Log in to aether-3f2a/);
});

test('a code or the PIN opens it, what is wrong is said, and many tries are too many', async () => {
  const browser = new Browser();
  assert.equal((await browser.logIn('BAD-CODE')).status, 403);
  assert.match(textOf(await browser.logIn('BAD-CODE')), /The code is wrong\. Look again\./);
  assert.equal((await browser.logIn()).status, 303);
  assert.match(textOf(await browser.ask('GET', '/')), /All is well/);
  browser.cookie = '';
  browser.control.pin = '1234';
  assert.equal((await browser.logIn('1234')).status, 303);
  assert.equal(browser.proved.length, 3, 'the PIN is no code');
  let status = 0;
  for (let tries = 0; tries < webLoginsPerMinuteMax; tries++)
    status = (await browser.logIn('BAD-CODE')).status;
  assert.equal(status, 429);
  await browser.clock.run(60_000);
  assert.equal((await browser.logIn()).status, 303);
});

test('the first claim shows the words, and happens when they are confirmed', async () => {
  const browser = new Browser();
  browser.claimed = false;
  assert.match(textOf(await browser.ask('GET', '/')), /belongs to nobody/);
  const words = await browser.ask('POST', '/claim', { form: { code: 'GOOD-CODE' } });
  assert.match(textOf(words), /word23/);
  browser.cookie = String(words.headers['set-cookie']).split(';')[0]!;
  browser.token = /value="([0-9a-f]{32})"/.exec(textOf(words))![1]!;
  assert.match(
    textOf(await browser.ask('GET', '/')),
    /belongs to nobody/,
    'who goes away has changed nothing',
  );
  assert.equal(browser.finished, 0);
  await browser.post('/claim/finish');
  assert.equal(browser.finished, 1);
  assert.match(textOf(await browser.ask('GET', '/')), /This box is yours/);
  await browser.post('/claim/finish');
  assert.equal(browser.finished, 1);
});

test('who proved the claim code and was not the first to claim is a stranger', async () => {
  const browser = new Browser();
  browser.claimed = false;
  const words = await browser.ask('POST', '/claim', { form: { code: 'GOOD-CODE' } });
  browser.cookie = String(words.headers['set-cookie']).split(';')[0]!;
  browser.claimed = true;
  assert.match(textOf(await browser.ask('GET', '/')), /Log in to/);
  assert.equal((await browser.ask('GET', '/news')).status, 401);
  assert.equal((await browser.ask('POST', '/identify', { form: {} })).status, 303);
  assert.deepEqual(browser.control.asked, []);
});

test('a code opens the page also while the PIN is locked by wrong ones', async () => {
  const browser = new Browser();
  browser.control.pin = '1234';
  browser.control.checkPin = async () => {
    throw new AetherError('PIN_LOCKED', 'too many wrong PINs were tried');
  };
  assert.equal((await browser.logIn()).status, 303);
});

test('each deed reaches the box, and none without the token of the session', async () => {
  const browser = new Browser();
  browser.control.set({
    disks: [diskFacts('sdb', { role: 'blank', content: null })],
    peers: [peerFacts('away', { reachable: false })],
  });
  await browser.logIn();
  const deeds: readonly (readonly [string, Record<string, string>, string])[] = [
    ['/acknowledge', { key: 'BOX_AWAY:away' }, 'acknowledge BOX_AWAY:away'],
    ['/identify', { on: 'yes' }, 'identify true'],
    ['/disks/locate', { device: 'sdb', on: 'yes' }, 'locate sdb true'],
    ['/disks/adopt', { device: 'sdb' }, 'adopt sdb'],
    ['/disks/retire', { volume: 'disk1' }, 'retire disk1'],
    ['/disks/forget', { volume: 'disk1' }, 'forget disk1'],
    ['/update', {}, 'installUpdate'],
    ['/pin', { pin: '1234' }, 'set PIN'],
    ['/pin/clear', {}, 'clear PIN'],
    ['/power', { name: 'aether-3f2a', deed: 'restart' }, 'restart'],
    ['/power', { name: 'aether-3f2a', deed: 'shutdown' }, 'shutdown'],
  ];
  for (const [path, form] of deeds) {
    for (const token of ['', '0'.repeat(32), browser.token.slice(1)]) {
      assert.equal((await browser.ask('POST', path, { form: { ...form, token } })).status, 403, path);
    }
    const headers = { 'sec-fetch-site': 'cross-site' };
    assert.equal(
      (await browser.ask('POST', path, { form: { ...form, token: browser.token }, headers })).status,
      403,
    );
  }
  assert.deepEqual(browser.control.asked, []);
  for (const [path, form] of deeds)
    assert.ok([200, 303].includes((await browser.post(path, form)).status), path);
  assert.deepEqual(
    browser.control.asked,
    deeds.map(([, , asked]) => asked),
  );
});

test('the box is not shut down by another name, and what fails is said on a page', async () => {
  const browser = new Browser();
  await browser.logIn();
  assert.match(
    textOf(await browser.post('/power', { name: 'other', deed: 'shutdown' })),
    /not the name of this box/,
  );
  assert.deepEqual(browser.control.asked, []);
  browser.control.fail(new AetherError('DISK_NOT_BLANK', 'disk sdb is not blank', { help: 'Save it.' }));
  const answer = await browser.post('/disks/forget', { volume: 'sdb' });
  assert.equal(answer.status, 409);
  assert.match(textOf(answer), /Disk sdb is not blank\. Save it\./);
});

test('a bundle that was sent is answered with what became of it', async () => {
  const browser = new Browser();
  await browser.logIn();
  const put = () =>
    browser.ask('PUT', '/update', { headers: { 'x-aether-token': browser.token, 'content-length': '0' } });
  assert.equal((await put()).status, 201);
  for (const [code, status] of [
    ['UPDATE_NO_ROOM', 507],
    ['UPDATER_UNAVAILABLE', 503],
    ['UPDATE_UNTRUSTED', 409],
  ] as const) {
    browser.control.fail(new AetherError(code, 'it was not taken'));
    assert.equal((await put()).status, status, code);
  }
});

test('names that others chose are text on the page, wherever they stand', async () => {
  const node = new Uint8Array(16);
  const entries = [{ name: evil, kind: 'file', size: 3, mtimeMs: 0, mode: 0o644, node } as const];
  const files = {
    stat: async (path: readonly string[]) => ({
      ...entries[0]!,
      name: path.at(-1) ?? '',
      kind: path.length === 0 ? ('directory' as const) : ('file' as const),
    }),
    list: async () => ({ entries, more: false }),
    read: async function* () {
      yield utf8('abc');
    },
  };
  const browser = new Browser(files as unknown as Partial<PoolFiles>);
  browser.control.set({
    peers: [peerFacts(evil, { reachable: false })],
    disks: [diskFacts('sdb', { model: evil, role: 'foreign', content: evil })],
  });
  await browser.logIn();
  for (const path of ['/', '/files', '/settings']) {
    const text = textOf(await browser.ask('GET', path));
    assert.ok(!text.includes('<script>alert'), path);
  }
  const answer = await browser.ask('GET', `/files/${encodeURIComponent(evil)}`);
  assert.equal(
    answer.headers['content-disposition'],
    `attachment; filename*=UTF-8''${encodeURIComponent(evil).replaceAll('(', '%28').replaceAll(')', '%29')}`,
  );
  assert.equal(answer.headers['content-type'], 'application/octet-stream');
});

test('the overview says when an update is installed, why one was not, and that a box takes none', async () => {
  const browser = new Browser();
  await browser.logIn();
  const shown = async (changes: Partial<UpdateFacts>) => {
    browser.control.set({ update: { ...noUpdate, ...changes } });
    return textOf(await browser.ask('GET', '/'));
  };
  const staged = { state: 'staged', version: '0.2.0' } as const;
  const hour = await shown({ ...staged, atMs: Date.UTC(2027, 0, 5, 3, 30) });
  assert.match(
    hour,
    /It is installed at <time datetime="2027-01-05T03:30:00.000Z">2027-01-05 03:30 UTC<\/time>/,
  );
  assert.match(
    await shown({ ...staged, reason: 'the card is full' }),
    /It was not installed: the card is full\./,
  );
  assert.match(
    await shown({ reason: 'no answer' }),
    /<h2>Update<\/h2><p>This box cannot be updated: no answer\./,
  );
});

test('every answer forbids what the page does not need, and is kept nowhere', async () => {
  const browser = new Browser();
  await browser.logIn();
  for (const path of [
    '/',
    '/settings',
    '/nothing',
    '/assets/page.css',
    '/assets/nothing',
    '/metrics',
    '/files',
  ]) {
    const { headers } = await browser.ask('GET', path);
    assert.match(
      String(headers['content-security-policy']),
      /default-src 'none'.*frame-ancestors 'none'/,
      path,
    );
    assert.equal(headers['x-content-type-options'], 'nosniff');
    assert.match(String(headers['cache-control']), /^no-(store|cache)$/);
  }
  assert.equal((await browser.ask('GET', '/nothing')).status, 404);
  assert.equal((await browser.ask('GET', '/assets/__proto__')).status, 404);
});

test('a form that is none, or too long, is refused', async () => {
  const browser = new Browser();
  await browser.logIn();
  const headers = { 'content-type': 'text/plain' };
  assert.equal(
    (await browser.ask('POST', '/identify', { form: { token: browser.token }, headers })).status,
    409,
  );
  assert.equal((await browser.post('/identify', { on: 'x'.repeat(webFormBytesMax) })).status, 409);
  assert.deepEqual(browser.control.asked, []);
});

test('metrics are for who is logged in or shows the token', async () => {
  const browser = new Browser();
  const status = async (authorization: string) =>
    (await browser.ask('GET', '/metrics', { headers: { authorization } })).status;
  assert.equal(await status(''), 401);
  assert.equal(await status(`Bearer ${'b'.repeat(64)}`), 401);
  assert.equal(await status(`Basic ${'a'.repeat(64)}`), 401);
  assert.equal(await status(`Bearer ${'a'.repeat(64)}`), 200);
  await browser.logIn();
  assert.equal(await status(''), 200);
});
