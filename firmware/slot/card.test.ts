import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { run } from '../stages/run.ts';

const names = ['boot', 'env', 'identity', 'rootA', 'rootB', 'data'];
const script = join(import.meta.dirname, 'initramfs/card.sh');

/** A sysfs with these disks; `p`: what is between the name of a disk and the number of a partition. */
function sysfsWith(
  t: TestContext,
  disks: Readonly<Record<string, { readonly p: string; readonly names: readonly string[] }>>,
): string {
  const sysfs = mkdtempSync(join(tmpdir(), 'aether-card-'));
  t.after(() => rmSync(sysfs, { recursive: true }));
  for (const [disk, { p, names: partitions }] of Object.entries(disks)) {
    mkdirSync(join(sysfs, 'block', disk), { recursive: true });
    writeFileSync(join(sysfs, 'block', disk, 'uevent'), `DEVNAME=${disk}\nDEVTYPE=disk\n`);
    for (const [index, name] of partitions.entries()) {
      const folder = join(sysfs, 'block', disk, `${disk}${p}${index + 1}`);
      mkdirSync(folder);
      writeFileSync(join(folder, 'uevent'), `DEVTYPE=partition\nPARTN=${index + 1}\nPARTNAME=${name}\n`);
    }
  }
  return sysfs;
}

function asked(sysfs: string, words: string): string {
  return run('sh', ['-euc', `. "$0"; sys=$1; ${words}`, script, sysfs]).trim();
}

test('the card is a disk of the kind that the boot loader took, though another box’s card is in a reader', (t) => {
  const sysfs = sysfsWith(t, {
    mmcblk0: { p: 'p', names },
    sda: { p: '', names },
    sdb: { p: '', names: ['photos'] },
  });
  assert.equal(asked(sysfs, 'card mmc rootA'), 'mmcblk0');
  assert.equal(asked(sysfs, 'card usb rootA'), 'sda');
  assert.equal(asked(sysfs, 'card virtio rootA'), '');
  assert.equal(asked(sysfs, 'partition mmcblk0 data'), 'mmcblk0p6');
  assert.equal(asked(sysfs, 'partition sda env'), 'sda2');
  assert.equal(asked(sysfs, 'partition sdb data'), '');
});

test('a boot script that does not say which kind it took gets the card before anything that is plugged in', (t) => {
  assert.equal(
    asked(sysfsWith(t, { sda: { p: '', names }, mmcblk1: { p: 'p', names } }), "card '' rootB"),
    'mmcblk1',
  );
  assert.equal(asked(sysfsWith(t, { sda: { p: '', names }, vda: { p: '', names } }), "card '' rootA"), 'vda');
  assert.equal(asked(sysfsWith(t, { sda: { p: '', names } }), "card '' rootA"), 'sda');
  assert.equal(asked(sysfsWith(t, {}), "card '' rootA"), '');
});

test('a partition is found by its whole name', (t) => {
  const sysfs = sysfsWith(t, { vda: { p: '', names: ['rootAB', 'data2', 'rootA'] } });
  assert.equal(asked(sysfs, 'partition vda rootA'), 'vda3');
  assert.equal(asked(sysfs, 'partition vda data'), '');
});
