import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { linuxCard, linuxCards } from './linux-cards.ts';

const gibibyteSectors = String(2 ** 30 / 512);

interface Told {
  readonly files: Readonly<Record<string, string>>;
  /** Numbers of devices, and where under block/ they are. */
  readonly numbers?: Readonly<Record<string, string>>;
  readonly mountInfo?: string;
  readonly swaps?: string;
}

/** What Linux tells, as files; a path that ends in / is a folder. */
function facts(t: TestContext, { files, numbers = {}, mountInfo = '', swaps = '' }: Told) {
  const sysfs = mkdtempSync(join(tmpdir(), 'sysfs-'));
  t.after(() => rmSync(sysfs, { recursive: true }));
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(path.endsWith('/') ? join(sysfs, path) : dirname(join(sysfs, path)), { recursive: true });
    if (!path.endsWith('/')) writeFileSync(join(sysfs, path), `${text}\n`);
  }
  mkdirSync(join(sysfs, 'dev/block'), { recursive: true });
  for (const [number, path] of Object.entries(numbers))
    symlinkSync(join(sysfs, 'block', path), join(sysfs, 'dev/block', number));
  return { sysfs, mountInfo, swaps };
}

const cardInReader = {
  'block/sdb/size': '62333952',
  'block/sdb/removable': '1',
  'block/sdb/ro': '0',
  'block/sdb/device/vendor': 'SanDisk ',
  'block/sdb/device/model': 'Ultra           ',
  'block/sdb/queue/logical_block_size': '512',
  'block/sdb/queue/write_zeroes_max_bytes': '0',
  'block/sdb/sdb1/partition': '1',
  'block/sdb/sdb2/partition': '2',
};
const numbers = { '8:16': 'sdb', '8:17': 'sdb/sdb1', '8:18': 'sdb/sdb2' };

test('a card in a reader is told with its maker, size and sectors, and is in no use', (t) => {
  const [card, ...more] = linuxCards(facts(t, { files: cardInReader }));
  assert.deepEqual(more, []);
  assert.deepEqual(card, {
    path: '/dev/sdb',
    kind: 'disk',
    model: 'SanDisk Ultra',
    sizeBytes: 31_914_983_424,
    sectorBytes: 512,
    bus: null,
    isRemovable: true,
    isReadOnly: false,
    isSystem: false,
    isInternal: false,
    uses: [],
    mounts: [],
    zeroesItself: false,
  });
});

test('readers without a card, memory, compact discs and mappings are no cards', (t) => {
  const files = {
    'block/sdc/size': '0',
    'block/zram0/size': gibibyteSectors,
    'block/sr0/size': gibibyteSectors,
    'block/dm-0/size': gibibyteSectors,
    'block/mmcblk0/size': gibibyteSectors,
    'block/mmcblk0/device/name': 'SU32G',
    'block/mmcblk0/queue/write_zeroes_max_bytes': '4294966784',
  };
  const found = linuxCards(facts(t, { files }));
  assert.deepEqual(
    found.map(({ path, model, bus, zeroesItself }) => [path, model, bus, zeroesItself]),
    [['/dev/mmcblk0', 'SU32G', 'mmc', true]],
  );
});

test('a number tells whole disks from partitions and from what is no disk', (t) => {
  const told = facts(t, {
    files: { ...cardInReader, 'block/dm-0/size': gibibyteSectors },
    numbers: { ...numbers, '252:0': 'dm-0' },
  });
  assert.equal(linuxCard('8:16', told)?.kind, 'disk');
  assert.equal(linuxCard('8:17', told)?.kind, 'partition');
  assert.equal(linuxCard('252:0', told)?.kind, 'other');
  assert.equal(linuxCard('9:9', told), undefined);
});

test('a mounted partition is a use of its disk, with spaces in its folder', (t) => {
  const mountInfo = '30 29 8:17 / /media/you/My\\040Photos rw,nosuid shared:5 - vfat /dev/sdb1 rw\n';
  const [card] = linuxCards(facts(t, { files: cardInReader, numbers, mountInfo }));
  assert.deepEqual(card!.uses, ['is mounted on /media/you/My Photos']);
  assert.equal(card!.isSystem, false);
});

test('swap and holders (LVM, md) are uses', (t) => {
  const files = {
    ...cardInReader,
    'block/sdb/sdb2/holders/dm-3/dm/name': 'vg-photos',
    'block/sdb/holders/md0/': '',
  };
  const swaps = 'Filename\tType\tSize\tUsed\tPriority\n/swapfile file 1 0 -2\n/dev/sdb1 partition 1 0 -3\n';
  const [card] = linuxCards(facts(t, { files, swaps }));
  assert.deepEqual(card!.uses, ['is part of md0', 'is swapped to', 'is part of vg-photos']);
  assert.equal(card!.isSystem, true, 'what is swapped to is needed to go on running');
});

test('the system disk is found behind a partition, an encrypted volume group, and every disk of an array', (t) => {
  const files = {
    ...cardInReader,
    'block/sda/size': gibibyteSectors,
    'block/sda/sda2/partition': '2',
    'block/nvme0n1/size': gibibyteSectors,
    'block/dm-0/slaves/dm-1/': '',
    'block/dm-1/slaves/md0/': '',
    'block/md0/slaves/sda2/': '',
    'block/md0/slaves/nvme0n1/': '',
  };
  const mountInfo = '26 1 252:0 / / rw - ext4 /dev/mapper/vg-root rw\n';
  const found = linuxCards(facts(t, { files, numbers: { '252:0': 'dm-0' }, mountInfo }));
  assert.deepEqual(
    found.filter(({ isSystem }) => isSystem).map(({ path }) => path),
    ['/dev/nvme0n1', '/dev/sda'],
  );
});

test('btrfs hides the number of its disks: the source and its siblings tell', (t) => {
  const files = {
    ...cardInReader,
    'block/sda/size': gibibyteSectors,
    'block/sda/sda2/partition': '2',
    'block/sdc/size': gibibyteSectors,
    'fs/btrfs/5e1f/devices/sda2/': '',
    'fs/btrfs/5e1f/devices/sdc/': '',
  };
  const mountInfo = '26 1 0:31 /@ / rw - btrfs /dev/sda2 rw,subvol=/@\n';
  const found = linuxCards(facts(t, { files, mountInfo }));
  assert.deepEqual(
    found.map(({ path, isSystem, uses }) => [path, isSystem, uses.length]),
    [
      ['/dev/sda', true, 1],
      ['/dev/sdb', false, 0],
      ['/dev/sdc', true, 1],
    ],
  );
});

test('a system that tells nothing has no cards', () => {
  assert.deepEqual(linuxCards({ sysfs: '/sysfs-that-is-not-there', mountInfo: '', swaps: '' }), []);
});
