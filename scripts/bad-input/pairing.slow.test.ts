import assert from 'node:assert/strict';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { encodeCbor } from '../../src/base/cbor.ts';
import { NodeClock } from '../../src/platform/node-clock.ts';
import { NodeDisk } from '../../src/platform/node-disk.ts';
import { nodeEntropy } from '../../src/platform/node-entropy.ts';
import { loadPoolSecrets } from '../../src/pool/authority.ts';
import { loadOrCreateIdentity } from '../../src/pool/identity.ts';
import { encodeHello } from '../../src/pool/transfer/hello.ts';
import { methodDescriptions, methods } from '../../src/pool/transfer/methods.ts';
import { Aether } from '../lan/box-process.ts';
import { thisMachine } from '../lan/processes.ts';
import { RawLink } from './raw-link.ts';
import { assertTold, stopAtEnd, WholeBox, WholePool } from './whole-boxes.ts';

let pool: WholePool;

before(async () => {
  pool = await WholePool.start('badpairing', 1);
  await pool.keep();
});

stopAtEnd(() => pool);

/** A code of the right form that is not `code`. */
function wrongCode(code: string): string {
  return (code[0] === '7' ? '8' : '7') + code.slice(1);
}

async function claimBy(home: string, box: WholeBox, code: string) {
  const { exitCode, stdout } = await new Aether(thisMachine, join(pool.folder, home)).run(
    ['claim', box.address, '--code', code, '--json'],
    { mayFail: true },
  );
  const last = JSON.parse(stdout.trimEnd().split('\n').at(-1)!) as Record<string, unknown>;
  return { exitCode, code: String(last.error), message: String(last.message), help: String(last.help) };
}

test('a wrong claim code: five tries, then locked, also after a restart, and the code is another one', async () => {
  const folder = join(pool.folder, 'unclaimed');
  const box = await WholeBox.start(folder);
  const code = box.ready.claimCode!;
  assertTold(await claimBy('guest', box, 'no code'), 'PAIRING_CODE_INVALID', 2, /8 letters and digits/);
  for (let attempt = 0; attempt < 4; attempt++) {
    const told = await claimBy('guest', box, wrongCode(code));
    assertTold(told, 'PAIRING_CODE_WRONG', 6, /console of this very box/);
  }
  assertTold(await claimBy('guest', box, wrongCode(code)), 'PAIRING_LOCKED', 6, /new code/);
  assertTold(await claimBy('guest', box, code), 'PAIRING_LOCKED', 6, /Wait/);
  await box.kill();
  const again = await WholeBox.start(folder);
  assert.notEqual(again.ready.claimCode, code);
  assertTold(await claimBy('guest', again, code), 'PAIRING_LOCKED', 6, /Wait/);
  if (again.ready.claimCode !== null) {
    assertTold(await claimBy('guest', again, again.ready.claimCode), 'PAIRING_LOCKED', 6, /Wait/);
  }
  await again.stop();
  await pool.verifyServing();
});

test('a box that belongs to somebody is not claimed, nor entered without a code', async () => {
  const [box] = pool.boxes;
  assertTold(await claimBy('guest2', box!, '7777-7777'), 'ALREADY_CLAIMED', 6, /aether login/);
  const guest = new Aether(thisMachine, join(pool.folder, 'guest2'));
  const { stdout, exitCode } = await guest.run(['login', box!.address, '--code', '7777-7777', '--json'], {
    mayFail: true,
  });
  assert.match(stdout, /"error":"PAIRING_NO_CODE".*console/);
  assert.equal(exitCode, 6);
  await pool.verifyServing();
});

test("a foreign pool's desktop and box, trying everything: refused by name, and nothing is touched", async (t) => {
  const foreign = await WholePool.start('foreignpool', 1);
  t.after(() => foreign.stop());
  await foreign.keep();
  const ports = { clock: new NodeClock(), entropy: nodeEntropy };
  const secrets = await loadPoolSecrets(new NodeDisk(foreign.homePath));
  const foreignBox = foreign.boxes[0]!;
  await foreignBox.stop();
  const stateOfBox = new NodeDisk(join(foreignBox.folder, 'state'));
  for (const [role, disk] of [
    ['desktop', new NodeDisk(foreign.homePath)],
    ['box', stateOfBox],
  ] as const) {
    const link = await RawLink.open(pool.boxes[0]!.ready, await loadOrCreateIdentity(disk, ports));
    const hello = { role, name: 'foreign', pool: secrets!.pool, state: 'member', port: 4000 };
    assert.equal(await link.ask(methods.hello, encodeHello(hello)), 'answered');
    for (const [method, { caller, payloadBytesMax }] of methodDescriptions) {
      if (caller === 'anyone') continue;
      const payload = encodeCbor({ path: [], after: null, limit: null }).subarray(0, payloadBytesMax);
      assert.equal(await link.ask(method, payload), 'FOREIGN_POOL');
    }
    await link.close();
  }
  await foreign.restart(0);
  await foreign.verifyServing();
  await pool.verifyServing();
});

test('another box answers at an address that this desktop knows: it is not spoken to', async () => {
  const known = pool.boxes[0]!;
  await known.stop();
  const impostor = await WholeBox.start(join(pool.folder, 'impostor'), ['--listen', `:${known.ready.port}`]);
  assertTold(await pool.refused(['ls', '/']), 'POOL_UNREACHABLE', 5, /aether scan/);
  await impostor.stop();
  await pool.restart(0);
  await pool.verifyServing();
});
