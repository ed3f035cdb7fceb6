import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { otherResponders } from './other-responders.ts';

test('another program on port 5353 is told by name, this one is not', async (t) => {
  if (process.platform !== 'linux') return t.skip('who has a port is told by /proc, which is Linux’s');
  const open = `const socket = require('node:dgram').createSocket({ type: 'udp4', reuseAddr: true });
    socket.bind(5353, () => console.log('bound'));`;
  const before = otherResponders();
  const child = spawn(process.execPath, ['-e', open]);
  t.after(() => child.kill());
  await once(child.stdout, 'data');
  const name = 'node';
  assert.deepEqual(otherResponders(), [...new Set([...before, name])].sort());
  const box = spawn(process.execPath, ['-e', open, '--', '/anywhere/src/main.ts']);
  t.after(() => box.kill());
  await once(box.stdout, 'data');
  assert.ok(otherResponders().includes('another AetherStore box'));
});
