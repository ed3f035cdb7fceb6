import { styleText } from 'node:util';
import type { BoxProcess } from './box-process.ts';
import type { Lan } from './network.ts';

const columnWidth = 19;

/**
 * The LAN as a person would sketch it:
 *
 *     ┌───────────┐    ┌───────────┐    ┌───────────┐
 *     │ alder     │    │ birch     │    │ desktop   │
 *     │ 10.77.0.1 │    │ 10.77.0.2 │    │ 10.77.0.3 │
 *     │ 2 disks   │    │ 2 disks   │    │ you       │
 *     │ NRRW-0N0C │    │ 0A1B-2C3D │    │           │
 *     └─────┬─────┘    └─────┬─────┘    └─────┬─────┘
 *     ──────┴────────────────┴────────────────┴──────
 */
export function drawLan(lan: Lan, boxes: readonly BoxProcess[]): string {
  const columns = lan.hosts.map((host) => {
    const box = boxes.find(({ options }) => options.name === host.name);
    if (box === undefined) return [host.name, host.address, 'you are here', ''];
    return [host.name, host.address, '2 disks', box.ready.claimCode ?? 'claimed'];
  });
  const inner = columnWidth - 4;
  const rows = [0, 1, 2, 3].map((line) => columns.map((lines) => cell(lines[line]!, line, inner)).join('  '));
  const edge = (left: string, middle: string, right: string) =>
    columns.map(() => `${left}${'─'.repeat(inner / 2)}${middle}${'─'.repeat(inner / 2)}${right}`).join('  ');
  const wire = columns
    .map(() => `${'━'.repeat(columnWidth / 2 - 1)}┷${'━'.repeat(columnWidth / 2 - 1)}`)
    .join('━━');
  return [edge('┌', '─', '┐'), ...rows, edge('└', '┬', '┘'), wire].map((line) => `  ${line}`).join('\n');
}

/** What to type first: claim the boxes that wait for it, then store and look. */
export function firstSteps(boxes: readonly BoxProcess[]): string {
  const unclaimed = boxes.filter(({ ready }) => ready.claimCode !== null);
  const steps = [
    ['aether scan', 'see the boxes'],
    ...unclaimed.map(({ options, ready }, index): [string, string] => [
      `aether claim ${options.name} --code ${ready.claimCode}`,
      index === 0 && unclaimed.length === boxes.length ? 'make the pool with it' : 'take it in',
    ]),
    ['aether put /usr/share/doc/bash /doc', 'store a folder, twice in the pool'],
    ['aether ls /doc', 'look at it'],
    ['aether get /doc /tmp/doc', 'have it back'],
  ] as const;
  const width = Math.max(...steps.map(([command]) => command.length));
  const lines = steps.map(([command, why]) => `  ${styleText('bold', command.padEnd(width))}  ${dim(why)}`);
  return ['First steps:', ...lines].join('\n');
}

function cell(text: string, line: number, inner: number): string {
  const padded = text.padEnd(inner - 1);
  return `│ ${line === 0 ? styleText('bold', padded) : line === 2 ? dim(padded) : padded}│`;
}

function dim(text: string): string {
  return styleText('dim', text);
}
