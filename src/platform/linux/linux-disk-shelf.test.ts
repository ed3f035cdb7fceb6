import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { BlockDevice } from './block-devices.ts';
import { describeContent, FoundContents } from './linux-disk-shelf.ts';

test('what is on a disk is said as a person knows it', () => {
  const said = (...lines: readonly string[]) => describeContent(`${lines.join('\n')}\n`);
  assert.equal(
    said('DEVNAME=/dev/sda', 'LABEL=photos', 'UUID=1', 'TYPE=ext4', 'USAGE=filesystem'),
    'ext4 file system "photos"',
  );
  assert.equal(said('TYPE=ntfs', 'USAGE=filesystem'), 'ntfs file system');
  assert.equal(
    said('LABEL=My\\ Passport', 'TYPE=exfat', 'USAGE=filesystem'),
    'exfat file system "My Passport"',
  );
  assert.equal(said('TYPE=crypto_LUKS', 'USAGE=crypto'), 'crypto_LUKS');
  assert.equal(said('PTUUID=1', 'PTTYPE=gpt'), 'a partition table (gpt)');
  assert.equal(said('DEVNAME=/dev/sda'), 'something unknown');
});

test('what is found on a disk while the kernel says something is looked at again', async () => {
  const looks: ((content: string | null) => void)[] = [];
  const contents = new FoundContents(() => new Promise((resolve) => looks.push(resolve)));
  const disk = { device: 'sda' } as BlockDevice;
  const before = contents.of(disk);
  contents.forget();
  looks[0]!(null);
  assert.equal(await before, null);
  const now = contents.of(disk);
  assert.equal(looks.length, 2);
  looks[1]!('ext4 file system "photos"');
  assert.equal(await now, 'ext4 file system "photos"');
  assert.equal(await contents.of(disk), 'ext4 file system "photos"');
  assert.equal(looks.length, 2, 'nothing was said since');
});
