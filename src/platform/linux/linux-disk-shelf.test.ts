import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeContent } from './linux-disk-shelf.ts';

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
