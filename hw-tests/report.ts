/** What became of one test. */
export interface Line {
  readonly suite: string;
  readonly name: string;
  readonly seconds: number;
  readonly outcome: 'passed' | 'failed' | 'skipped';
  readonly remark: string;
}

export function tableOf(lines: readonly Line[], wallSeconds: number): string {
  const signs = { passed: '✔', failed: '✘', skipped: '–' } as const;
  const rows = lines.map(
    ({ suite, name, seconds, outcome, remark }) =>
      `${signs[outcome]} ${`${seconds.toFixed(1)} s`.padStart(8)}  ${suite}: ${name}\n${' '.repeat(12)}${remark}`,
  );
  const count = (outcome: Line['outcome']) => lines.filter((line) => line.outcome === outcome).length;
  const totals = `${count('passed')} passed, ${count('failed')} failed, ${count('skipped')} skipped, ${(wallSeconds / 60).toFixed(1)} min`;
  return ['', ...rows, '', totals].join('\n');
}
