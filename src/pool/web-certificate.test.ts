import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { test } from 'node:test';
import { silentLog } from '../base/log.ts';
import { FakeClock } from '../testing/fake-clock.ts';
import { MemoryDisk } from '../testing/memory-disk.ts';
import { SeededEntropy } from '../testing/seeded-entropy.ts';
import { fingerprintOf, loadOrCreateWebCertificate } from './web-certificate.ts';

function ports() {
  const entropy = new SeededEntropy(1);
  return { disk: new MemoryDisk({ entropy }), clock: new FakeClock(), entropy, log: silentLog };
}

test('a browser that has accepted it knows it again after a restart', async () => {
  const world = ports();
  const first = await loadOrCreateWebCertificate('aether-3f2a.local', world);
  world.disk.crash();
  const again = await loadOrCreateWebCertificate('aether-3f2a.local', world);
  assert.deepEqual(again, first);
  const certificate = new X509Certificate(first.certificatePem);
  assert.equal(certificate.checkHost('aether-3f2a.local'), 'aether-3f2a.local');
  assert.equal(certificate.checkHost('elsewhere.local'), undefined);
  assert.match(fingerprintOf(first), /^([0-9A-F]{2}:){31}[0-9A-F]{2}$/);
});

test('another host name, or a damaged file, gets another certificate and key', async () => {
  const world = ports();
  const first = await loadOrCreateWebCertificate('one.local', world);
  const other = await loadOrCreateWebCertificate('other.local', world);
  assert.notEqual(other.privateKeyPem, first.privateKeyPem);
  for (const offset of [0, 30, 80]) {
    world.disk.corrupt('web.cbor', offset);
    const made = await loadOrCreateWebCertificate('other.local', world);
    assert.equal(new X509Certificate(made.certificatePem).subject, 'CN=other.local');
  }
});
