import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { readBlockDevices } from './block-devices.ts';

/** A sysfs of files, by path. */
function sysfs(t: TestContext, files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'sysfs-'));
  t.after(() => rmSync(folder, { recursive: true }));
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), `${text}\n`);
  }
  return folder;
}

const gibibyteSectors = String(2 ** 30 / 512);

test('disks are told from what only looks like one, with what they say of themselves', (t) => {
  const root = sysfs(t, {
    'block/sda/size': String(1_000_204_886_016 / 512),
    'block/sda/device/model': 'Portable SSD T7 ',
    'block/sda/device/serial': 'S5T2NX0R100001',
    'block/sda/device/ioerr_cnt': '0x1f',
    'block/sda/sda1/partition': '1',
    'block/mmcblk0/size': gibibyteSectors,
    'block/mmcblk0boot0/size': '8192',
    'block/nvme0n1/size': gibibyteSectors,
    'block/loop0/size': gibibyteSectors,
    'block/loop0/loop/backing_file': '/tmp/disk.img',
    'block/loop1/size': '0',
    'block/zram0/size': gibibyteSectors,
    'block/ram0/size': gibibyteSectors,
    'block/sr0/size': gibibyteSectors,
    'block/dm-0/size': gibibyteSectors,
    'fs/ext4/sda1/errors_count': '4',
  });
  const disks = readBlockDevices([], root);
  assert.deepEqual(
    disks.map(({ device, bus, errors, partitions }) => [device, bus, errors, partitions]),
    [
      ['loop0', 'virtual', 0, []],
      ['mmcblk0', 'mmc', 0, []],
      ['nvme0n1', 'nvme', 0, []],
      ['sda', null, 4, ['sda1']],
    ],
  );
  const sda = disks.at(-1)!;
  assert.deepEqual(
    [sda.model, sda.serial, sda.sizeBytes],
    ['Portable SSD T7', 'S5T2NX0R100001', 1_000_204_886_016],
  );
  assert.equal(disks[0]!.model, 'disk.img');
});

test('a system without sysfs has no disks that we know', () => {
  assert.deepEqual(readBlockDevices([], '/sysfs-that-is-not-there'), []);
});
