import assert from 'node:assert/strict';
import { test } from 'node:test';
import { partOf } from './size.ts';

test('each file of a slot belongs to one part', () => {
  const expected = {
    'boot/Image.gz': 'kernel',
    'usr/lib/modules/6.12/kernel/fs/ext4/ext4.ko.xz': 'kernel modules',
    'usr/lib/aetherstore/bin/node': 'Node',
    'usr/lib/aetherstore/app/box.mjs': 'our program',
    'usr/lib/aetherstore/app/node_modules/lmdb/index.js': 'packages with native parts',
    'usr/lib/aarch64-linux-gnu/libc.so.6': "Debian's libraries",
    'usr/bin/rauc': "Debian's programs",
    'usr/bin/systemctl': 'systemd',
    'etc/fstab': 'the rest of Debian',
  };
  for (const [path, part] of Object.entries(expected)) assert.equal(partOf(path), part, path);
});
