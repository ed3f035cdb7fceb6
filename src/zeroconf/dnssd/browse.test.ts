import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fakeInterface } from '../../testing/fake-multicast-network.ts';
import { boxOffer, boxType, ServiceLan } from '../../testing/service-lan.ts';
import { decodeMessage } from '../dns/decoder.ts';
import { encodeMessage } from '../dns/encoder.ts';
import { response } from '../dns/message.ts';
import { uniqueRecord } from '../mdns/records.ts';
import { Browser, resolveInstance } from './browse.ts';

const web = { ...boxOffer, type: '_http._tcp', port: 80 };
const webType = '_http._tcp';

test('RFC 6763 §9: who follows every type finds each service of each host, and the types there are', async () => {
  const lan = new ServiceLan();
  await lan.advertise(lan.wire.host('a'), 'a', { instance: 'A' }, [{ ...web, instance: 'A' }]);
  await lan.advertise(lan.wire.host('b'), 'b', { instance: 'B', type: '_ipp._tcp' });
  const { browser } = await lan.browse(lan.wire.host('desktop'), { everyType: true });
  await lan.clock.run(10_000);
  assert.deepEqual(browser.types(), [boxType, webType, '_ipp._tcp']);
  assert.deepEqual(
    browser
      .found()
      .map(({ instance, type }) => `${instance} ${type}`)
      .sort(),
    ['A _aetherstore._tcp', 'A _http._tcp', 'B _ipp._tcp'],
  );
});

test('M27: several types are followed with one series of questions', async () => {
  const lan = new ServiceLan();
  await lan.advertise(lan.wire.host('box'), 'box', {}, [web]);
  const { browser, events } = await lan.browse(lan.wire.host('desktop'), { types: [boxType, webType] });
  await lan.clock.run(10_000);
  assert.equal(browser.found().length, 2);
  assert.deepEqual(
    events.map(({ kind, service }) => [kind, service.type]).filter(([kind]) => kind === 'added'),
    [
      ['added', boxType],
      ['added', webType],
    ],
  );
  const asked = lan.wire.captured.filter(({ host, family }) => host === 'desktop' && family === 'ipv4');
  assert.ok(asked.length <= 5, `${asked.length}`);
});

test('RFC 6763 §5: one instance is resolved as soon as it answers, and one that is not there given up', async () => {
  const lan = new ServiceLan();
  await lan.advertise(lan.wire.host('box'), 'box', { instance: 'Mr. Box' });
  await lan.clock.run(10_000);
  const ports = lan.ports(lan.wire.host('desktop'));
  const startMs = lan.clock.monotonicMs();
  const wanted = { type: boxType, withinMs: 3000 };
  const found = await lan.clock.runUntil(resolveInstance({ ...wanted, instance: 'Mr. Box' }, ports));
  assert.deepEqual([found?.host, found?.port], ['box.local', 4711]);
  assert.ok(lan.clock.monotonicMs() - startMs < 300);
  assert.equal(
    await lan.clock.runUntil(resolveInstance({ ...wanted, instance: 'Nobody' }, ports)),
    undefined,
  );
  await assert.rejects(resolveInstance({ ...wanted, instance: '' }, ports), { code: 'SERVICE_INVALID' });
});

test('RFC 6762 §10.4: a box that vanished without a word is removed ten seconds after it could not be reached', async () => {
  const lan = new ServiceLan();
  const network = lan.wire.host('box');
  await lan.advertise(network, 'box');
  const { browser } = await lan.browse(lan.wire.host('desktop'));
  await lan.clock.run(10_000);
  const [service] = browser.found();
  browser.doubt(service!);
  await lan.clock.run(12_000);
  assert.equal(browser.found().length, 1, 'it answers, and stays');
  network.connect([]);
  browser.doubt(service!);
  await lan.clock.run(9000);
  assert.equal(browser.found().length, 1);
  await lan.clock.run(1100);
  assert.deepEqual(browser.found(), []);
});

test('hosts are remembered that said their own address, the last heard first, and only so many', async () => {
  const lan = new ServiceLan();
  const { browser } = await lan.browse(lan.wire.host('desktop', [fakeInterface('eth0', 250)]));
  await lan.advertise(lan.wire.host('a', [fakeInterface('eth0', 1)]), 'a', { type: '_ipp._tcp' });
  await lan.clock.run(10_000);
  await lan.advertise(lan.wire.host('b', [fakeInterface('eth0', 2)]), 'b', { instance: 'B' });
  await lan.clock.run(10_000);
  const four = browser.heard().filter(({ address }) => !address.includes(':'));
  assert.deepEqual(
    four.map(({ host, address, interfaceName }) => `${host} ${address} ${interfaceName}`),
    ['b.local 10.0.0.2 eth0', 'a.local 10.0.0.1 eth0'],
  );
  assert.ok(four[0]!.agoMs < 10_000 && four[1]!.agoMs > 10_000);
  const options = { interfaceName: 'eth0', family: 'ipv4', group: '224.0.0.251', port: 5353 } as const;
  for (let number = 3; number < 103; number++) {
    const stranger = fakeInterface('eth0', number);
    const socket = await lan.wire.host(`s${number}`, [stranger]).open(options);
    const own = { kind: 'a', address: stranger.addresses[0]!.address } as const;
    socket.send(encodeMessage(response({ answers: [uniqueRecord([`s${number}`, 'local'], 120, own)] })));
    await lan.clock.run(10);
  }
  assert.equal(browser.heard().length, 64);
  assert.equal(browser.heard()[0]!.host, 's102.local');
});

test('RFC 6762 §10.3: what a link told is forgotten with the link', async () => {
  const lan = new ServiceLan();
  await lan.advertise(lan.wire.host('box'), 'box');
  const desktop = lan.wire.host('desktop', [fakeInterface('eth0', 5), fakeInterface('eth1', 5, 'other', 1)]);
  const { browser, events } = await lan.browse(desktop);
  await lan.clock.run(10_000);
  assert.equal(browser.found().length, 1);
  desktop.connect([fakeInterface('eth1', 5, 'other', 1)]);
  await lan.clock.run(6000);
  assert.deepEqual(browser.found(), []);
  assert.equal(events.at(-1)!.kind, 'removed');
});

test('RFC 6762 §5.4: who begins to browse asks everybody, and a link that comes up asks for answers to us alone', async () => {
  const lan = new ServiceLan();
  const desktop = lan.wire.host('desktop', []);
  await lan.browse(desktop);
  desktop.connect([fakeInterface('eth0', 5)]);
  await lan.browse(lan.wire.host('other', [fakeInterface('eth0', 6)]));
  await lan.clock.run(8000);
  const asked = (host: string) =>
    lan.wire.captured
      .filter((packet) => packet.host === host && packet.family === 'ipv4')
      .map(({ bytes }) => decodeMessage(bytes).questions[0]!.unicastResponse);
  assert.deepEqual(asked('desktop').slice(0, 2), [true, false]);
  assert.ok(asked('other').every((unicast) => !unicast));
});

test('types that DNS-SD does not allow are refused', async () => {
  const lan = new ServiceLan();
  const ports = lan.ports(lan.wire.host('desktop'));
  for (const options of [{ type: 'http' }, { types: ['_x'] }, { type: boxType, subtype: '' }])
    await assert.rejects(Browser.start(options, ports), { code: 'SERVICE_INVALID' });
});
