import { countOf } from '../../base/format.ts';
import type { SmartFacts } from '../../status/facts.ts';

/** Attributes of ATA disks whose raw value should be 0, by their number, with the words for what it counts. */
const ataCounts: ReadonlyMap<number, string> = new Map([
  [5, 'sector that was replaced'],
  [187, 'read that could not be corrected'],
  [197, 'sector that cannot be read for now'],
  [198, 'sector that cannot be read'],
]);

/** Some replaced sectors are ordinary wear; they tell of trouble when there are many. */
const replacedSectorsMin = 50;

/** An SSD that has used this much of its life should be replaced soon. */
const wornPercentMin = 90;

/** NVMe critical_warning (NVM Express Base §5.16.1.3), bit by bit. */
const nvmeWarnings = [
  'its spare blocks run out',
  'it is too hot or too cold',
  'it is not reliable any more',
  'it only lets itself be read',
  'its backup of memory failed',
];

/**
 * What `smartctl --json` (its format 1.0, man smartctl(8)) says of a disk; null when it says nothing of its health, as
 * for many USB bridges, cards and virtual disks.
 */
export function smartFromJson(value: unknown): SmartFacts | null {
  const passed = pick(value, 'smart_status', 'passed');
  if (typeof passed !== 'boolean') return null;
  const temperature = pick(value, 'temperature', 'current');
  const hours = pick(value, 'power_on_time', 'hours');
  return {
    passed,
    warnings: [...ataWarnings(value), ...nvmeWarningsOf(value)],
    temperatureCelsius: wholeOrNull(temperature),
    powerOnHours: wholeOrNull(hours),
  };
}

function ataWarnings(value: unknown): readonly string[] {
  const table = pick(value, 'ata_smart_attributes', 'table');
  if (!Array.isArray(table)) return [];
  return table.flatMap((attribute: unknown) => {
    const id = pick(attribute, 'id');
    const raw = wholeOrNull(pick(attribute, 'raw', 'value')) ?? 0;
    const what = typeof id === 'number' ? ataCounts.get(id) : undefined;
    const failing = pick(attribute, 'when_failed') === 'now';
    if (failing && what === undefined) return [`its ${String(pick(attribute, 'name'))} is below its limit`];
    if (what === undefined || raw < (id === 5 && !failing ? replacedSectorsMin : 1)) return [];
    return [pluralOf(raw, what)];
  });
}

function nvmeWarningsOf(value: unknown): readonly string[] {
  const log = pick(value, 'nvme_smart_health_information_log');
  const warnings: string[] = [];
  const bits = wholeOrNull(pick(log, 'critical_warning')) ?? 0;
  nvmeWarnings.forEach((words, bit) => {
    if ((bits >> bit) % 2 === 1) warnings.push(words);
  });
  const worn = wholeOrNull(pick(log, 'percentage_used')) ?? 0;
  if (worn >= wornPercentMin) warnings.push(`${worn}% of its life are used`);
  const errors = wholeOrNull(pick(log, 'media_errors')) ?? 0;
  if (errors > 0)
    warnings.push(countOf(errors, 'error that could not be corrected', 'errors that could not be corrected'));
  return warnings;
}

/** `3 sectors that cannot be read`. */
function pluralOf(count: number, what: string): string {
  return countOf(
    count,
    what,
    what.replace(/^(\w+) that (\w+)/, (_, noun, verb) => `${noun}s that ${verb === 'was' ? 'were' : verb}`),
  );
}

function pick(value: unknown, ...names: readonly string[]): unknown {
  return names.reduce<unknown>(
    (inner, name) =>
      typeof inner === 'object' && inner !== null ? (inner as Record<string, unknown>)[name] : undefined,
    value,
  );
}

function wholeOrNull(value: unknown): number | null {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : null;
}
