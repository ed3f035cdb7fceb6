import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, truncateSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { temporaryFolder } from '../lan/temporary-folder.ts';
import { assertTold, runRefusedBox, stopAtEnd, WholeBox } from './whole-boxes.ts';

const folder = temporaryFolder('badstart');
stopAtEnd();

function boxFolder(name: string, files: Readonly<Record<string, string>> = {}): string {
  mkdirSync(join(folder, name, 'state'), { recursive: true });
  for (const [path, text] of Object.entries(files)) writeFileSync(join(folder, name, path), text);
  return join(folder, name);
}

test('a config file with an unknown key: the box says which, and which it may have meant', async () => {
  const told = await runRefusedBox(boxFolder('unknown-key', { 'box.json': '{"limitGib": 1}' }));
  assertTold(told, 'CONFIG_UNKNOWN_KEY', 2, /Known keys: name, listen, volumes/);
  const nested = '{"volumes": [{"path": "disk", "limitGib": 1}]}';
  const inside = await runRefusedBox(boxFolder('unknown-key', { 'box.json': nested }));
  assertTold(inside, 'CONFIG_UNKNOWN_KEY', 2, /Known keys: path, limitGiB/);
  assert.match(inside.message, /volumes\[0\].*did you mean "limitGiB"/);
});

test('a config file that is not JSON, has a wrong value, or is a folder', async () => {
  const cut = await runRefusedBox(boxFolder('cut', { 'box.json': '{"name": "a' }));
  assertTold(cut, 'CONFIG_INVALID', 2, /Correct box\.json/);
  const wrong = await runRefusedBox(boxFolder('wrong', { 'box.json': '{"listen": {"port": 70000}}' }));
  assertTold(wrong, 'CONFIG_INVALID', 2, /0 to 65535/);
  mkdirSync(join(boxFolder('folder'), 'box.json'));
  assertTold(await runRefusedBox(boxFolder('folder')), 'DISK_DENIED', 1, /permissions/);
});

test('options that make no sense end the box with what to type', async () => {
  const wrong: readonly (readonly string[])[] = [
    ['--listen', '127.0.0.1:1:1'],
    ['--listen', '127.0.0.1:70000'],
    ['--console', 'serial'],
    ['--volumes', 'x'],
    ['left-over'],
  ];
  const refused = await Promise.all(
    wrong.map((words, index) => runRefusedBox(boxFolder(`options-${index}`), words)),
  );
  for (const told of refused) assertTold(told, 'USAGE', 2, /--help/);
  const named = await runRefusedBox(boxFolder('options'), ['--name', 'x\u001b[31m']);
  assertTold(named, 'CONFIG_INVALID', 2, /--name/);
});

test('a second box on the same folder is refused, and the first goes on', async () => {
  const box = await WholeBox.start(boxFolder('twice'));
  assertTold(await runRefusedBox(box.folder), 'ALREADY_RUNNING', 1, /--dir/);
  assert.ok(box.program.running);
  await box.stop();
});

test('a disk that another box stores on is told, and not written to', async () => {
  const box = await WholeBox.start(boxFolder('owner'));
  const disk = join(box.folder, 'disk1');
  const other = await WholeBox.start(boxFolder('other'), ['--volume', disk, '--volume', boxFolder('own')]);
  assert.match(other.log, /volume cannot be opened .*DISK_IN_USE/);
  await other.stop();
  await box.stop();
});

test('a port that is in use ends the box with another one as advice', async (t) => {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  t.after(() => server.close());
  const { port } = server.address() as { port: number };
  const told = await runRefusedBox(boxFolder('port'), ['--listen', `127.0.0.1:${port}`]);
  assertTold(told, 'LINK_ADDRESS_IN_USE', 1, /--listen/);
});

test('a state folder that cannot be written', async (t) => {
  const denied = join(folder, 'denied');
  mkdirSync(denied, { mode: 0o555 });
  chmodSync(folder, 0o755);
  if (process.getuid?.() !== 0) {
    assertTold(await runRefusedBox(denied), 'DISK_DENIED', 1, /permissions/);
    return;
  }
  const asNobody = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'];
  const probe = spawnSync(asNobody[0]!, [...asNobody.slice(1), process.execPath, '--version']);
  if (probe.status !== 0) return t.skip('root writes everywhere, and setpriv cannot be somebody else here');
  assertTold(await runRefusedBox(denied, [], asNobody), 'DISK_DENIED', 1, /permissions/);
});

test('a folder that is a file', async () => {
  const path = join(folder, 'a-file');
  writeFileSync(path, '');
  assertTold(await runRefusedBox(path), 'DISK_NOT_FOUND', 1, /path is right/);
});

test('a disk folder that is missing is told, and is not made on the disk below', async () => {
  const missing = join(folder, 'not', 'mounted');
  const box = await WholeBox.start(boxFolder('missing-disk'), ['--volume', missing]);
  assert.match(box.log, /volume cannot be opened .*DISK_NOT_FOUND/);
  await box.stop();
  assert.equal(existsSync(join(folder, 'not')), false);
});

test('a truncated identity.cbor is never replaced by itself', async () => {
  const box = await WholeBox.start(boxFolder('identity'));
  await box.stop();
  truncateSync(join(box.folder, 'state', 'identity.cbor'), 100);
  assertTold(await runRefusedBox(box.folder), 'IDENTITY_CORRUPT', 1, /Put identity\.cbor back from a copy/);
  assertTold(await runRefusedBox(box.folder), 'IDENTITY_CORRUPT', 1, /enrolled as a new one/);
});
