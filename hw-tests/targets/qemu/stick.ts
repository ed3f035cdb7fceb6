import { closeSync, openSync, truncateSync, writeSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import type { ImageTools } from '../../../firmware/stages/tools.ts';

const sectorBytes = 512;
const stickBytes = 192 * 1024 ** 2;
/** Where its only partition begins, as on sticks that are sold. */
const partitionSector = 2048;
const fat32 = 0x0c;

/** Makes the image of a memory stick with a bundle on it: an MBR, one partition, FAT. */
export function makeStick(file: string, bundle: string, tools: ImageTools): void {
  const table = Buffer.alloc(sectorBytes);
  table.writeUInt8(fat32, 446 + 4);
  table.writeUInt32LE(partitionSector, 446 + 8);
  table.writeUInt32LE(stickBytes / sectorBytes - partitionSector, 446 + 12);
  table.writeUInt16LE(0xaa55, 510);
  const descriptor = openSync(file, 'w');
  writeSync(descriptor, table, 0, table.length, 0);
  closeSync(descriptor);
  truncateSync(file, stickBytes);
  const shared = [dirname(file), dirname(bundle)];
  tools.run('mkfs.vfat', ['-F', '32', '--offset', String(partitionSector), file], shared);
  const partition = `${file}@@${partitionSector * sectorBytes}`;
  tools.run('mmd', ['-i', partition, '::aetherstore'], shared);
  tools.run('mcopy', ['-i', partition, bundle, `::aetherstore/${basename(bundle)}`], shared);
}
