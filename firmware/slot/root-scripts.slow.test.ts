import assert from 'node:assert/strict';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { contentOf } from '../../src/platform/linux/linux-disk-shelf.ts';
import { run } from '../stages/run.ts';
import {
  done,
  folderOf,
  inBox,
  LoopDisk,
  makeDisk,
  mebibyte,
  startOfABox,
  whyNoBoxRoot,
} from './testing/box-root.ts';

/*
 * What root does on a box for a program that may have been taken over (docs/threat-model.md): the scripts of
 * overlays/rootfs, run as they are, on disks that are files.
 */
const skip = whyNoBoxRoot() ?? false;
const label = 'aether-0abc12';
const emptyFormatted = ['mke2fs', '-q', '-t', 'ext4', '-m', '0', '-L', label] as const;

/** A disk of the box's. */
function makeAdopted(t: TestContext, folder: string): LoopDisk {
  const disk = makeDisk(t, folder);
  run(emptyFormatted[0], [...emptyFormatted.slice(1), disk.file]);
  disk.device;
  return disk;
}

test('a disk is mounted below a folder of root’s, once, and is the box’s inside', { skip }, (t) => {
  const folder = folderOf(t);
  makeAdopted(t, folder);
  const said = done(
    folder,
    `mkdir -p /run/aetherstore/mounts
     $scripts/mount-disk ${label} >/dev/null
     stat -c %U /run/aetherstore/mounts /run/aetherstore/mounts/${label}
     $scripts/mount-disk ${label}
     grep -o 'errors=remount-ro' /proc/mounts
     $scripts/unmount-disk ${label}
     grep -c ${label} /proc/mounts || true`,
  );
  assert.deepEqual(said.split('\n'), ['root', 'aetherstore', 'errors=remount-ro', '0']);
});

test('a disk that is gone is taken off though something is open on it; one that is there is not', {
  skip,
}, (t) => {
  const folder = folderOf(t);
  makeAdopted(t, folder);
  const said = done(
    folder,
    `place=/run/aetherstore/mounts/${label}
     mkdir -p $place
     device=$(blkid -c /dev/null -L ${label})
     mknod /dev/pulled b $(stat -c '0x%t 0x%T' $device)
     trap 'rm -f /dev/pulled' EXIT
     mount -t ext4 /dev/pulled $place
     exec 9<$place
     $scripts/unmount-disk ${label} 2>/dev/null || true
     grep -c ${label} /proc/mounts
     rm /dev/pulled
     $scripts/unmount-disk ${label} 2>/dev/null
     grep -c ${label} /proc/mounts || true`,
  );
  assert.deepEqual(said.split('\n'), ['1', '0']);
});

test('a disk that does not answer keeps no other one from being mounted', { skip }, (t) => {
  const folder = folderOf(t);
  makeAdopted(t, folder);
  const hanging = new LoopDisk(t, join(folder, 'hanging'), 16 * mebibyte);
  const said = done(
    folder,
    `mkdir -p /run/aetherstore/mounts /run/tools
     printf '#!/bin/sh\\nfor each; do :; done\\n[ "$each" != /dev/${hanging.device} ] || exec sleep 8\\nexec /usr/sbin/blkid "$@"\\n' >/run/tools/blkid
     chmod +x /run/tools/blkid
     PATH=/run/tools:$PATH
     $scripts/mount-disk ${label} >/dev/null
     $scripts/unmount-disk ${label}
     status=0
     $scripts/mount-disk aether-ffffff 2>/dev/null || status=$?
     echo $status
     ls -d /run/aetherstore/labels.* 2>/dev/null || echo tidy`,
  );
  assert.deepEqual(said.split('\n'), ['66', 'tidy']);
});

test('a link in the place of a disk’s folder is not followed', { skip }, (t) => {
  const folder = folderOf(t);
  makeAdopted(t, folder);
  const { status, stdout } = inBox(
    folder,
    `mkdir -p /run/aetherstore/mounts /run/systemd/system
     ln -s /run/systemd/system /run/aetherstore/mounts/${label}
     $scripts/mount-disk ${label} && exit 99
     grep -c /run/systemd/system /proc/mounts || true
     stat -c %U /run/systemd/system`,
  );
  assert.equal(status, 0);
  assert.deepEqual(stdout.trim().split('\n'), ['0', 'root']);
});

test('a blank disk is formatted for the box’s user', { skip }, (t) => {
  const folder = folderOf(t);
  const { device, file } = makeDisk(t, folder);
  done(folder, `$scripts/format-blank-disk ${device}:${label}`);
  assert.equal(run('blkid', ['-p', '-o', 'value', '-s', 'LABEL', file]).trim(), label);
  const { status, stderr } = inBox(folder, `$scripts/format-blank-disk ${device}:${label}`);
  assert.equal(status, 65, stderr);
  assert.match(stderr, /not blank/);
});

for (const [where, offset] of [
  ['nowhere', 0],
  ['at its beginning only', 8 * mebibyte],
] as const) {
  test(`a disk that can be read ${where} is not blank, whatever blkid says`, { skip }, async (t) => {
    const folder = folderOf(t);
    const disk = makeDisk(t, folder);
    const { device } = disk;
    const seen = { device, partitions: [], sizeBytes: disk.bytes };
    assert.equal(await contentOf(seen), null);
    disk.breakFrom(offset);
    assert.equal(await contentOf(seen), undefined);
    const { status, stderr } = inBox(folder, `$scripts/format-blank-disk ${device}:${label}`);
    assert.equal(status, 74, stderr);
    assert.match(stderr, /cannot be read/);
  });
}

test('what a program puts in the place of its folders is not given to it when the box starts', {
  skip,
}, (t) => {
  const said = done(
    folderOf(t),
    `${startOfABox}
     ln -s /run/systemd/system /data/aetherstore/updates
     $scripts/prepare
     stat -c '%U %a' /run/systemd/system /run/aetherstore/mounts`,
  );
  assert.deepEqual(said.split('\n'), ['root 755', 'root 755']);
});

test('safe mode makes no file where a link of the program leads', { skip }, (t) => {
  const said = done(
    folderOf(t),
    `${startOfABox}
     mkdir -p /run/aetherstore
     ln -s /run/systemd/system/bad.service /data/aetherstore/.writable
     $scripts/enter-safe-mode 'a test'
     ls /run/systemd/system
     cat /run/aetherstore/safe.env
     cat /run/asked`,
  );
  assert.deepEqual(said.split('\n'), [
    'REASON="a test"',
    'FOLDER=/run/aetherstore/safe',
    '/usr/local/bin/systemctl --no-block start aetherstore-safe.service',
  ]);
});

test('in safe mode the folder of a program that was taken over is not mounted over again', { skip }, (t) => {
  const said = done(
    folderOf(t),
    `mkdir -p /run/aetherstore
     $scripts/enter-safe-mode 'a test'
     rmdir /run/aetherstore/safe/updates
     ln -s /run/systemd/system /run/aetherstore/safe/updates
     mkdir -p /run/systemd/system
     $scripts/enter-safe-mode 'a test' 2>/dev/null || true
     stat -c %U /run/systemd/system
     grep -c /run/aetherstore/safe /proc/mounts`,
  );
  assert.deepEqual(said.split('\n'), ['root', '1']);
});

for (const [what, before] of [
  ['has its folders', 'mkdir /data/rauc'],
  ['was never written to', ':'],
] as const) {
  test(`on a card that takes no more writing and ${what} RAUC has room for its notes`, { skip }, (t) => {
    const said = done(
      folderOf(t),
      `${startOfABox}
       mkdir -p /run/aetherstore
       ${before}
       mount -o remount,ro /data
       $scripts/enter-safe-mode 'its card takes no more writing'
       touch /data/rauc/central.raucs
       sed -n 's/FOLDER=//p' /run/aetherstore/safe.env
       stat -c '%U %a' /run/aetherstore/safe/updates`,
    );
    assert.deepEqual(said.split('\n'), ['/run/aetherstore/safe', 'aetherstore 755']);
  });
}

test('that data were here is noted once, and beside what the boot loader keeps', { skip }, (t) => {
  const folder = folderOf(t);
  const said = done(
    folder,
    `head -c 65536 /dev/urandom >/tmp/env
     before=$(head -c 16384 /tmp/env | cksum)
     export ENVIRONMENT_DEVICE=/tmp/env
     $scripts/note-data
     $scripts/note-data known && echo known || echo new
     mkdir -p /data/aetherstore/state
     touch /data/aetherstore/state/identity.cbor
     $scripts/note-data
     $scripts/note-data known && echo known
     [ "$(head -c 16384 /tmp/env | cksum)" = "$before" ] && stat -c %s /tmp/env
     rm /tmp/env`,
  );
  assert.deepEqual(said.split('\n'), ['new', 'known', '65536']);
});

test('a start with a card that takes no more writing goes into safe mode, which says so', { skip }, (t) => {
  const said = done(
    folderOf(t),
    `mkdir -p /usr/lib/aetherstore
     cp $scripts/* /usr/lib/aetherstore/
     mount -t tmpfs -o ro,mode=755 data /data
     /usr/lib/aetherstore/prepare 2>/dev/null
     cat /run/aetherstore/safe.env
     cat /run/asked`,
  );
  assert.match(said, /^REASON="its card takes no more writing"$/m);
  assert.match(said, /start aetherstore-safe.service/);
});

for (const [what, before, awaited] of [
  ['that has lost the box’s key goes into safe mode', 'touch /run/data-repaired', 'safe'],
  ['that was not repaired is one that a person had forget it', ':', 'new'],
  [
    'that has the box’s key still starts',
    'touch /run/data-repaired data/aetherstore/state/identity.cbor',
    'new',
  ],
] as const) {
  test(`a start with data ${what}`, { skip }, (t) => {
    const said = done(
      folderOf(t),
      `${startOfABox}
       mkdir -p /usr/lib/aetherstore /data/aetherstore/state
       cp $scripts/* /usr/lib/aetherstore/
       head -c 65536 /dev/zero >/tmp/env
       export ENVIRONMENT_DEVICE=/tmp/env
       touch /data/aetherstore/state/identity.cbor
       $scripts/note-data
       rm /data/aetherstore/state/identity.cbor
       cd /
       ${before}
       /usr/lib/aetherstore/prepare
       rm /tmp/env
       cat /run/aetherstore/safe.env 2>/dev/null || true`,
    );
    assert.equal(/lost what this box remembered/.test(said) ? 'safe' : 'new', awaited, said);
  });
}

test('room for an update is kept where there is enough of it, once, and belongs to the box', {
  skip,
}, (t) => {
  const folder = folderOf(t);
  const large = makeDisk(t, folder, 1024 * mebibyte);
  run('mke2fs', ['-q', '-t', 'ext4', large.file]);
  const said = done(
    folder,
    `mount -t tmpfs -o size=600m data /data
     $scripts/keep-reserve /data
     ls /data
     umount /data
     mount -t tmpfs -o size=200m,uid=800 data /data
     touch /data/reserve.kept && chown aetherstore: /data/reserve.kept
     $scripts/keep-reserve /data
     stat -c %s /data/reserve
     umount /data
     mount -t ext4 /dev/${large.device} /data
     chown aetherstore:aetherstore /data
     $scripts/keep-reserve /data
     truncate -s 1M /data/reserve
     $scripts/keep-reserve /data
     stat -c '%U %s' /data/reserve`,
  );
  assert.deepEqual(said.split('\n'), [String(160 * mebibyte), `aetherstore ${160 * mebibyte}`]);
});

test('safe mode on a card without room gives up what was kept, and then writes in memory', { skip }, (t) => {
  const folder = folderOf(t);
  const said = done(
    folder,
    `mount -t tmpfs -o size=4m,mode=755 data /data
     mkdir -p /data/aetherstore/updates /data/rauc /run/aetherstore
     head -c 1M /dev/zero >/data/aetherstore/updates/reserve
     chown -R aetherstore:aetherstore /data/aetherstore
     cat /dev/zero >/data/fill 2>/dev/null || true
     for each in 1 2; do
       $scripts/enter-safe-mode 'a test'
       sed -n 's/FOLDER=//p' /run/aetherstore/safe.env
       cat /dev/zero >>/data/fill 2>/dev/null || true
     done
     ls /data/aetherstore/updates`,
  );
  assert.deepEqual(said.split('\n'), ['/data/aetherstore', '/run/aetherstore/safe']);
});
