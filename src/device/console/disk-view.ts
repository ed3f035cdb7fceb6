import { formatBytes, formatGibibytes, formatTable, printable, wrapText } from '../../base/format.ts';
import type { ApplianceStatus } from '../../status/appliance-status.ts';
import type { DiskFacts } from '../../status/facts.ts';

/** The box's volumes, and every disk that is attached; each line is printable. */
export function diskLines(status: ApplianceStatus, columns: number): readonly string[] {
  const { volumes, disks } = status;
  if (volumes.length === 0 && disks.length === 0) return ['This box has no disk.'];
  return [
    ...volumeLines(status, columns),
    ...(disks.length === 0 ? [] : ['', ...attachedLines(disks, columns)]),
  ];
}

function volumeLines({ volumes }: ApplianceStatus, columns: number): readonly string[] {
  if (volumes.length === 0) return ['This box stores on no disk.'];
  const rows = volumes.map((volume) => [
    volume.name,
    volume.state,
    formatGibibytes(volume.usedBytes),
    formatGibibytes(volume.freeBytes),
    formatGibibytes(volume.capacityBytes),
    String(volume.chunkCount),
    String(volume.corruptRecords),
  ]);
  const table = formatTable(
    [
      { title: 'disk', flexible: true },
      { title: 'state' },
      { title: 'used', align: 'right' },
      { title: 'free', align: 'right' },
      { title: 'capacity', align: 'right' },
      { title: 'chunks', align: 'right' },
      { title: 'damaged', align: 'right' },
    ],
    rows,
    columns,
  );
  const errors = volumes
    .filter((volume) => volume.error !== null)
    .flatMap((volume) => wrapText(printable(`${volume.name}: ${volume.error}`), columns));
  return [...table, ...errors];
}

function attachedLines(disks: readonly DiskFacts[], columns: number): readonly string[] {
  const rows = disks.map((disk) => [
    disk.device,
    formatBytes(disk.sizeBytes),
    purposeOf(disk),
    healthOf(disk),
    disk.model ?? '',
  ]);
  return formatTable(
    [
      { title: 'attached' },
      { title: 'size', align: 'right' },
      { title: 'is', flexible: true },
      { title: 'health' },
      { title: 'model' },
    ],
    rows,
    columns,
  );
}

function purposeOf({ role, volume, content }: DiskFacts): string {
  if (role === 'blank') return 'blank';
  if (role === 'foreign') return `left alone: ${content ?? 'it cannot be read'}`;
  return role === 'system' ? 'system' : (volume ?? 'in use');
}

function healthOf({ smart, locating }: DiskFacts): string {
  if (locating) return 'blinking';
  if (smart === null) return 'not told';
  return smart.passed && smart.warnings.length === 0 ? 'good' : smart.passed ? 'doubtful' : 'failing';
}
