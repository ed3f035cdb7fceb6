import assert from 'node:assert/strict';
import { closeSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { run } from '../stages/run.ts';
import { done, folderOf, inBox, LoopDisk, makeDisk, mebibyte, whyNoBoxRoot } from './testing/box-root.ts';

/** How root mounts and takes off the disks of a box (overlays/rootfs), run as it is, on disks that are files. */
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

test('the disk that answers last, while the answers are counted, is found', { skip }, (t) => {
  const folder = folderOf(t);
  makeAdopted(t, folder);
  const said = done(
    folder,
    `mkdir -p /run/aetherstore/mounts
     printf '#!/bin/sh\\ncase $1 in */all) sleep 2 ;; esac\\nexec /bin/cat "$@"\\n' >/usr/local/bin/cat
     printf '#!/bin/sh\\nsleep 1\\nexec /usr/sbin/blkid "$@"\\n' >/usr/local/bin/blkid
     chmod +x /usr/local/bin/cat /usr/local/bin/blkid
     $scripts/mount-disk ${label} >/dev/null
     grep -c ${label} /proc/mounts`,
  );
  assert.equal(said, '1');
});

/** In the place of `fsck.ext4` one that also notes in /run/checks how it was asked. */
const noteChecks = `
printf '#!/bin/sh\\necho "$1" >>/run/checks\\nexec /usr/sbin/fsck.ext4 "$@"\\n' >/usr/local/bin/fsck.ext4
chmod +x /usr/local/bin/fsck.ext4
mkdir -p /run/aetherstore/mounts
said=/run/aetherstore/not-mounted/${label}
try() { status=0; $scripts/mount-disk ${label} >/dev/null 2>&1 || status=$?; echo $status $(tail -n 1 $said 2>/dev/null); }
checks() { echo $(cat /run/checks); }`;

/** A disk without inodes in a group, and with nothing in the other places where that is said. */
function damagedDisk(t: TestContext) {
  const folder = folderOf(t);
  const disk = makeDisk(t, folder);
  run('mke2fs', ['-q', '-F', '-t', 'ext4', '-O', '^metadata_csum', '-b', '1024', '-L', label, disk.file]);
  const file = openSync(disk.file, 'r+');
  writeSync(file, new Uint8Array(4), 0, 4, 1024 + 40);
  writeSync(file, new Uint8Array(1024), 0, 1024, 8193 * 1024);
  closeSync(file);
  return { folder, device: disk.device, file: disk.file };
}

const notMended = '65 its file system has errors that are not mended by themselves';

test('a disk that is not mended by itself is checked once, says why, and is tried again when it is plugged in anew', {
  skip,
}, (t) => {
  const { folder, device, file } = damagedDisk(t);
  const said = done(
    folder,
    `${noteChecks}
     try; try; checks
     stat -c '%U %a' $said
     losetup --detach /dev/${device}; losetup /dev/${device} ${file}
     try; checks
     mke2fs -q -F -t ext4 -L ${label} /dev/${device}
     try
     losetup --detach /dev/${device}; losetup /dev/${device} ${file}
     try; ls $said 2>/dev/null || echo forgotten`,
  );
  const [again, whole] = ['-p -p', '0'];
  assert.deepEqual(said.split('\n'), [
    ...[notMended, notMended, '-p', 'root 644'],
    ...[notMended, again, notMended, whole, 'forgotten'],
  ]);
});

test('the reason why a disk cannot be mounted is gone with the disk', { skip }, (t) => {
  const { folder, device, file } = damagedDisk(t);
  const said = done(
    folder,
    `${noteChecks}\ntry\nlosetup --detach /dev/${device}\ntry\nlosetup /dev/${device} ${file}`,
  );
  assert.deepEqual(said.split('\n'), [notMended, '66']);
});

test('a disk that the system refuses to mount says so, and one that is being checked is not checked twice', {
  skip,
}, (t) => {
  const folder = folderOf(t);
  makeAdopted(t, folder);
  const said = done(
    folder,
    `${noteChecks}
     mkdir -p /run/aetherstore/not-mounted
     exec 8>$said.lock; flock 8; try; exec 8>&-
     printf '#!/bin/sh\\nexit 32\\n' >/usr/local/bin/mount && chmod +x /usr/local/bin/mount
     try; try; checks`,
  );
  const refused = '65 the system does not take its file system';
  assert.deepEqual(said.split('\n'), ['75', refused, refused, '-p']);
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
