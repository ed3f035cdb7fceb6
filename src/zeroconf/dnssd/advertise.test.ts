import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fakeInterface } from '../../testing/fake-multicast-network.ts';
import { boxType, ServiceLan } from '../../testing/service-lan.ts';
import { decodeMessage } from '../dns/decoder.ts';
import { encodeMessage } from '../dns/encoder.ts';
import { type ResourceRecord, response } from '../dns/message.ts';
import { uniqueRecord } from '../mdns/records.ts';
import type { ServiceOffer } from './service.ts';

const deviceInfo: ServiceOffer = { instance: 'Box', type: '_device-info._tcp', text: { model: 'Xserve' } };
const web: ServiceOffer = { instance: 'Box', type: '_http._tcp', port: 80, text: { path: '/' } };
const printing: ServiceOffer = { instance: 'Box', type: '_ipp._tcp', port: 631, text: {} };
const reserved: ServiceOffer = { instance: 'Box', type: '_printer._tcp', port: 0, text: {} };

/** What a host multicast over IPv4 from one moment on. */
function saidBy(lan: ServiceLan, host: string, sinceMs: number): readonly ResourceRecord[] {
  return lan.wire.captured
    .filter((packet) => packet.host === host && packet.family === 'ipv4' && packet.atMs >= sinceMs)
    .flatMap(({ bytes }) => decodeMessage(bytes))
    .filter((message) => message.response)
    .flatMap((message) => message.answers);
}

function described({ name, ttlSeconds, data }: ResourceRecord): string {
  return `${ttlSeconds === 0 ? '-' : '+'} ${data.kind} ${name.slice(0, -1).join('.')}`;
}

test('M6, M7: a service that comes while others are announced is probed for, announced and found, and the others left alone', async () => {
  const lan = new ServiceLan();
  const box = await lan.advertise(lan.wire.host('box'), 'box');
  await lan.clock.run(10_000);
  const { browser } = await lan.browse(lan.wire.host('desktop'), { type: '_http._tcp' });
  const startMs = lan.clock.monotonicMs();
  box.register(web);
  await lan.clock.run(5000);
  assert.equal(browser.found()[0]?.port, 80);
  // The browser asked for the addresses.
  const said = saidBy(lan, 'box', startMs).filter(({ data }) => data.kind !== 'a' && data.kind !== 'aaaa');
  assert.deepEqual([...new Set(said.map(described))].sort(), [
    '+ ptr _http._tcp',
    '+ ptr _services._dns-sd._udp',
    '+ srv Box._http._tcp',
    '+ txt Box._http._tcp',
  ]);
  assert.throws(() => box.register(web), { code: 'SERVICE_INVALID' });
});

test('M24: a service that goes is said goodbye to, and nothing else is', async () => {
  const lan = new ServiceLan();
  const box = await lan.advertise(lan.wire.host('box'), 'box', {}, [web]);
  const { browser, events } = await lan.browse(lan.wire.host('desktop'), { types: ['_http._tcp', boxType] });
  await lan.clock.run(10_000);
  assert.equal(browser.found().length, 2);
  const startMs = lan.clock.monotonicMs();
  box.unregister('_http._tcp');
  box.unregister('_nothing._tcp');
  await lan.clock.run(2000);
  assert.deepEqual(saidBy(lan, 'box', startMs).map(described).sort(), [
    '- ptr _http._tcp',
    '- ptr _services._dns-sd._udp',
    '- srv Box._http._tcp',
    '- txt Box._http._tcp',
  ]);
  assert.deepEqual(
    browser.found().map(({ type }) => type),
    [boxType],
  );
  assert.equal(events.at(-1)?.kind, 'removed');
});

test('RFC 6763 §7.1: a subtype that changes is taken back and the other announced, without losing the name', async () => {
  const lan = new ServiceLan();
  const box = await lan.advertise(lan.wire.host('box'), 'box', { subtypes: ['_unclaimed'] });
  const unclaimed = await lan.browse(lan.wire.host('a'), { type: boxType, subtype: '_unclaimed' });
  const members = await lan.browse(lan.wire.host('b'), { type: boxType, subtype: '_member' });
  await lan.clock.run(10_000);
  assert.deepEqual([unclaimed.browser.found().length, members.browser.found().length], [1, 0]);
  const startMs = lan.clock.monotonicMs();
  box.update(boxType, { subtypes: ['_member'], text: { txtvers: '1', state: 'member' } });
  await lan.clock.run(1500);
  assert.deepEqual([unclaimed.browser.found().length, members.browser.found().length], [0, 1]);
  assert.equal(members.browser.found()[0]!.text.state, 'member');
  // A browser asked for the rest.
  const said = saidBy(lan, 'box', startMs).filter(({ data }) => data.kind === 'ptr' || data.kind === 'txt');
  assert.deepEqual([...new Set(said.map(described))].sort(), [
    '+ ptr _member._sub._aetherstore._tcp',
    '+ txt Box._aetherstore._tcp',
    '- ptr _unclaimed._sub._aetherstore._tcp',
  ]);
  const probes = lan.wire.captured.filter(({ host, atMs }) => host === 'box' && atMs >= startMs);
  assert.ok(probes.every(({ bytes }) => decodeMessage(bytes).response));
});

test('RFC 6763 §6: a TXT record that stands alone tells what the device is, to those who ask for it by name', async () => {
  const lan = new ServiceLan();
  await lan.advertise(lan.wire.host('box'), 'box', {}, [deviceInfo]);
  await lan.clock.run(10_000);
  const said = saidBy(lan, 'box', 0).filter(({ name }) => name.includes('_device-info'));
  assert.deepEqual([...new Set(said.map(described))], ['+ txt Box._device-info._tcp']);
  const listed = saidBy(lan, 'box', 0).filter(({ name }) => name[0] === '_services');
  assert.ok(listed.every(({ data }) => data.kind === 'ptr' && data.target[0] !== '_device-info'));
});

test('RFC 6763 §8: services of one instance name are renamed together, also for one that only reserves it', async () => {
  const lan = new ServiceLan();
  await lan.advertise(lan.wire.host('old'), 'old', {}, [reserved]);
  await lan.clock.run(5000);
  const box = await lan.advertise(lan.wire.host('box'), 'box', { type: '_webdav._tcp' }, [
    printing,
    reserved,
    deviceInfo,
  ]);
  await lan.clock.run(5000);
  assert.deepEqual(
    box.facts().services.map(({ instance, type }) => `${instance} ${type}`),
    ['Box (2) _webdav._tcp', 'Box (2) _ipp._tcp', 'Box (2) _printer._tcp', 'Box (2) _device-info._tcp'],
  );
  assert.equal(box.names.host, 'box');
});

test('M4: host and instance are renamed apart, and whoever remembers the names hears of each change', async () => {
  const lan = new ServiceLan();
  await lan.advertise(lan.wire.host('first'), 'box', { instance: 'Other' });
  await lan.clock.run(5000);
  const network = lan.wire.host('second');
  const second = await lan.advertise(network, 'box');
  const heard: unknown[] = [];
  second.onRename((names) => heard.push(names));
  await lan.clock.runUntil(second.ready);
  assert.deepEqual(second.names, { host: 'box-2', instance: 'Box' });
  assert.deepEqual(heard, [{ host: 'box-2', instance: 'Box' }]);
});

test('M4: a name that was chosen is kept when the other host goes, and taken up again after a restart', async () => {
  const lan = new ServiceLan();
  const first = await lan.advertise(lan.wire.host('first'), 'box');
  await lan.clock.run(5000);
  const network = lan.wire.host('second');
  const second = await lan.advertise(network, 'box');
  await lan.clock.runUntil(second.ready);
  await lan.clock.runUntil(first.close());
  await lan.clock.run(600_000);
  assert.deepEqual(second.names, { host: 'box-2', instance: 'Box (2)' });
  network.connect([]);
  await lan.clock.run(10_000);
  network.connect([fakeInterface('eth0', 2)]);
  await lan.clock.run(10_000);
  assert.deepEqual(second.names, { host: 'box-2', instance: 'Box (2)' });
  const remembered = second.names;
  await lan.clock.runUntil(second.close());
  const again = await lan.advertise(network, remembered.host, { instance: remembered.instance });
  const heard: unknown[] = [];
  again.onRename((names) => heard.push(names));
  await lan.clock.runUntil(again.ready);
  assert.deepEqual([again.names, heard], [remembered, []]);
});

test('RFC 6762 §8.4: changes that come faster than ten a minute are announced together later', async () => {
  const lan = new ServiceLan();
  const { browser, events } = await lan.browse(lan.wire.host('desktop'));
  const box = await lan.advertise(lan.wire.host('box'), 'box');
  await lan.clock.run(5000);
  for (let count = 1; count <= 40; count++) {
    box.updateText(boxType, { count: String(count) });
    await lan.clock.run(500);
  }
  assert.equal(events.filter(({ kind }) => kind === 'changed').length, 10);
  assert.equal(browser.found()[0]!.text.count, '10');
  await lan.clock.run(42_000);
  assert.equal(browser.found()[0]!.text.count, '40');
  assert.equal(events.filter(({ kind }) => kind === 'changed').length, 11);
  await lan.clock.runUntil(box.close());
});

test('M4: facts tell the names on each link, how they stand, and who disputed them', async () => {
  const lan = new ServiceLan();
  const network = lan.wire.host('box', [fakeInterface('eth0', 1)]);
  const box = await lan.advertise(network, 'box', {}, [web]);
  const standings = () => box.facts().links.map(({ names }) => names.map(({ standing }) => standing));
  await lan.clock.run(500);
  assert.deepEqual(standings(), [
    ['probing', 'probing', 'probing'],
    ['probing', 'probing', 'probing'],
  ]);
  assert.deepEqual(box.facts().conflicts, { count: 0, lastAgoMs: null, lastFrom: null });
  await lan.clock.run(5000);
  assert.deepEqual(box.facts().links[0], {
    interfaceName: 'eth0',
    family: 'ipv4',
    names: [
      { name: 'box.local', standing: 'held' },
      { name: 'Box._aetherstore._tcp.local', standing: 'held' },
      { name: 'Box._http._tcp.local', standing: 'held' },
    ],
  });
  const options = { interfaceName: 'eth0', family: 'ipv4', group: '224.0.0.251', port: 5353 } as const;
  const socket = await lan.wire.host('stranger', [fakeInterface('eth0', 9)]).open(options);
  const theirs = uniqueRecord(['box', 'local'], 120, { kind: 'a', address: '10.0.0.9' });
  socket.send(encodeMessage(response({ answers: [theirs] })));
  await lan.clock.run(3000);
  const { conflicts, services } = box.facts();
  assert.deepEqual([conflicts.count, conflicts.lastFrom], [1, '10.0.0.9']);
  assert.ok(conflicts.lastAgoMs !== null && conflicts.lastAgoMs > 2900 && conflicts.lastAgoMs <= 3000);
  assert.deepEqual(
    services.map(({ port, text }) => [port, text]),
    [
      [4711, { txtvers: '1', box: 'a' }],
      [80, { path: '/' }],
    ],
  );
  assert.deepEqual(box.names, { host: 'box', instance: 'Box' });
});

test('what DNS-SD does not allow is refused and changes nothing', async () => {
  const lan = new ServiceLan();
  const box = await lan.advertise(lan.wire.host('box'), 'box');
  const before = box.facts();
  for (const change of [
    () => box.register({ ...web, instance: '' }),
    () => box.register({ ...web, port: 70_000 }),
    () => box.register({ ...web, subtypes: [''] }),
    () => box.update(boxType, { subtypes: ['x'.repeat(64)] }),
    () => box.update(boxType, { port: -1 }),
    () => box.updateText(boxType, { 'a=b': 'c' }),
    () => box.rename({ host: 'a.b', instance: 'Box' }),
    () => box.rename({ host: 'box', instance: 'A\u0007' }),
  ]) {
    assert.throws(change, { code: 'SERVICE_INVALID' });
  }
  assert.deepEqual(box.facts(), before);
  await lan.clock.runUntil(box.close());
});

test('M5: while every name is denied, a box stays at one attempt in five seconds, and takes a name in the end', async () => {
  const lan = new ServiceLan();
  const options = { interfaceName: 'eth0', family: 'ipv4', group: '224.0.0.251', port: 5353 } as const;
  const socket = await lan.wire.host('denier').open(options);
  let isDenying = true;
  socket.onMessage(({ bytes }) => {
    const { response: isResponse, questions } = decodeMessage(bytes);
    if (isResponse || !isDenying) return;
    const answers = questions.map(({ name }) => uniqueRecord(name, 120, { kind: 'a', address: '10.0.0.1' }));
    socket.send(encodeMessage(response({ answers })));
  });
  const network = lan.wire.host('box', [
    { ...fakeInterface('eth0', 7), addresses: fakeInterface('eth0', 7).addresses.slice(0, 1) },
  ]);
  const box = await lan.advertise(network, 'box');
  await lan.clock.run(60_000);
  const before = lan.wire.captured.filter(({ host }) => host === 'box').length;
  await lan.clock.run(600_000);
  const attempts = lan.wire.captured.filter(({ host }) => host === 'box').length - before;
  assert.ok(attempts > 60 && attempts <= 240, `${attempts} packets in ten minutes`);
  isDenying = false;
  await lan.clock.runUntil(box.ready, 30_000);
  assert.match(box.names.host, /^box-\d+$/);
});
