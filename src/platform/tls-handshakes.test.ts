import assert from 'node:assert/strict';
import { test } from 'node:test';
import { handshakesMax, handshakesPerAddressMax } from '../base/limits.ts';
import { Handshakes } from './tls-handshakes.ts';

function setUp() {
  const destroyed: string[] = [];
  const handshakes = new Handshakes<{ destroy(): void }>();
  const begin = (name: string, address: string) => {
    const socket = { destroy: () => destroyed.push(name) };
    handshakes.begin(socket, address);
    return socket;
  };
  return { destroyed, handshakes, begin };
}

test('one address has its places only, and loses its oldest handshake first', () => {
  const { destroyed, begin } = setUp();
  begin('other', '192.0.2.2');
  for (let index = 0; index < handshakesPerAddressMax + 2; index++) begin(`${index}`, '192.0.2.1');
  assert.deepEqual(destroyed, ['0', '1']);
});

test('many addresses together lose the oldest of all', () => {
  const { destroyed, begin } = setUp();
  for (let index = 0; index < handshakesMax + 2; index++) begin(`${index}`, `192.0.2.${index}`);
  assert.deepEqual(destroyed, ['0', '1']);
});

test('what has ended holds no place and is left alone', () => {
  const { destroyed, handshakes, begin } = setUp();
  for (let index = 0; index < 3 * handshakesMax; index++) handshakes.end(begin(`${index}`, '192.0.2.1'));
  assert.deepEqual(destroyed, []);
});
