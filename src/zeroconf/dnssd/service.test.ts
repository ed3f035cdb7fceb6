import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { fromUtf8, utf8 } from '../../base/bytes.ts';
import { formatIpv6, parseIpv6 } from '../../base/ip-address.ts';
import { uncompressedData } from '../dns/encoder.ts';
import {
  hostLabelFor,
  hostName,
  instanceName,
  nextHostLabel,
  nextInstance,
  parseText,
  type ServiceOffer,
  serviceGroup,
  textStrings,
  typeName,
} from './service.ts';

const invalid = { code: 'SERVICE_INVALID' };

test('M18: a host name is letters, digits and hyphens, and one is made of whatever the box is called', () => {
  assert.deepEqual(hostName('Box-2'), ['Box-2', 'local']);
  for (const label of ['', '-a', 'a-', 'a.b', 'a b', 'bücher', 'a'.repeat(64)]) {
    assert.throws(() => hostName(label), invalid, label);
  }
  assert.equal(hostLabelFor('Anna’s Büro!'), 'Anna-s-Buro');
  assert.equal(hostLabelFor('日本'), 'aetherstore');
  fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => void hostName(hostLabelFor(text))));
});

test('M4: the next host name has a hyphen and a number, the next instance a number in brackets', () => {
  assert.deepEqual(['box', 'box-2', 'box-9', 'box-x'].map(nextHostLabel), [
    'box-2',
    'box-3',
    'box-10',
    'box-x-2',
  ]);
  assert.deepEqual(['Box', 'Box (2)', 'Box (9)', 'A (x)'].map(nextInstance), [
    'Box (2)',
    'Box (3)',
    'Box (10)',
    'A (x) (2)',
  ]);
  assert.equal(nextHostLabel('a'.repeat(63)), `${'a'.repeat(61)}-2`);
  assert.equal(nextInstance('é'.repeat(31)), `${'é'.repeat(29)} (2)`);
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 15 }), (text) => {
      if (utf8(text).length <= 63) void instanceName(nextInstance(text), '_http._tcp');
    }),
  );
});

test('RFC 6763 §4.1.1: an instance name is one label of 1–63 bytes of UTF-8, any characters, dots too, no controls', () => {
  const most = 'é'.repeat(31);
  for (const name of ['Mr. Box', 'a.b._http._tcp', 'Büro №1 “Ost”', '📦', '. .', most])
    assert.deepEqual(instanceName(name, '_http._tcp'), [name, '_http', '_tcp', 'local']);
  for (const name of ['', `${most}éa`, '\ud800', 'a\u0000b', 'a\tb', 'a\u007f'])
    assert.throws(() => instanceName(name, '_http._tcp'), invalid, JSON.stringify(name));
  // Composed, as Net-Unicode wants it: the same name from whatever keyboard.
  assert.deepEqual(instanceName('Bu\u0308ro', '_http._tcp'), ['Büro', '_http', '_tcp', 'local']);
});

test('RFC 6763 §7, §7.2: a service name has at most 15 letters, digits and hyphens, one of them a letter', () => {
  assert.deepEqual(typeName('_aetherstore._tcp'), ['_aetherstore', '_tcp', 'local']);
  assert.deepEqual(typeName('_abcdefghijklmno._udp'), ['_abcdefghijklmno', '_udp', 'local']);
  for (const type of [
    'http._tcp',
    '_http',
    '_http._sctp',
    '_http._tcp.local',
    '_a.b._tcp',
    '_-a._tcp',
    '_a-._tcp',
    '_a--b._tcp',
    '_1._tcp',
    '_abcdefghijklmnop._tcp',
  ]) {
    assert.throws(() => typeName(type), invalid, type);
  }
});

test('RFC 6763 §6.1, §6.2: a TXT record has strings of at most 255 bytes, few in all, and without any one zero byte', () => {
  assert.deepEqual(textStrings({}), [new Uint8Array(0)]);
  const data = { kind: 'txt', strings: textStrings({}) } as const;
  assert.deepEqual(uncompressedData(data), Uint8Array.of(0));
  assert.deepEqual(uncompressedData({ kind: 'txt', strings: [] }), Uint8Array.of(0));
  assert.equal(textStrings({ a: 'x'.repeat(253) })[0]!.length, 255);
  assert.throws(() => textStrings({ a: 'x'.repeat(254) }), invalid);
  assert.throws(() => textStrings({ a: 'é'.repeat(127) }), invalid);
  const large = Object.fromEntries(['a', 'b', 'c', 'd'].map((key) => [key, 'x'.repeat(250)]));
  assert.throws(() => textStrings(large), invalid);
});

test('RFC 6763 §6.4: our keys have 1 to 9 printable ASCII characters without “=”', () => {
  assert.deepEqual(textStrings({ 'nine-char': 'x', ' ': 'y' }).map(fromUtf8), ['nine-char=x', ' =y']);
  for (const key of ['', 'ten-letter', 'a=b', 'é', 'a\n', 'a\u007f'])
    assert.throws(() => textStrings({ [key]: 'x' }), invalid, JSON.stringify(key));
});

test('RFC 6763 §6.4: of others’ keys the first counts, case aside, none is no key, and without “=” it is there', () => {
  const strings = ['A=1', 'a=2', '=x', 'flag', 'b=', 'c=d=e', ''].map(utf8);
  assert.deepEqual(parseText(strings), { a: '1', flag: '', b: '', c: 'd=e' });
  assert.deepEqual(parseText(['__proto__=1', 'constructor=2'].map(utf8)), {
    ['__proto__']: '1',
    constructor: '2',
  });
});

test('RFC 6763 §6.5: a value is whatever bytes follow the first “=”', () => {
  assert.deepEqual(textStrings({ free: 'ü = ö' }).map(fromUtf8), ['free=ü = ö']);
  assert.deepEqual(parseText([utf8('free=ü = ö')]), { free: 'ü = ö' });
  assert.deepEqual(parseText([Uint8Array.of(0x61, 0x3d, 0xff)]), { a: 'ÿ' });
});

test('RFC 6763 §6.7: the version tag comes first', () => {
  const strings = textStrings({ pool: 'abc', box: 'b', txtvers: '1' });
  assert.deepEqual(strings.map(fromUtf8), ['txtvers=1', 'pool=abc', 'box=b']);
  assert.deepEqual(parseText(strings), { txtvers: '1', pool: 'abc', box: 'b' });
});

const offer = { instance: 'Box', type: '_ipp._tcp', subtypes: ['_print', 'Büro'], port: 631, text: {} };
const pointersOf = (changes: Partial<ServiceOffer>) =>
  serviceGroup('s', { ...offer, ...changes }, 'box')
    .records.filter(({ data }) => data.kind === 'ptr')
    .map(({ name, data }) => [name.join('.'), data.kind === 'ptr' ? data.target.join('.') : '']);

test('RFC 6763 §4.1, §7.1, §9: a service is listed by its type, by each subtype, and its type among the types', () => {
  assert.deepEqual(pointersOf({}), [
    ['_ipp._tcp.local', 'Box._ipp._tcp.local'],
    ['_print._sub._ipp._tcp.local', 'Box._ipp._tcp.local'],
    ['Büro._sub._ipp._tcp.local', 'Box._ipp._tcp.local'],
    ['_services._dns-sd._udp.local', '_ipp._tcp.local'],
  ]);
  for (const subtype of ['', 'x'.repeat(64), '\ud800'])
    assert.throws(() => pointersOf({ subtypes: [subtype] }), invalid);
});

test('RFC 6763 §8: port 0 reserves the name on a flagship type, where nobody finds it', () => {
  const flagship = serviceGroup('f', { ...offer, type: '_printer._tcp', port: 0 }, 'box');
  assert.deepEqual(
    flagship.records.map(({ data }) => data),
    [{ kind: 'srv', priority: 0, weight: 0, port: 0, target: ['box', 'local'] }],
  );
  assert.deepEqual(flagship.claim.name, ['Box', '_printer', '_tcp', 'local']);
});

test('RFC 6763 §6: without a port there is a TXT record and nothing else', () => {
  const model = { instance: 'Box', type: '_device-info._tcp', text: { model: 'Xserve' } };
  const { records, claim } = serviceGroup('m', model, 'box');
  assert.deepEqual(records, claim.records);
  assert.deepEqual(
    records.map(({ data }) => data),
    [{ kind: 'txt', strings: [utf8('model=Xserve')] }],
  );
  for (const port of [-1, 65_536, 1.5, Number.NaN])
    assert.throws(() => serviceGroup('s', { ...model, port }, 'box'), invalid);
});

test('IPv6 addresses are read in every form and written in one (RFC 5952)', () => {
  for (const [text, canonical] of [
    ['FE80:0:0:0:0:0:0:1', 'fe80::1'],
    ['1:0:0:2:0:0:0:3', '1:0:0:2::3'],
    ['::ffff:10.0.0.1', '::ffff:a00:1'],
    ['::', '::'],
    ['1:2:3:4:5:6:7:8', '1:2:3:4:5:6:7:8'],
  ] as const) {
    assert.equal(formatIpv6(parseIpv6(text)!), canonical);
  }
  for (const text of ['', ':', ':::', '1::2::3', '1:2:3', 'g::', '::1%eth0', '12345::', '1.2.3.4']) {
    assert.equal(parseIpv6(text), undefined, text);
  }
});
