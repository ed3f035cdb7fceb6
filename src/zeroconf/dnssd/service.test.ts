import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { fromUtf8, utf8 } from '../../base/bytes.ts';
import { formatIpv6, parseIpv6 } from '../../base/ip-address.ts';
import {
  hostLabelFor,
  hostName,
  instanceName,
  nextHostLabel,
  nextInstance,
  parseText,
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
  assert.deepEqual(['Box', 'Box (2)', 'Box (9)', 'A\nB'].map(nextInstance), [
    'Box (2)',
    'Box (3)',
    'Box (10)',
    'A\nB (2)',
  ]);
  assert.equal(nextHostLabel('a'.repeat(63)), `${'a'.repeat(61)}-2`);
  assert.equal(nextInstance('é'.repeat(31)), `${'é'.repeat(29)} (2)`);
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 15 }), (text) => {
      if (utf8(text).length <= 63) void instanceName(nextInstance(text), '_http._tcp');
    }),
  );
});

test('an instance name is one label of 1–63 bytes, any characters, dots too', () => {
  assert.deepEqual(instanceName('Mr. Box', '_http._tcp'), ['Mr. Box', '_http', '_tcp', 'local']);
  for (const name of ['', 'é'.repeat(32), '\ud800'])
    assert.throws(() => instanceName(name, '_http._tcp'), invalid);
});

test('a service type has at most 15 letters, digits and hyphens, one of them a letter (RFC 6763 §7)', () => {
  assert.deepEqual(typeName('_aetherstore._tcp'), ['_aetherstore', '_tcp', 'local']);
  for (const type of [
    'http._tcp',
    '_http',
    '_http._sctp',
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

test('a TXT record: txtvers first, keys of at most 9, strings of at most 255, empty is one empty string', () => {
  const strings = textStrings({ pool: 'abc', free: 'ü', txtvers: '1' });
  assert.deepEqual(strings.map(fromUtf8), ['txtvers=1', 'pool=abc', 'free=ü']);
  assert.deepEqual(parseText(strings), { txtvers: '1', pool: 'abc', free: 'ü' });
  assert.deepEqual(textStrings({}), [new Uint8Array(0)]);
  for (const text of [
    { '': 'x' },
    { 'ten-letter': 'x' },
    { 'a=b': 'x' },
    { é: 'x' },
    { a: 'x'.repeat(254) },
  ]) {
    assert.throws(() => textStrings(text as Record<string, string>), invalid);
  }
  const large = Object.fromEntries(['a', 'b', 'c', 'd'].map((key) => [key, 'x'.repeat(250)]));
  assert.throws(() => textStrings(large), invalid);
});

test('what others’ TXT records say: first of equal keys, case aside, no key ignored, no = empty (RFC 6763 §6.4)', () => {
  const strings = ['A=1', 'a=2', '=x', 'flag', 'b=', 'c=d=e', ''].map(utf8);
  assert.deepEqual(parseText(strings), { a: '1', flag: '', b: '', c: 'd=e' });
  assert.deepEqual(parseText([Uint8Array.of(0x61, 0x3d, 0xff)]), { a: 'ÿ' });
});

test('a service is listed by type, by each subtype and among the types; port 0 only reserves the name (§7.1, §8, §9)', () => {
  const offer = { instance: 'Box', type: '_ipp._tcp', subtypes: ['_print'], port: 631, text: {} };
  const pointers = serviceGroup('s', offer, 'box').records.filter(({ data }) => data.kind === 'ptr');
  assert.deepEqual(
    pointers.map(({ name }) => name.join('.')),
    ['_ipp._tcp.local', '_print._sub._ipp._tcp.local', '_services._dns-sd._udp.local'],
  );
  const flagship = serviceGroup('f', { ...offer, type: '_printer._tcp', port: 0 }, 'box');
  assert.deepEqual(
    flagship.records.map(({ data }) => data.kind),
    ['srv'],
  );
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
