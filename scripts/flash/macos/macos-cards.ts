import type { Card } from '../card.ts';
import { type PlistDict, type PlistValue, parsePlist } from './plist.ts';

/** What `diskutil list -plist` tells of one whole disk. */
export interface ListedDisk {
  /** `disk4`. */
  readonly name: string;
  /** Where it or what is on it is mounted. */
  readonly mountPoints: readonly string[];
  /** A container of APFS has no cable of its own: the disk that it lies on. */
  readonly liesOn: string | undefined;
}

/** Throws an `Error` on what is no property list. */
export function listedDisks(xml: string): readonly ListedDisk[] {
  return dictsIn(dictOf(parsePlist(xml)).AllDisksAndPartitions).map((disk) => {
    const inside = [...dictsIn(disk.Partitions), ...dictsIn(disk.APFSVolumes)];
    const [store] = dictsIn(disk.APFSPhysicalStores);
    const mounted = [disk, ...inside].flatMap((part) => [
      part.MountPoint,
      ...dictsIn(part.MountedSnapshots).map((snapshot) => snapshot.SnapshotMountPoint),
    ]);
    return {
      name: textOf(disk.DeviceIdentifier) ?? '',
      mountPoints: mounted.flatMap((path) => textOf(path) ?? []),
      liesOn: textOf(store?.DeviceIdentifier)?.replace(/s\d+$/, ''),
    };
  });
}

/** A disk as `diskutil info -plist` tells of it; `disks` are all that are listed. */
export function macosCard(xml: string, disks: readonly ListedDisk[]): Card {
  const info = dictOf(parsePlist(xml));
  const name = textOf(info.DeviceIdentifier) ?? '';
  const bus = textOf(info.BusProtocol) ?? null;
  const isRemovable = info.RemovableMedia === true || info.RemovableMediaOrExternalDevice === true;
  // The card slot of a Mac is built in; the card is not.
  const isSlot = bus === 'Secure Digital' && info.RemovableMedia === true;
  return {
    path: textOf(info.DeviceNode) ?? `/dev/${name}`,
    kind: kindOf(info),
    model: textOf(info.MediaName) ?? textOf(info.IORegistryEntryName) ?? null,
    sizeBytes: numberOf(info.TotalSize) ?? numberOf(info.Size) ?? 0,
    sectorBytes: numberOf(info.DeviceBlockSize) ?? 512,
    bus,
    isRemovable,
    isReadOnly: info.WritableMedia === false || info.Writable === false,
    isSystem: carriesSystem(name, disks),
    // What does not say that it is external is taken for internal.
    isInternal: info.Internal !== false && !isSlot,
    uses: [],
    mounts: disks.filter((disk) => isOn(disk, name)).flatMap(({ mountPoints }) => mountPoints),
    zeroesItself: false,
  };
}

function kindOf(info: PlistDict): Card['kind'] {
  if (info.WholeDisk !== true) return 'partition';
  return info.VirtualOrPhysical === 'Virtual' ? 'other' : 'disk';
}

function carriesSystem(name: string, disks: readonly ListedDisk[]): boolean {
  const isSystem = (path: string) => path === '/' || path.startsWith('/System/Volumes/');
  return disks.some((disk) => isOn(disk, name) && disk.mountPoints.some(isSystem));
}

function isOn({ name, liesOn }: ListedDisk, disk: string): boolean {
  return name === disk || liesOn === disk;
}

function dictOf(value: PlistValue | undefined): PlistDict {
  return typeof value === 'object' && !Array.isArray(value) ? (value as PlistDict) : {};
}

function dictsIn(value: PlistValue | undefined): readonly PlistDict[] {
  return Array.isArray(value) ? value.map(dictOf) : [];
}

function textOf(value: PlistValue | undefined): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function numberOf(value: PlistValue | undefined): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
}
