import { crc32 } from 'node:zlib';
import { sectorBytes } from './gpt.ts';

const entryBytes = 128;
const entryCount = 128;

export interface PartitionFixture {
  readonly name: string;
  readonly firstSector: number;
  readonly sectorCount: number;
}

/** A disk of `sectorCount` sectors with a primary partition table, all else zeros: for tests. */
export function diskWithTable(sectorCount: number, partitions: readonly PartitionFixture[]): Buffer {
  const disk = Buffer.alloc(sectorCount * sectorBytes);
  const table = disk.subarray(2 * sectorBytes, 2 * sectorBytes + entryCount * entryBytes);
  for (const [index, { name, firstSector, sectorCount: count }] of partitions.entries()) {
    const entry = table.subarray(index * entryBytes);
    entry.fill(0xaf, 0, 16);
    entry.fill(index + 1, 16, 32);
    entry.writeBigUInt64LE(BigInt(firstSector), 32);
    entry.writeBigUInt64LE(BigInt(firstSector + count - 1), 40);
    entry.write(name, 56, 'utf16le');
  }
  const header = disk.subarray(sectorBytes, 2 * sectorBytes);
  header.write('EFI PART', 0, 'latin1');
  header.writeUInt32LE(0x10000, 8);
  header.writeUInt32LE(92, 12);
  header.writeBigUInt64LE(1n, 24);
  header.writeBigUInt64LE(2n, 72);
  header.writeUInt32LE(entryCount, 80);
  header.writeUInt32LE(entryBytes, 84);
  header.writeUInt32LE(crc32(table), 88);
  sealHeader(disk);
  return disk;
}

/** Puts the checksum of the header right, after a change. */
export function sealHeader(disk: Buffer): void {
  const header = disk.subarray(sectorBytes, sectorBytes + 92);
  header.writeUInt32LE(0, 16);
  header.writeUInt32LE(crc32(header), 16);
}
