import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readPartitions, sectorBytes } from './gpt.ts';
import { diskWithTable, sealHeader } from './gpt-fixture.ts';

const partitions = [
  { name: 'boot', firstSector: 40, sectorCount: 8 },
  { name: 'identity', firstSector: 48, sectorCount: 128 },
];

function partitionsOf(disk: Buffer) {
  return readPartitions(async (offset, bytes) => disk.subarray(offset, offset + bytes), disk.length);
}

function disk(change: (disk: Buffer) => void = () => {}): Buffer {
  const whole = diskWithTable(200, partitions);
  change(whole);
  return whole;
}

test('partitions are told by name, with offset and length in bytes, and reading changes nothing', async () => {
  const whole = disk();
  const before = Buffer.from(whole);
  assert.deepEqual(await partitionsOf(whole), [
    { name: 'boot', offset: 40 * 512, bytes: 8 * 512 },
    { name: 'identity', offset: 48 * 512, bytes: 128 * 512 },
  ]);
  assert.ok(whole.equals(before));
});

test('one wrong bit in header or table is found', async () => {
  const damage = (offset: number) =>
    partitionsOf(
      disk((whole) => {
        whole[offset]! ^= 1;
      }),
    );
  await assert.rejects(damage(sectorBytes), { code: 'IMAGE_INVALID', message: /no GUID partition table/ });
  await assert.rejects(damage(sectorBytes + 60), { code: 'IMAGE_INVALID', message: /header .* checksum/ });
  await assert.rejects(damage(2 * sectorBytes + 32), { code: 'IMAGE_INVALID', message: /table has a wrong/ });
});

test('a table with a right checksum and senseless numbers is refused', async () => {
  const withHeader = (change: (header: Buffer) => unknown) =>
    partitionsOf(
      disk((whole) => {
        change(whole.subarray(sectorBytes, 2 * sectorBytes));
        sealHeader(whole);
      }),
    );
  const invalid = { code: 'IMAGE_INVALID' };
  await assert.rejects(
    withHeader((header) => header.writeUInt32LE(5000, 80)),
    invalid,
  );
  await assert.rejects(
    withHeader((header) => header.writeUInt32LE(0, 84)),
    invalid,
  );
  await assert.rejects(
    withHeader((header) => header.writeUInt32LE(600, 12)),
    invalid,
  );
  await assert.rejects(
    withHeader((header) => header.writeBigUInt64LE(199n, 72)),
    invalid,
  );
  await assert.rejects(
    withHeader((header) => header.writeBigUInt64LE(2n ** 60n, 72)),
    invalid,
  );
});

test('a partition beyond the end of the image is refused, and an image too short for a table', async () => {
  await assert.rejects(partitionsOf(diskWithTable(100, partitions)), {
    code: 'IMAGE_INVALID',
    message: /identity lies beyond its end/,
  });
  await assert.rejects(partitionsOf(Buffer.alloc(1024)), { code: 'IMAGE_INVALID' });
});
