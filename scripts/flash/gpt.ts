import { crc32 } from 'node:zlib';
import { type Bytes, copyOf, startsWith, utf8, viewOf } from '../../src/base/bytes.ts';
import { imageInvalid } from './errors.ts';

/** A GUID Partition Table (UEFI specification 2.10, section 5.3), as far as finding a partition by its name needs it. */
export const sectorBytes = 512;
const signature = utf8('EFI PART');
const headerBytesMin = 92;
const entryBytesMin = 128;
/** The specification asks for 128 entries; more than this is damage. */
const entriesMax = 1024;
const nameBytes = 72;

export interface Partition {
  readonly name: string;
  readonly offset: number;
  readonly bytes: number;
}

/** Gives `bytes` bytes of the image from `offset` on. */
export type ReadBytes = (offset: number, bytes: number) => Promise<Bytes>;

/** The partitions of an image of `imageBytes`, in the order of the table. Throws `IMAGE_INVALID`. */
export async function readPartitions(read: ReadBytes, imageBytes: number): Promise<readonly Partition[]> {
  if (imageBytes < 3 * sectorBytes) throw imageInvalid('it is too short for a partition table');
  const header = parseHeader(await read(sectorBytes, sectorBytes));
  const tableBytes = header.entryCount * header.entryBytes;
  if (header.entriesOffset + tableBytes > imageBytes)
    throw imageInvalid('its partition table lies beyond its end');
  const table = await read(header.entriesOffset, tableBytes);
  if (crc32(table) !== header.entriesCrc) throw imageInvalid('its partition table has a wrong checksum');
  const partitions = entriesOf(table, header.entryBytes);
  const outside = partitions.find(({ offset, bytes }) => bytes <= 0 || offset + bytes > imageBytes);
  if (outside !== undefined) throw imageInvalid(`its partition ${outside.name} lies beyond its end`);
  return partitions;
}

interface Header {
  readonly entriesOffset: number;
  readonly entryCount: number;
  readonly entryBytes: number;
  readonly entriesCrc: number;
}

function parseHeader(sector: Bytes): Header {
  if (!startsWith(sector, signature)) throw imageInvalid('it has no GUID partition table');
  const view = viewOf(sector);
  const headerBytes = view.getUint32(12, true);
  if (headerBytes < headerBytesMin || headerBytes > sectorBytes)
    throw imageInvalid('the header of its partition table has no sound length');
  const checked = copyOf(sector.subarray(0, headerBytes));
  checked.fill(0, 16, 20);
  if (crc32(checked) !== view.getUint32(16, true))
    throw imageInvalid('the header of its partition table has a wrong checksum');
  const entryCount = view.getUint32(80, true);
  const entryBytes = view.getUint32(84, true);
  if (entryCount > entriesMax || entryBytes < entryBytesMin || entryBytes > 8 * entryBytesMin)
    throw imageInvalid('its partition table has entries of no sound size or number');
  return {
    entriesOffset: sectorOffset(view, 72),
    entryCount,
    entryBytes,
    entriesCrc: view.getUint32(88, true),
  };
}

function entriesOf(table: Bytes, entryBytes: number): readonly Partition[] {
  const partitions: Partition[] = [];
  for (let at = 0; at < table.length; at += entryBytes) {
    const entry = table.subarray(at, at + entryBytes);
    // Without a type an entry is not in use.
    if (entry.subarray(0, 16).every((byte) => byte === 0)) continue;
    const view = viewOf(entry);
    const offset = sectorOffset(view, 32);
    const name = Buffer.from(entry.subarray(56, 56 + nameBytes)).toString('utf16le');
    partitions.push({
      name: name.replace(/\0.*$/s, ''),
      offset,
      bytes: sectorOffset(view, 40) + sectorBytes - offset,
    });
  }
  return partitions;
}

function sectorOffset(view: DataView, at: number): number {
  const sector = view.getBigUint64(at, true);
  if (sector > BigInt(Number.MAX_SAFE_INTEGER) / BigInt(2 * sectorBytes))
    throw imageInvalid('its partition table names sectors that no card has');
  return Number(sector) * sectorBytes;
}
