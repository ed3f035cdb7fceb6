import type { Metric } from '../../ports/metrics.ts';
import type { ApplianceStatus } from '../../status/appliance-status.ts';
import { severities } from '../../status/condition.ts';

/**
 * What of a box's status is worth a curve, by the conventions of Prometheus (base units, `_total` for what only grows, no
 * label without a bound). Names of files, codes and addresses are in none of them.
 */
export function metricsOf(status: ApplianceStatus): readonly Metric[] {
  return [...boxMetrics(status), ...diskMetrics(status), ...poolMetrics(status), ...networkMetrics(status)];
}

function boxMetrics({ box, worst, conditions, hardware }: ApplianceStatus): readonly Metric[] {
  return [
    gauge('aetherstore_box_info', 'The box; always 1.', [
      { labels: { name: box.name, version: box.version }, value: 1 },
    ]),
    single('aetherstore_uptime_seconds', 'How long the program runs.', box.uptimeMs / 1000),
    gauge(
      'aetherstore_health',
      'Which severity the worst condition has: 1 for that one.',
      severities.map((severity) => ({ labels: { severity }, value: Number(severity === worst) })),
    ),
    gauge(
      'aetherstore_conditions',
      'Conditions that hold now.',
      severities
        .filter((severity) => severity !== 'ok')
        .map((severity) => ({
          labels: { severity },
          value: conditions.filter((each) => each.severity === severity).length,
        })),
    ),
    ...known('aetherstore_temperature_celsius', 'Of the processor.', hardware.temperatureCelsius),
    ...known(
      'aetherstore_memory_available_bytes',
      'Memory that programs can still have.',
      hardware.memory?.availableBytes,
    ),
    ...known('aetherstore_memory_total_bytes', 'Memory of the computer.', hardware.memory?.totalBytes),
    ...known('aetherstore_load_ratio', 'Of all processors together, 0 to 1.', ratioOf(hardware.loadPercent)),
    ...known('aetherstore_throttled', 'Whether the processor is slowed down.', flagOf(hardware.throttled)),
  ];
}

function diskMetrics({ volumes, disks }: ApplianceStatus): readonly Metric[] {
  const of = (value: (volume: (typeof volumes)[number]) => number) =>
    volumes.map((volume) => ({ labels: { volume: volume.name }, value: value(volume) }));
  const warm = disks.flatMap(({ device, smart }) => {
    const celsius = smart?.temperatureCelsius ?? null;
    return celsius === null ? [] : [{ labels: { device }, value: celsius }];
  });
  return [
    gauge(
      'aetherstore_volume_up',
      'Whether the disk works.',
      of(({ state }) => Number(state === 'ok' || state === 'full')),
    ),
    gauge(
      'aetherstore_volume_capacity_bytes',
      'What chunks may take.',
      of(({ capacityBytes }) => capacityBytes),
    ),
    gauge(
      'aetherstore_volume_used_bytes',
      'What chunks take.',
      of(({ usedBytes }) => usedBytes),
    ),
    gauge(
      'aetherstore_volume_chunks',
      'Chunks on the disk.',
      of(({ chunkCount }) => chunkCount),
    ),
    gauge(
      'aetherstore_volume_corrupt_records',
      'Records found damaged and not healed.',
      of(({ corruptRecords }) => corruptRecords),
    ),
    ...(warm.length === 0
      ? []
      : [gauge('aetherstore_disk_temperature_celsius', 'As the disk tells it.', warm)]),
  ];
}

function poolMetrics({ pool, copies, pairing }: ApplianceStatus): readonly Metric[] {
  const locked = single(
    'aetherstore_pairing_locked',
    'Whether too many wrong codes were tried.',
    Number(pairing.locked),
  );
  if (pool === null) return [locked];
  return [
    locked,
    single('aetherstore_pool_boxes', 'Boxes of the pool.', pool.boxes),
    single(
      'aetherstore_pool_boxes_reachable',
      'Those that answer, this one among them.',
      pool.boxesReachable,
    ),
    single('aetherstore_pool_raw_bytes', 'What its boxes declare together.', pool.rawBytes),
    single('aetherstore_pool_usable_bytes', 'What of files it can hold.', pool.usableBytes),
    single('aetherstore_copies_missing', 'Pieces of data with fewer copies than wanted.', copies.missing),
  ];
}

function networkMetrics({ network }: ApplianceStatus): readonly Metric[] {
  const { refused, conflicts } = network;
  const reasons = { malformed: refused.malformed, off_link: refused.offLink, arp: refused.arp };
  return [
    {
      ...gauge(
        'aetherstore_packets_refused_total',
        'Packets and frames of strangers that were not looked into.',
        Object.entries(reasons).map(([reason, value]) => ({ labels: { reason }, value })),
      ),
      kind: 'counter',
    },
    {
      ...single(
        'aetherstore_name_conflicts_total',
        'Times that another host had a name of ours.',
        conflicts.count,
      ),
      kind: 'counter',
    },
  ];
}

function gauge(name: string, help: string, samples: Metric['samples']): Metric {
  return { name, help, kind: 'gauge', samples };
}

function single(name: string, help: string, value: number): Metric {
  return gauge(name, help, [{ labels: {}, value }]);
}

/** Nothing where nothing is known: a curve of zeros would be a lie. */
function known(name: string, help: string, value: number | null | undefined): readonly Metric[] {
  return value === null || value === undefined ? [] : [single(name, help, value)];
}

function ratioOf(percent: number | null): number | null {
  return percent === null ? null : percent / 100;
}

function flagOf(flag: boolean | null): number | null {
  return flag === null ? null : Number(flag);
}
