import assert from 'node:assert/strict';
import { test } from 'node:test';
import { listedDisks, macosCard } from './macos-cards.ts';

// Written by hand after the manual of diskutil and lists of Macs; not recorded on one.

const list = `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
<dict>
	<key>AllDisks</key>
	<array>
		<string>disk0</string>
		<string>disk0s1</string>
		<string>disk0s2</string>
		<string>disk3</string>
		<string>disk3s1</string>
		<string>disk4</string>
		<string>disk4s1</string>
	</array>
	<key>AllDisksAndPartitions</key>
	<array>
		<dict>
			<key>Content</key>
			<string>GUID_partition_scheme</string>
			<key>DeviceIdentifier</key>
			<string>disk0</string>
			<key>OSInternal</key>
			<false/>
			<key>Partitions</key>
			<array>
				<dict>
					<key>Content</key>
					<string>Apple_APFS_ISC</string>
					<key>DeviceIdentifier</key>
					<string>disk0s1</string>
					<key>Size</key>
					<integer>524288000</integer>
				</dict>
				<dict>
					<key>Content</key>
					<string>Apple_APFS</string>
					<key>DeviceIdentifier</key>
					<string>disk0s2</string>
					<key>Size</key>
					<integer>494384795648</integer>
				</dict>
			</array>
			<key>Size</key>
			<integer>500277792768</integer>
		</dict>
		<dict>
			<key>APFSPhysicalStores</key>
			<array>
				<dict>
					<key>DeviceIdentifier</key>
					<string>disk0s2</string>
				</dict>
			</array>
			<key>APFSVolumes</key>
			<array>
				<dict>
					<key>DeviceIdentifier</key>
					<string>disk3s1</string>
					<key>MountedSnapshots</key>
					<array>
						<dict>
							<key>Sealed</key>
							<string>Yes</string>
							<key>SnapshotMountPoint</key>
							<string>/</string>
						</dict>
					</array>
					<key>VolumeName</key>
					<string>Macintosh HD</string>
				</dict>
				<dict>
					<key>DeviceIdentifier</key>
					<string>disk3s5</string>
					<key>MountPoint</key>
					<string>/System/Volumes/Data</string>
					<key>VolumeName</key>
					<string>Data</string>
				</dict>
			</array>
			<key>Content</key>
			<string>EF57347C-0000-11AA-AA11-00306543ECAC</string>
			<key>DeviceIdentifier</key>
			<string>disk3</string>
			<key>Size</key>
			<integer>494384795648</integer>
		</dict>
		<dict>
			<key>Content</key>
			<string>FDisk_partition_scheme</string>
			<key>DeviceIdentifier</key>
			<string>disk4</string>
			<key>Partitions</key>
			<array>
				<dict>
					<key>Content</key>
					<string>Windows_FAT_32</string>
					<key>DeviceIdentifier</key>
					<string>disk4s1</string>
					<key>MountPoint</key>
					<string>/Volumes/NO NAME</string>
					<key>VolumeName</key>
					<string>NO NAME</string>
				</dict>
			</array>
			<key>Size</key>
			<integer>31914983424</integer>
		</dict>
	</array>
	<key>WholeDisks</key>
	<array>
		<string>disk0</string>
		<string>disk3</string>
		<string>disk4</string>
	</array>
</dict>
</plist>
`;

type Info = Readonly<Record<string, string | number | boolean>>;

const usbReader: Info = {
  BusProtocol: 'USB',
  DeviceBlockSize: 512,
  DeviceIdentifier: 'disk4',
  DeviceNode: '/dev/disk4',
  Ejectable: true,
  Internal: false,
  MediaName: 'STORAGE DEVICE',
  RemovableMedia: true,
  RemovableMediaOrExternalDevice: true,
  Size: 31914983424,
  TotalSize: 31914983424,
  VirtualOrPhysical: 'Physical',
  WholeDisk: true,
  WritableMedia: true,
};

function card(change: Info) {
  const entries = Object.entries({ ...usbReader, ...change }).map(([key, value]) => {
    if (typeof value === 'boolean') return `\t<key>${key}</key>\n\t<${value}/>\n`;
    const kind = typeof value === 'number' ? 'integer' : 'string';
    return `\t<key>${key}</key>\n\t<${kind}>${value}</${kind}>\n`;
  });
  const xml = `<?xml version="1.0" encoding="UTF-8"?>\n<plist version="1.0">\n<dict>\n${entries.join('')}</dict>\n</plist>\n`;
  return macosCard(xml, listedDisks(list));
}

test('disks are listed with where they are mounted, and containers with the disk that they lie on', () => {
  assert.deepEqual(listedDisks(list), [
    { name: 'disk0', mountPoints: [], liesOn: undefined },
    { name: 'disk3', mountPoints: ['/', '/System/Volumes/Data'], liesOn: 'disk0' },
    { name: 'disk4', mountPoints: ['/Volumes/NO NAME'], liesOn: undefined },
  ]);
});

test('a card in a USB reader is told, and where it is mounted: it is unmounted after the yes', () => {
  assert.deepEqual(card({}), {
    path: '/dev/disk4',
    kind: 'disk',
    model: 'STORAGE DEVICE',
    sizeBytes: 31914983424,
    sectorBytes: 512,
    bus: 'USB',
    isRemovable: true,
    isReadOnly: false,
    isSystem: false,
    isInternal: false,
    uses: [],
    mounts: ['/Volumes/NO NAME'],
    zeroesItself: false,
  });
});

test('the disk under the container of the system is the system disk, and internal', () => {
  const disk = card({
    DeviceIdentifier: 'disk0',
    DeviceNode: '/dev/disk0',
    Internal: true,
    RemovableMedia: false,
  });
  assert.deepEqual([disk.isSystem, disk.isInternal], [true, true]);
});

test('a container and a disk image are no cards, a partition is a partition', () => {
  assert.equal(card({ VirtualOrPhysical: 'Virtual' }).kind, 'other');
  assert.equal(card({ DeviceIdentifier: 'disk4s1', WholeDisk: false }).kind, 'partition');
});

test('the card slot of a Mac is built in, but its card may be written; a locked one is read-only', () => {
  const inSlot = { BusProtocol: 'Secure Digital', Internal: true, RemovableMedia: true };
  assert.equal(card(inSlot).isInternal, false);
  assert.equal(card({ ...inSlot, BusProtocol: 'PCI-Express' }).isInternal, true);
  assert.equal(card({ ...inSlot, WritableMedia: false }).isReadOnly, true);
});

test('what does not say where it is counts as internal', () => {
  assert.equal(macosCard('<plist><dict><key>WholeDisk</key><true/></dict></plist>', []).isInternal, true);
});
