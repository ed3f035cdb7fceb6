import { type ComparisonResult, type Row, rateOf } from './harness.ts';

/** Whether a row is as good as it was asked to be; undefined when nothing was asked. */
export function meetsTarget(row: Row): boolean | undefined {
  if (row.kind === 'bound') return row.bytes <= row.bytesMax;
  if (row.kind === 'skipped' || row.result.target === undefined) return undefined;
  return row.result.ratio >= row.result.target;
}

/** All rows as one aligned table: rates of both sides, their ratio, and the time each took by wall and processor. */
export function formatTable(rows: readonly Row[]): string {
  const head = [
    '',
    'benchmark',
    'ours',
    'peer',
    'ratio',
    'asked',
    'ours: wall / CPU',
    'peer: wall / CPU',
    'against',
  ];
  const cells = [head, ...rows.map(cellsOf)];
  const widths = head.map((_, column) => Math.max(...cells.map((row) => row[column]!.length)));
  const leftAligned = new Set([0, 1, 8]);
  const lines = cells.map((row) =>
    row
      .map((cell, column) =>
        leftAligned.has(column) ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!),
      )
      .join('  ')
      .trimEnd(),
  );
  const rule = '─'.repeat(Math.max(...lines.map((line) => line.length)));
  return [lines[0], rule, ...lines.slice(1)].join('\n');
}

function cellsOf(row: Row): readonly string[] {
  const verdict = meetsTarget(row);
  const mark = verdict === undefined ? ' ' : verdict ? '✔' : '✘';
  if (row.kind === 'skipped') return ['–', row.name, 'skipped', '', '', '', '', '', row.reason];
  if (row.kind === 'bound') {
    return [mark, row.name, formatBytes(row.bytes), '', '', `≤ ${formatBytes(row.bytesMax)}`, '', '', ''];
  }
  const { ours, theirs, ratio, target, peer, rounds } = row.result;
  return [
    mark,
    row.name,
    formatRate(row.result, 'ours'),
    formatRate(row.result, 'theirs'),
    ratio.toFixed(2),
    target === undefined ? '' : `≥ ${target}`,
    `${formatSeconds(ours.seconds)} / ${formatSeconds(ours.cpuSeconds)}`,
    `${formatSeconds(theirs.seconds)} / ${formatSeconds(theirs.cpuSeconds)}`,
    `${peer}; median of ${rounds}`,
  ];
}

function formatRate(result: ComparisonResult, side: 'ours' | 'theirs'): string {
  const rate = rateOf(result[side], result.per);
  const per = result.per === 'second' ? 's' : 'CPU-s';
  return result.unit === 'bytes'
    ? `${formatBytes(rate)}/${per}`
    : `${Math.round(rate).toLocaleString('en')}/${per}`;
}

function formatSeconds(seconds: number): string {
  return `${seconds.toFixed(seconds < 10 ? 2 : 1)} s`;
}

/** Decimal units, three digits. */
function formatBytes(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  const step = bytes < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log10(bytes) / 3));
  return `${(bytes / 1000 ** step).toPrecision(3)} ${units[step]}`;
}
