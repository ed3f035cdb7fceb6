import assert from 'node:assert/strict';
import { webcrypto } from 'node:crypto';
import { once } from 'node:events';
import { connect as connectTcp } from 'node:net';
import { before, test } from 'node:test';
import { connect as connectTls, createServer } from 'node:tls';
import { encodeCbor } from '../../src/base/cbor.ts';
import { framePayloadBytesMax, strangerConnectionsMax } from '../../src/base/limits.ts';
import { NodeClock } from '../../src/platform/node-clock.ts';
import { NodeDisk } from '../../src/platform/node-disk.ts';
import { nodeEntropy } from '../../src/platform/node-entropy.ts';
import { loadX509 } from '../../src/pool/certificate.ts';
import { loadOrCreateIdentity } from '../../src/pool/identity.ts';
import { encodeFrame, frameKinds } from '../../src/pool/transfer/frame.ts';
import { methodDescriptions, methods } from '../../src/pool/transfer/methods.ts';
import { testCertificate } from '../../src/testing/test-certificate.ts';
import { type Credentials, RawLink } from './raw-link.ts';
import { assertTold, stopAtEnd, type WholeBox, WholePool } from './whole-boxes.ts';

let pool: WholePool;
let box: WholeBox;
let stranger: Credentials;
let member: Credentials;

before(async () => {
  pool = await WholePool.start('badframes', 1);
  box = pool.boxes[0]!;
  await pool.keep();
  stranger = await testCertificate();
  const ports = { clock: new NodeClock(), entropy: nodeEntropy };
  member = await loadOrCreateIdentity(new NodeDisk(pool.homePath), ports);
});

stopAtEnd(() => pool);

/** A header as a peer may write it, whatever its payload is. */
function header({ bytes = 0, version = 1, kind = 1, method = 1, requestId = 7 }): Uint8Array {
  const header = Buffer.alloc(12);
  header.writeUInt32BE(bytes, 0);
  header.writeUInt8(version, 4);
  header.writeUInt8(kind, 5);
  header.writeUInt16BE(method, 6);
  header.writeUInt32BE(requestId, 8);
  return header;
}

test('a truncated frame, in its header or its payload: the box notes it and goes on', async () => {
  const whole = encodeFrame(frameKinds.request, methods.hello, 1, [new Uint8Array(50)])[0]!;
  for (const length of [1, 11, 12, 61]) {
    const link = await RawLink.open(box.ready, stranger);
    link.socket.end(whole.subarray(0, length));
    assert.equal(await link.next(), undefined);
    await link.closed;
  }
  await pool.until(async () => (box.log.match(/code=FRAME_TRUNCATED/g)?.length ?? 0) === 4);
  await pool.verifyServing();
});

test('a frame over its maximum, of another version or kind: one error frame with its code, then the end', async () => {
  const wrong: readonly (readonly [Uint8Array, string])[] = [
    [header({ bytes: framePayloadBytesMax + 1 }), 'FRAME_TOO_LONG'],
    [header({ bytes: 2 ** 32 - 1, method: methods.chunkPut }), 'FRAME_TOO_LONG'],
    [header({ version: 2 }), 'FRAME_VERSION_UNKNOWN'],
    [header({ kind: 4 }), 'FRAME_KIND_UNKNOWN'],
    [Buffer.from('GET / HTTP/1.1\r\nHost: box\r\n\r\n'), 'FRAME_VERSION_UNKNOWN'],
  ];
  for (const credentials of [stranger, member]) {
    for (const [bytes, code] of wrong) {
      const link = await RawLink.open(box.ready, credentials);
      link.write(bytes);
      assert.equal(await link.nextCode(), code);
      assert.equal(await link.nextCode(), 'closed');
    }
  }
  await pool.verifyServing();
});

test('an unknown method, and answers to nothing: the connection stays', async () => {
  const link = await RawLink.open(box.ready, stranger);
  assert.equal(await link.ask(999, new Uint8Array(10)), 'METHOD_UNKNOWN');
  link.write(header({ kind: frameKinds.response, requestId: 99 }));
  link.write(header({ kind: frameKinds.error, requestId: 98 }));
  link.write(header({ kind: frameKinds.error, requestId: 0 }));
  assert.equal(await link.ask(methods.hello, new Uint8Array(10)), 'CBOR_INVALID');
  await link.close();
});

/** Payloads that no method expects. */
const nonsense: readonly Uint8Array[] = [
  new Uint8Array(0),
  new Uint8Array(1),
  Buffer.alloc(33, 0xff),
  Buffer.alloc(20_000, 0x81),
  Buffer.concat([Buffer.from([0x9b, 0, 0, 0, 1, 0, 0, 0, 0]), Buffer.alloc(100)]),
  encodeCbor({}),
  encodeCbor([]),
  encodeCbor({ v: 2, role: 'box', name: 'x', pool: null, state: 'x', port: null }),
  encodeCbor({ path: ['..'], after: null, limit: null, message: new Uint8Array(5), exchange: null, v: 1 }),
  encodeCbor([{ op: 'put', path: ['a', '..', 'b'], kind: 'directory', mode: 0, mtime: 0, size: 0 }]),
  encodeCbor([{ op: 'remove', path: ['\0'], recursive: true }]),
  encodeCbor(['..']),
  encodeCbor([new Uint8Array(700)]),
];

test('nonsense in every method: a member hears a code that says what is wrong, never of a defect', async () => {
  let link = await RawLink.open(box.ready, member);
  for (const [method, { name, payloadBytesMax }] of methodDescriptions) {
    for (const payload of nonsense) {
      const code = await link.ask(method, payload);
      if (payload.length > payloadBytesMax) {
        // Too long for the method: refused by its header, and that ends the connection.
        assert.equal(code, 'FRAME_TOO_LONG', name);
        await link.close();
        link = await RawLink.open(box.ready, member);
        continue;
      }
      assert.ok(
        !['closed', 'INTERNAL'].includes(code),
        `${name} ${Buffer.from(payload).toString('hex', 0, 40)}: ${code}`,
      );
    }
  }
  await link.close();
  await pool.verifyServing();
});

test('a stranger may say hello and pair, nothing else', async () => {
  const link = await RawLink.open(box.ready, stranger);
  for (const [method, { caller, payloadBytesMax }] of methodDescriptions) {
    const code = await link.ask(method, nonsense[2]!.subarray(0, payloadBytesMax));
    if (caller !== 'anyone') assert.equal(code, 'NOT_A_MEMBER');
  }
  await link.close();
});

test('a desktop of the pool may not speak as a box', async () => {
  const link = await RawLink.open(box.ready, member);
  assert.equal(await link.ask(methods.logRead, encodeCbor({})), 'NOT_A_BOX');
  assert.equal(await link.ask(methods.logAppend, encodeCbor([])), 'NOT_A_BOX');
  await link.close();
});

test('a wrong certificate: none, of another curve or kind, or an old TLS', async () => {
  const { PemConverter, X509CertificateGenerator } = await loadX509();
  const keys = await webcrypto.subtle.generateKey(
    {
      name: 'RSASSA-PKCS1-v1_5',
      hash: 'SHA-256',
      modulusLength: 2048,
      publicExponent: new Uint8Array([1, 0, 1]),
    },
    true,
    ['sign', 'verify'],
  );
  const rsa = await X509CertificateGenerator.createSelfSigned({ name: 'CN=x', keys });
  const rsaKey = await webcrypto.subtle.exportKey('pkcs8', keys.privateKey);
  const other = await testCertificate('P-384');
  const wrong = [
    {},
    { key: other.privateKeyPem, cert: other.certificatePem },
    {
      key: PemConverter.encode(rsaKey, 'PRIVATE KEY'),
      cert: PemConverter.encode(rsa.rawData, 'CERTIFICATE'),
    },
    { key: member.privateKeyPem, cert: member.certificatePem, maxVersion: 'TLSv1.2' as const },
  ];
  for (const options of wrong) {
    const socket = connectTls({
      host: '127.0.0.1',
      port: box.ready.port,
      rejectUnauthorized: false,
      ...options,
    });
    let received = 0;
    socket.on('data', (bytes) => {
      received += bytes.length;
    });
    socket.on('error', () => {});
    socket.on('secureConnect', () => socket.write(encodeFrame(frameKinds.request, methods.hello, 1, [])[0]!));
    await new Promise((closed) => socket.once('close', closed));
    assert.equal(received, 0);
  }
  await pool.verifyServing();
});

test('a certificate that is not the box it says to be: the desktop does not speak to it', async (t) => {
  const { privateKeyPem: key, certificatePem: cert } = await testCertificate('P-384');
  const server = createServer({ key, cert, requestCert: true, rejectUnauthorized: false });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  const { port } = server.address() as { port: number };
  const told = await pool.refused(['claim', `127.0.0.1:${port}`, '--code', '0000-0000']);
  assertTold(told, 'LINK_HANDSHAKE', 6, /not another program/);
});

test('as many strangers as there are: members are still served', async () => {
  const links: RawLink[] = [];
  for (let index = 0; index < strangerConnectionsMax; index++)
    links.push(await RawLink.open(box.ready, stranger));
  const late = await RawLink.open(box.ready, stranger);
  assert.equal(await late.nextCode(), 'CONNECTIONS_FULL');
  const silent = Array.from({ length: 20 }, () => connectTcp(box.ready.port, '127.0.0.1'));
  for (const socket of silent) socket.on('error', () => {});
  await pool.verifyServing();
  for (const socket of silent) socket.destroy();
  await Promise.all([...links, late].map((link) => link.close()));
});

test('noise instead of TLS, and a hang-up at every moment of the handshake', async () => {
  for (let index = 0; index < 20; index++) {
    const socket = connectTcp(box.ready.port, '127.0.0.1');
    socket.on('error', () => {});
    await once(socket, 'connect');
    socket.write(
      index % 2 === 0 ? pool.bytes(1 + index * 40) : Buffer.from([0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3]),
    );
    setTimeout(() => socket.resetAndDestroy(), index);
    await once(socket, 'close');
  }
  await pool.verifyServing();
  assert.doesNotMatch(box.log, /unexpectedly/);
});
