import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SeededEntropy } from '../../src/testing/seeded-entropy.ts';
import { applyPatch, claimUri, identityBytes, identityPatch, isSerial, newSerial } from './provision.ts';

const provision = { serial: 'AS-0123456789', claimCode: '7K3M-9QXR' };

test('a fresh serial number is AS- and ten symbols without I, L, O and U, and never twice the same', () => {
  const serials = Array.from({ length: 200 }, (_, seed) => newSerial(new SeededEntropy(seed)));
  for (const serial of serials) {
    assert.match(serial, /^AS-[0-9A-HJKMNP-TV-Z]{10}$/);
    assert.ok(isSerial(serial));
  }
  assert.equal(new Set(serials).size, serials.length);
});

test('a serial number that would break JSON, a URI or a label is none', () => {
  for (const text of ['', 'a b', 'a"b', 'a&b', 'a<b', '-a', 'a'.repeat(33), 'ä', 'a\n'])
    assert.equal(isSerial(text), false, text);
  for (const text of ['a', 'AS-1', '2026.11_7', 'a'.repeat(32)]) assert.equal(isSerial(text), true, text);
});

test('the identity is one line that grep of the initramfs finds, then zeros', () => {
  const bytes = Buffer.from(identityBytes(provision, 65536));
  const line = '{"v":1,"serial":"AS-0123456789","claimCode":"7K3M-9QXR"}\n';
  assert.equal(bytes.length, 65536);
  assert.equal(bytes.toString('utf8', 0, line.length), line);
  assert.ok(bytes.subarray(line.length).every((byte) => byte === 0));
  assert.match(line, /"serial":"[^"]*"/);
});

test('the identity goes where the partition of that name is, and nowhere without one', () => {
  const boot = { name: 'boot', offset: 512, bytes: 65536 };
  const identity = { name: 'identity', offset: 66048, bytes: 65536 };
  assert.equal(identityPatch([boot, identity], provision).offset, 66048);
  const invalid = { code: 'IMAGE_INVALID' };
  assert.throws(() => identityPatch([boot], provision), invalid);
  assert.throws(() => identityPatch([identity, identity], provision), invalid);
  assert.throws(() => identityPatch([{ ...identity, bytes: 512 }], provision), invalid);
});

test('a patch falls into chunks in any cut', () => {
  const patch = { offset: 10, bytes: Uint8Array.from({ length: 20 }, (_, index) => index + 1) };
  const wanted = Buffer.alloc(50, 0xff);
  wanted.set(patch.bytes, 10);
  for (let size = 1; size <= 50; size++) {
    const whole = Buffer.alloc(50, 0xff);
    for (let offset = 0; offset < 50; offset += size)
      applyPatch(whole.subarray(offset, offset + size), offset, patch);
    assert.ok(whole.equals(wanted), `chunks of ${size}`);
  }
});

test('the URI holds serial number and claim code', () => {
  const uri = new URL(claimUri(provision));
  assert.equal(uri.protocol, 'aetherstore:');
  assert.equal(uri.pathname, 'claim');
  assert.equal(uri.searchParams.get('serial'), provision.serial);
  assert.equal(uri.searchParams.get('code'), provision.claimCode);
});
