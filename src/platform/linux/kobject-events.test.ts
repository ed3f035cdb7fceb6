import assert from 'node:assert/strict';
import { test } from 'node:test';
import { utf8 } from '../../base/bytes.ts';
import { isBlockDevice } from './kobject-events.ts';

function notice(action: string, path: string, fields: Readonly<Record<string, string>>) {
  const words = [`${action}@${path}`, ...Object.entries(fields).map(([key, value]) => `${key}=${value}`)];
  return utf8(words.map((word) => `${word}\0`).join(''));
}

test('notices of block devices are told from all others', () => {
  const disk = { ACTION: 'remove', SUBSYSTEM: 'block', DEVNAME: 'sda', DEVTYPE: 'disk', SEQNUM: '4711' };
  assert.equal(isBlockDevice(notice('remove', '/devices/pci0000:00/usb1/1-1/host0/block/sda', disk)), true);
  const usb = { ACTION: 'add', SUBSYSTEM: 'usb', DEVTYPE: 'usb_device' };
  assert.equal(isBlockDevice(notice('add', '/devices/usb1/1-1', usb)), false);
  // A path may have the word in it.
  assert.equal(isBlockDevice(notice('add', '/devices/SUBSYSTEM=block/x', { SUBSYSTEM: 'net' })), false);
  assert.equal(isBlockDevice(new Uint8Array(0)), false);
});

test('udev says the same after a header of its own', () => {
  const said = (subsystem: string) => {
    const header = Buffer.alloc(40, 0xff);
    header.write('libudev\0', 'latin1');
    header.writeUInt32LE(40, 16);
    return Buffer.concat([header, utf8(`SUBSYSTEM=${subsystem}\0ACTION=add\0`)]);
  };
  assert.equal(isBlockDevice(said('block')), true);
  assert.equal(isBlockDevice(said('usb')), false);
  assert.equal(isBlockDevice(said('block').subarray(0, 20)), false);
});
