/** One line of the report: a figure of each side, and what was asked of ours. */
export interface Figure {
  readonly what: string;
  readonly ours: string;
  readonly peers: Readonly<Record<string, string>>;
  readonly asked: string;
  /** Undefined when nothing was asked. */
  readonly met: boolean | undefined;
}

export function formatFigures(figures: readonly Figure[]): string {
  const head = ['', 'measured', 'ours', 'peers', 'asked of ours'];
  const rows = figures.map(({ what, ours, peers, asked, met }) => [
    met === undefined ? ' ' : met ? '✔' : '✘',
    what,
    ours,
    Object.entries(peers)
      .map(([name, figure]) => `${name} ${figure}`)
      .join(', '),
    asked,
  ]);
  const all = [head, ...rows];
  const widths = head.map((_, column) => Math.max(...all.map((row) => row[column]!.length)));
  const lines = all.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column]!))
      .join('  ')
      .trimEnd(),
  );
  return [lines[0], '─'.repeat(Math.max(...lines.map((line) => line.length))), ...lines.slice(1)].join('\n');
}

export function milliseconds(value: number): string {
  return `${value.toFixed(0)} ms`;
}

export function seconds(value: number): string {
  return `${value.toFixed(2)} s`;
}
