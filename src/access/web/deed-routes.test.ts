import assert from 'node:assert/strict';
import { test } from 'node:test';
import { utf8 } from '../../base/bytes.ts';
import { AetherError } from '../../base/errors.ts';
import { silentLog } from '../../base/log.ts';
import type { HttpRequest } from '../../ports/http-server.ts';
import { diskFacts } from '../../testing/appliance-facts.ts';
import { FakeClock, settle } from '../../testing/fake-clock.ts';
import { NotingControl } from '../../testing/noting-control.ts';
import { SeededEntropy } from '../../testing/seeded-entropy.ts';
import { DeedRoutes } from './deed-routes.ts';
import { disksPart } from './pages/storage.ts';
import { Sessions } from './sessions.ts';

function open() {
  const control = new NotingControl();
  const sessions = new Sessions({ clock: new FakeClock(), entropy: new SeededEntropy(1), control });
  const { session } = sessions.begin();
  control.set({ disks: [diskFacts('sdb', { role: 'blank', content: null })] });
  const formats: PromiseWithResolvers<void>[] = [];
  control.disks.adopt = () => {
    const formatting = Promise.withResolvers<void>();
    formats.push(formatting);
    return formatting.promise;
  };
  const settings = () => ({ status: 200, headers: {} });
  const routes = new DeedRoutes(control, { log: silentLog, sessions, settings });
  const post = (name: string, fields: Record<string, string>) => {
    const text = new URLSearchParams({ token: session.token, ...fields }).toString();
    const body = (async function* () {
      yield utf8(text);
    })();
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    return routes.post(name, { headers, body } as Partial<HttpRequest> as HttpRequest, session);
  };
  const disks = () => disksPart(control.status(), session).text;
  return { sessions, session, control, formats, post, disks };
}

const adopt = ['disks/adopt', { device: 'sdb' }] as const;
const offer = /Format it for the pool/;

test('a disk is taken into use while the overview says so, once, and then that it is', async () => {
  const { formats, post, disks } = open();
  assert.match(disks(), offer);
  for (let clicks = 0; clicks < 2; clicks++) assert.equal((await post(...adopt))?.status, 303);
  assert.equal(formats.length, 1);
  assert.match(disks(), /Disk sdb is being taken into use\./);
  assert.doesNotMatch(disks(), offer);
  await post('identify', { on: 'yes' });
  assert.match(disks(), /is being taken into use/, 'another deed does not hide it');
  formats[0]!.resolve();
  await settle();
  assert.match(disks(), /Disk sdb is in use now\./);
  await post('identify', { on: 'no' });
  assert.doesNotMatch(disks(), /sdb is in use now/);
});

test('a disk that is not taken into use says why on the overview, and can be tried again', async () => {
  const { formats, post, disks } = open();
  await post(...adopt);
  formats[0]!.reject(new AetherError('DISK_NOT_BLANK', 'disk sdb is not blank', { help: 'Save it.' }));
  await settle();
  assert.match(disks(), /Disk sdb is not blank\. Save it\./);
  assert.match(disks(), offer);
  await post(...adopt);
  formats[1]!.reject(new Error('a bug'));
  await settle();
  assert.match(disks(), /not taken into use: the log says why/);
});

test('a disk that is not attached is refused at once', async () => {
  const { formats, post } = open();
  await assert.rejects(post('disks/adopt', { device: 'sdz' }), { code: 'DISK_UNKNOWN' });
  assert.equal(formats.length, 0);
});

test('a new PIN, or none any more, ends all sessions but that of who set it', async () => {
  for (const deed of ['pin', 'pin/clear']) {
    const { sessions, session, control, post } = open();
    const { session: other } = sessions.begin();
    await post(deed, { pin: '1234' });
    assert.ok(sessions.isLive(session), deed);
    assert.ok(!sessions.isLive(other), deed);
    control.fail(new AetherError('PIN_INVALID', 'that is no PIN'));
    const { session: third } = sessions.begin();
    await post(deed, { pin: '1' });
    assert.ok(sessions.isLive(third), 'a PIN that was not set ends nothing');
  }
});

test('a PIN that is set on the console ends all sessions', async () => {
  const { sessions, session, control } = open();
  await control.setPin('1234');
  assert.ok(!sessions.isLive(session));
  assert.ok(sessions.isLive(sessions.begin().session));
});
