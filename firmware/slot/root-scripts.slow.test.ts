import assert from 'node:assert/strict';
import { test } from 'node:test';
import { contentOf } from '../../src/platform/linux/linux-disk-shelf.ts';
import { run } from '../stages/run.ts';
import { done, folderOf, inBox, makeDisk, mebibyte, startOfABox, whyNoBoxRoot } from './testing/box-root.ts';

/*
 * What root does on a box for a program that may have been taken over (docs/threat-model.md): the scripts of
 * overlays/rootfs, run as they are, on disks that are files.
 */
const skip = whyNoBoxRoot() ?? false;
const label = 'aether-0abc12';

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
    `head -c 8M /dev/urandom >/tmp/env
     truncate -s 12M /tmp/env
     before=$(head -c 8M /tmp/env | cksum)
     export ENVIRONMENT_DEVICE=/tmp/env
     $scripts/note-data
     $scripts/note-data known && echo known || echo new
     mkdir -p /data/aetherstore/state
     touch /data/aetherstore/state/identity.cbor
     $scripts/note-data
     $scripts/note-data known && echo known
     [ "$(head -c 8M /tmp/env | cksum)" = "$before" ] && stat -c %s /tmp/env
     rm /tmp/env`,
  );
  assert.deepEqual(said.split('\n'), ['new', 'known', '12582912']);
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

const installScripts = `mkdir -p /usr/lib/aetherstore
  cp $scripts/* /usr/lib/aetherstore/`;
/** A start of which a step fails: what the first program leaves is not there. */
const failingStart = `${startOfABox}
  ${installScripts}
  rm /run/identity.json`;

test('a start of which a step fails goes into safe mode, which says so and knows its board', {
  skip,
}, (t) => {
  const said = done(
    folderOf(t),
    `${failingStart}
     /usr/lib/aetherstore/prepare 2>/dev/null
     cat /run/aetherstore/safe.env
     readlink /run/aetherstore/board
     cat /run/asked`,
  );
  assert.match(said, /^REASON="its start could not be prepared"$/m);
  assert.match(said, /^\/usr\/share\/aetherstore\/board\/rpi$/m);
  assert.match(said, /start aetherstore-safe.service/);
});

for (const [what, start] of [
  ['of which a step fails', failingStart],
  ['without a data partition', installScripts],
] as const) {
  test(`a start ${what} gives a new version up, where it can`, { skip }, (t) => {
    const said = done(
      folderOf(t),
      `${start}
       printf '#!/bin/sh\\n' >/usr/lib/aetherstore/give-up-slot
       printf '#!/bin/sh\\necho waited\\n' >/usr/local/bin/sleep
       chmod 755 /usr/local/bin/sleep
       /usr/lib/aetherstore/prepare 2>/dev/null || echo "status $?"
       ls /run/aetherstore/safe.env 2>/dev/null || true`,
    );
    assert.deepEqual(said.split('\n'), ['waited', 'status 1']);
  });
}

for (const [what, status, why] of [
  ['a program that failed', 1, 'its program failed five times'],
  ['a start that was not prepared', 0, 'its start could not be prepared'],
] as const) {
  test(`after ${what} the box goes into safe mode, which says so`, { skip }, (t) => {
    const said = done(
      folderOf(t),
      `${startOfABox}
       ${installScripts}
       printf '#!/bin/sh\\n[ "$2" != is-failed ] || exit ${status}\\n' >/usr/local/bin/systemctl
       printf '#!/bin/sh\\n' >/usr/local/bin/journalctl
       chmod 755 /usr/local/bin/journalctl
       /usr/lib/aetherstore/after-crashes
       cat /run/aetherstore/safe.env`,
    );
    assert.equal(said.split('\n')[0], `REASON="${why}"`);
  });
}

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
       truncate -s 12M /tmp/env
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
     mkdir -p /data/aetherstore/updates /data/rauc
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
