import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { run } from '../stages/run.ts';
import {
  done,
  folderOf,
  inBox,
  type LoopDisk,
  makeDisk,
  mebibyte,
  startOfABox,
  whyNoBoxRoot,
} from './testing/box-root.ts';

/* The script that copies an update from a memory stick, run as it is, on sticks that are files. */
const skip = whyNoBoxRoot() ?? false;
const sticks = '/data/aetherstore/updates/sticks';

/** A stick with these files in its folder `aetherstore`, whose journal says that it was pulled while in use. */
function makeStick(
  t: TestContext,
  folder: string,
  files: Readonly<Record<string, string | Buffer>>,
  /** Files that end with nothing, up to so many bytes. */
  lengths: Readonly<Record<string, number>> = {},
): LoopDisk {
  const content = join(folder, 'content');
  mkdirSync(join(content, 'aetherstore'), { recursive: true });
  for (const [name, text] of Object.entries(files))
    writeFileSync(join(content, 'aetherstore', name), text, { mode: 0o600 });
  for (const [name, bytes] of Object.entries(lengths))
    truncateSync(join(content, 'aetherstore', name), bytes);
  run('chown', ['-R', '1234:1234', content]);
  const stick = makeDisk(t, folder);
  run('mke2fs', ['-q', '-t', 'ext4', '-d', content, stick.file]);
  run('debugfs', ['-w', '-R', 'feature needs_recovery', stick.file]);
  return stick;
}

test('the newest bundle of a stick is copied as the box’s user, and the stick stays as it was', {
  skip,
}, (t) => {
  const folder = folderOf(t);
  const stick = makeStick(t, folder, { 'a-0.9.0.raucb': 'older', 'a-0.10.0.raucb': 'newer', 'a.txt': '' });
  const digest = () => createHash('sha256').update(readFileSync(stick.file)).digest('hex');
  const before = digest();
  const bundle = `${sticks}/${stick.device}.raucb`;
  const said = done(
    folder,
    `${startOfABox}
     mkdir -p /run/aetherstore
     $scripts/fetch-from-stick ${stick.device}
     stat -c '%U %a' ${bundle}
     ls ${sticks} /run/aetherstore
     cat ${bundle}`,
  );
  assert.deepEqual(said.split('\n'), [
    'aetherstore 600',
    `${sticks}:`,
    `${stick.device}.raucb`,
    '',
    '/run/aetherstore:',
    'newer',
  ]);
  run('sync', []);
  assert.equal(digest(), before);
});

test('a version that runs, as its name says, is not copied again and again, but in safe mode', {
  skip,
}, (t) => {
  const folder = folderOf(t);
  const fetched = (name: string, before = ':') => {
    const stick = makeStick(t, folderOf(t), { [name]: 'a bundle' });
    return done(
      folder,
      `${startOfABox}
       mkdir -p /run/aetherstore /usr/share/aetherstore
       echo '{"version":"0.9.0+dev","development":true}' >/usr/share/aetherstore/release.json
       ${before}
       $scripts/fetch-from-stick ${stick.device}
       ls /data/aetherstore/updates/sticks 2>/dev/null || true`,
    ).replace(stick.device, 'copied');
  };
  assert.equal(fetched('aetherstore-0.9.0+dev.raucb'), 'the version on it runs already');
  assert.equal(fetched('aetherstore-0.9.0.raucb'), 'copied.raucb');
  assert.equal(fetched('update.raucb'), 'copied.raucb');
  const safe = 'echo FOLDER=/data/aetherstore >/run/aetherstore/safe.env';
  assert.equal(fetched('aetherstore-0.9.0+dev.raucb', safe), 'copied.raucb');
});

test('a link in the place of a stick’s copy leads root nowhere', { skip }, (t) => {
  const folder = folderOf(t);
  const stick = makeStick(t, folder, { 'a-0.9.0.raucb': 'bad' });
  const { status, stdout } = inBox(
    folder,
    `${startOfABox}
     mkdir -p /run/aetherstore ${sticks}
     echo good >/run/systemd/system/a.service
     ln -s /run/systemd/system/a.service ${sticks}/${stick.device}.part
     chown -hR aetherstore:aetherstore /data/aetherstore/updates
     $scripts/fetch-from-stick ${stick.device} 2>/dev/null || true
     cat /run/systemd/system/a.service
     stat -c %U /run/systemd/system/a.service
     grep -c stick- /proc/mounts || true`,
  );
  assert.equal(status, 0);
  assert.deepEqual(stdout.trim().split('\n'), ['good', 'root', '0']);
});

/** What the box is told of a stick, and what else lies in its folder for sticks, when `room` is free on its card. */
function told(folder: string, { device }: LoopDisk, room: string, before = ':'): readonly string[] {
  return done(
    folder,
    `${startOfABox}
     mount -o remount,size=${room} /data
     mkdir -p /run/aetherstore
     ${before}
     $scripts/fetch-from-stick ${device} 2>/dev/null || true
     cat ${sticks}/${device}.problem || true
     ls ${sticks}
     grep -c stick- /proc/mounts || true
     ls /run/aetherstore`,
  ).split('\n');
}

test('a stick fills no card: what is kept free stays free, and the box is told', { skip }, (t) => {
  const folder = folderOf(t);
  const stick = makeStick(t, folder, { 'a-0.9.0.raucb': Buffer.alloc(2 * mebibyte) });
  assert.deepEqual(told(folder, stick, '17m'), [
    'the card of this box has no room for the update on it',
    `${stick.device}.problem`,
    '0',
  ]);
});

test('the room that is kept for an update, or taken by what only other boxes need, is there for the one on a stick, if it is enough', {
  skip,
}, (t) => {
  const folder = folderOf(t);
  const stick = makeStick(t, folder, { 'a-0.9.0.raucb': Buffer.alloc(2 * mebibyte) });
  const reserve = (size: string, name = 'reserve', more = ':') => `mkdir -p ${sticks}
     fallocate -l ${size} ${sticks}/../${name}
     ${more}
     chown -R aetherstore:aetherstore /data/aetherstore`;
  assert.deepEqual(told(folder, stick, '20m', reserve('3m')).slice(0, 1), [`${stick.device}.raucb`]);
  const taken = told(folder, stick, '20m', reserve('3m', 'bundle.raucb'));
  assert.deepEqual(taken.slice(0, 1), [`${stick.device}.raucb`]);
  for (const before of [
    reserve('512k'),
    // Both are needed, and one waits to be installed.
    reserve('3m', 'bundle.raucb', `echo '{"v":1,"phase":"staged"}' >${sticks}/../update.json`),
  ]) {
    const [problem] = told(folder, stick, before.includes('update.json') ? '20m' : '17m', before);
    assert.match(problem!, /no room/);
  }
});

test('what is larger than any update is not copied, and the box is told', { skip }, (t) => {
  const folder = folderOf(t);
  const stick = makeStick(t, folder, { 'a-0.9.0.raucb': 'large' }, { 'a-0.9.0.raucb': 257 * mebibyte });
  assert.deepEqual(told(folder, stick, '100%'), [
    'what is on it is larger than any update of this box',
    `${stick.device}.problem`,
    '0',
  ]);
});

test('a stick that breaks off in the middle leaves nothing, and the box is told', { skip }, (t) => {
  const folder = folderOf(t);
  const stick = makeStick(t, folder, { 'a-0.9.0.raucb': 'a bundle' });
  const breaks = `mkdir -m 755 /run/tools
     printf '#!/bin/sh\\nprintf "a b"\\nexit 1\\n' >/run/tools/head
     chmod 755 /run/tools/head
     PATH=/run/tools:$PATH`;
  assert.deepEqual(told(folder, stick, '100%', breaks), [
    'the update on it cannot be read to its end',
    `${stick.device}.problem`,
    '0',
  ]);
});

test('a copy that is stopped leaves nothing half copied, and the stick is let go', { skip }, (t) => {
  const folder = folderOf(t);
  const stick = makeStick(t, folder, { 'a-0.9.0.raucb': 'a bundle' });
  const said = done(
    folder,
    `${startOfABox}
     mkdir -p /run/aetherstore /run/tools
     printf '#!/bin/sh\\ntouch /run/aetherstore/copying\\nchmod 666 /run/aetherstore/copying\\nexec sleep 20\\n' >/run/tools/head
     chmod 755 /run/tools /run/tools/head
     chmod 777 /run/aetherstore
     PATH=/run/tools:$PATH setsid $scripts/fetch-from-stick ${stick.device} &
     until [ -e /run/aetherstore/copying ]; do sleep 0.1; done
     ls ${sticks}
     kill -- -$!
     wait $! || echo "status $?"
     ls ${sticks}
     grep -c stick- /proc/mounts || true`,
  );
  assert.deepEqual(said.split('\n'), [`${stick.device}.part`, 'status 1', '0']);
});

test('neither a disk of a box nor what the system has mounted is taken for a stick', { skip }, (t) => {
  const folder = folderOf(t);
  const stick = makeStick(t, folder, { 'a-0.9.0.raucb': 'a bundle' });
  const fetched = (before: string) =>
    done(
      folder,
      `${startOfABox}
       mkdir -p /run/aetherstore /run/mounted
       ${before}
       $scripts/fetch-from-stick ${stick.device}
       ls ${sticks} 2>/dev/null || echo nothing`,
    );
  assert.equal(fetched(`mount -t ext4 -o ro,noload /dev/${stick.device} /run/mounted`), 'nothing');
  assert.equal(fetched(':'), `${stick.device}.raucb`);
  run('tune2fs', ['-f', '-L', 'aether-0def34', stick.file]);
  assert.equal(fetched(':'), 'nothing');
});

test('what a power cut left half copied is gone after the next start, and nothing else', { skip }, (t) => {
  const said = done(
    folderOf(t),
    `${startOfABox}
     mkdir -p ${sticks}
     touch ${sticks}/sda1.part ${sticks}/sdb1.raucb
     chown -R aetherstore:aetherstore /data/aetherstore
     $scripts/prepare
     ls ${sticks}
     stat -c '%U %a' ${sticks}/..`,
  );
  assert.deepEqual(said.split('\n').slice(0, 2), ['sdb1.raucb', 'aetherstore 755']);
});
