import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { serviceManager } from './service-manager.ts';

/** Listens as systemd does, and prints each datagram on a line; its own first line says that it listens. */
const listener = `
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1].replace('@', '\\0', 1))
print('listening', flush=True)
while True: print(repr(s.recv(4096).decode()), flush=True)
`;

for (const kind of ['a path', 'an abstract name'] as const) {
  test(`what is told reaches the service manager at ${kind}`, async (t) => {
    if (process.platform !== 'linux') return t.skip('sd_notify is of Linux');
    if (spawnSync('python3', ['--version']).status !== 0) return t.skip('python3 is not here');
    const folder = mkdtempSync(join(tmpdir(), 'aether-notify-'));
    const socket = kind === 'a path' ? join(folder, 'notify') : `@${folder}`;
    const child = spawn('python3', ['-c', listener, socket], { stdio: ['ignore', 'pipe', 'inherit'] });
    t.after(() => {
      child.kill();
      rmSync(folder, { recursive: true });
    });
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    await lines.next();
    const manager = serviceManager({ NOTIFY_SOCKET: socket, WATCHDOG_USEC: '30000000' });
    assert.equal(manager?.watchdogMs, 30_000);
    manager?.tell('READY=1\nSTATUS=All is well');
    const { value } = await lines.next();
    assert.equal(value, String.raw`'READY=1\nSTATUS=All is well'`);
  });
}

test('where nobody asks, nobody is told', () => {
  assert.equal(serviceManager({}), undefined);
  assert.equal(serviceManager({ NOTIFY_SOCKET: `/${'x'.repeat(200)}` }), undefined);
});
