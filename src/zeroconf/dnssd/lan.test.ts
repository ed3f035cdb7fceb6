import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fakeInterface } from '../../testing/fake-multicast-network.ts';
import { boxType, ServiceLan } from '../../testing/service-lan.ts';
import { decodeMessage } from '../dns/decoder.ts';
import { encodeMessage } from '../dns/encoder.ts';
import { response } from '../dns/message.ts';
import { uniqueRecord } from '../mdns/records.ts';
import { Browser, scan } from './browse.ts';

test('M27: a box is found with host, port, addresses and text, changes are told, and its goodbye within 1.2 s', async () => {
  const lan = new ServiceLan();
  const { browser, events } = await lan.browse(lan.wire.host('desktop'));
  const box = await lan.advertise(lan.wire.host('box'), 'box');
  await lan.clock.runUntil(box.ready);
  assert.ok(lan.clock.monotonicMs() <= 1000, `${lan.clock.monotonicMs()} ms`);
  await lan.clock.run(5);
  const eth0 = { interfaceName: 'eth0' };
  assert.deepEqual(browser.found(), [
    {
      instance: 'Box',
      type: boxType,
      host: 'box.local',
      port: 4711,
      addresses: [
        { family: 'ipv4', address: '10.0.0.2', ...eth0 },
        { family: 'ipv6', address: 'fe80::2', ...eth0 },
      ],
      text: { txtvers: '1', box: 'a' },
    },
  ]);
  box.updateText(boxType, { txtvers: '1', box: 'b' });
  await lan.clock.run(1200);
  assert.equal(browser.found()[0]!.text.box, 'b');
  assert.deepEqual(box.names, { host: 'box', instance: 'Box' });
  await lan.clock.runUntil(box.close());
  await lan.clock.run(1200);
  assert.deepEqual(browser.found(), []);
  assert.deepEqual(
    events.map(({ kind }) => kind),
    ['added', 'changed', 'removed'],
  );
});

test('M10, M27: a scan finds boxes that are there already, on a lossy network too', async () => {
  for (const seed of [1, 2, 3, 4, 5]) {
    const lan = new ServiceLan(seed, { lossRate: 0.1, duplicateRate: 0.1, delayMs: { least: 0, most: 20 } });
    for (const name of ['a', 'b', 'c'])
      await lan.advertise(lan.wire.host(name), name, { instance: `Box ${name}` });
    await lan.clock.run(10_000);
    const scanned = scan({ type: boxType, durationMs: 2000 }, lan.ports(lan.wire.host('desktop')));
    const found = await lan.clock.runUntil(scanned);
    assert.deepEqual(
      found.map(({ instance }) => instance).sort(),
      ['Box a', 'Box b', 'Box c'],
      `seed ${seed}`,
    );
  }
});

test('M4: of two boxes with one name that start one after the other, the second takes other names', async () => {
  const lan = new ServiceLan();
  await lan.advertise(lan.wire.host('first'), 'box');
  await lan.clock.run(5000);
  const second = await lan.advertise(lan.wire.host('second'), 'box');
  const renamed: unknown[] = [];
  second.onRename((names) => renamed.push(names));
  await lan.clock.runUntil(second.ready);
  assert.deepEqual(second.names, { host: 'box-2', instance: 'Box (2)' });
  assert.deepEqual(renamed.at(-1), second.names);
});

test('M2: of many boxes with one name that start together, all end up with names of their own', async () => {
  const lan = new ServiceLan(11);
  const boxes = [];
  for (let index = 0; index < 6; index++) boxes.push(await lan.advertise(lan.wire.host(`${index}`), 'box'));
  await lan.clock.run(30_000);
  assert.equal(new Set(boxes.map(({ names }) => names.host)).size, 6);
  assert.equal(new Set(boxes.map(({ names }) => names.instance)).size, 6);
  const { browser } = await lan.browse(lan.wire.host('desktop'));
  await lan.clock.run(2000);
  assert.equal(browser.found().length, 6);
});

test('M8: two halves of a cut network that come together again sort their names out', async () => {
  const lan = new ServiceLan(5);
  const [a, b] = [lan.wire.host('a'), lan.wire.host('b')];
  lan.wire.partition(['a'], ['b']);
  const boxes = [await lan.advertise(a, 'box'), await lan.advertise(b, 'box')];
  await lan.clock.run(10_000);
  assert.deepEqual(
    boxes.map(({ names }) => names.host),
    ['box', 'box'],
  );
  lan.wire.heal();
  const { browser } = await lan.browse(lan.wire.host('desktop'));
  await lan.clock.run(30_000);
  assert.equal(new Set(boxes.map(({ names }) => names.host)).size, 2);
  assert.equal(browser.found().length, 2);
});

test('M15: a new name given by a person replaces the old one everywhere', async () => {
  const lan = new ServiceLan();
  const { browser, events } = await lan.browse(lan.wire.host('desktop'));
  const box = await lan.advertise(lan.wire.host('box'), 'box');
  await lan.clock.run(5000);
  box.rename({ host: 'attic', instance: 'Attic' });
  await lan.clock.run(5000);
  assert.deepEqual(
    browser.found().map(({ instance, host }) => [instance, host]),
    [['Attic', 'attic.local']],
  );
  assert.ok(events.some(({ kind, service }) => kind === 'removed' && service.instance === 'Box'));
  assert.throws(() => box.rename({ host: 'at tic', instance: 'Attic' }), { code: 'SERVICE_INVALID' });
});

test('M16: an interface that comes later, or comes back, is probed and announced on', async () => {
  const lan = new ServiceLan();
  const network = lan.wire.host('box', []);
  const { browser } = await lan.browse(lan.wire.host('desktop'));
  const box = await lan.advertise(network, 'box');
  await lan.clock.run(1000);
  assert.equal(lan.wire.captured.filter(({ host }) => host === 'box').length, 0);
  for (let round = 0; round < 2; round++) {
    network.connect([fakeInterface('eth0', 9)]);
    await lan.clock.run(6500);
    assert.deepEqual(
      browser.found().map(({ addresses }) => addresses[0]!.address),
      ['10.0.0.9'],
    );
    const sent = lan.wire.captured.filter(({ host, family }) => host === 'box' && family === 'ipv4');
    assert.equal(sent.filter(({ bytes }) => !decodeMessage(bytes).response).length, 3 * (round + 1));
    network.connect([]);
    await lan.clock.run(6000);
  }
  await lan.clock.runUntil(box.ready);
});

test('RFC 6762 §8.4: an address that changes is announced under the same name, and the old one forgotten', async () => {
  const lan = new ServiceLan();
  const network = lan.wire.host('box');
  const { browser } = await lan.browse(lan.wire.host('desktop'));
  await lan.advertise(network, 'box');
  await lan.clock.run(5000);
  network.connect([fakeInterface('eth0', 77)]);
  await lan.clock.run(7000);
  assert.deepEqual(
    browser.found().map(({ addresses }) => addresses.map(({ address }) => address)),
    [['10.0.0.77', 'fe80::4d']],
  );
});

test('M28: on each interface only the addresses that are valid there', async () => {
  const lan = new ServiceLan();
  const box = lan.wire.host('box', [fakeInterface('eth0', 1), fakeInterface('eth1', 1, 'other', 1)]);
  await lan.advertise(box, 'box');
  await lan.clock.run(3000);
  for (const packet of lan.wire.captured) {
    const own = packet.interfaceName === 'eth0' ? ['10.0.0.1', 'fe80::1'] : ['10.0.1.1', 'fe80::1:1'];
    const message = decodeMessage(packet.bytes);
    for (const { data } of [...message.answers, ...message.authorities, ...message.additionals])
      assert.ok((data.kind !== 'a' && data.kind !== 'aaaa') || own.includes(data.address));
  }
  assert.equal(new Set(lan.wire.captured.map(({ interfaceName }) => interfaceName)).size, 2);
});

test('two interfaces of a box on one wire do not make it contest its own name', async () => {
  const lan = new ServiceLan();
  const box = lan.wire.host('box', [fakeInterface('eth0', 1), fakeInterface('wlan0', 2)]);
  const advertiser = await lan.advertise(box, 'box');
  const { browser } = await lan.browse(lan.wire.host('desktop'));
  await lan.clock.run(10_000);
  assert.deepEqual(advertiser.names, { host: 'box', instance: 'Box' });
  assert.equal(browser.found().length, 1);
});

test('a browser sees what the same host advertises, and several interfaces once', async () => {
  const lan = new ServiceLan();
  const host = lan.wire.host('box', [fakeInterface('eth0', 1), fakeInterface('eth1', 1, 'other', 1)]);
  await lan.advertise(host, 'box');
  const { browser } = await lan.browse(host);
  await lan.clock.run(5000);
  assert.deepEqual(
    browser
      .found()
      .map(({ addresses }) => addresses.map(({ address, interfaceName }) => `${address}%${interfaceName}`)),
    [['10.0.0.1%eth0', '10.0.1.1%eth1', 'fe80::1%eth0', 'fe80::1:1%eth1']],
  );
});

test('M30, M26: unicast from another network, and bytes that are no message, change nothing', async () => {
  const lan = new ServiceLan();
  const network = lan.wire.host('box');
  const box = await lan.advertise(network, 'box');
  await lan.clock.run(10_000);
  const before = lan.wire.captured.length;
  const record = uniqueRecord(['box', 'local'], 120, { kind: 'a', address: '10.0.0.200' });
  const stranger = lan.wire.host('stranger', [fakeInterface('eth0', 5, 'lan', 44)]);
  const options = { interfaceName: 'eth0', family: 'ipv4', group: '224.0.0.251', port: 5353 } as const;
  const socket = await stranger.open(options);
  socket.send(encodeMessage(response({ answers: [record] })), { address: '10.0.0.1', port: 5353 });
  socket.send(Uint8Array.of(0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0xc0, 0x0c, 0, 12, 0, 1));
  await lan.clock.run(3000);
  assert.equal(lan.wire.captured.length, before + 2);
  assert.deepEqual(box.names, { host: 'box', instance: 'Box' });
});

test('names that DNS-SD does not allow are refused before anything is sent', async () => {
  const lan = new ServiceLan();
  const network = lan.wire.host('box');
  await assert.rejects(lan.advertise(network, 'no dots.or spaces'), { code: 'SERVICE_INVALID' });
  await assert.rejects(lan.advertise(network, 'box', { type: 'http' }), { code: 'SERVICE_INVALID' });
  await assert.rejects(Browser.start({ type: '_x' }, lan.ports(network)), { code: 'SERVICE_INVALID' });
  const box = await lan.advertise(network, 'box');
  assert.throws(() => box.updateText(boxType, { 'a=b': '' }), { code: 'SERVICE_INVALID' });
  await lan.clock.runUntil(box.ready);
});
