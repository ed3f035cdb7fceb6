import { toHex } from '../../base/bytes.ts';
import { formatBytes, formatTable, printable } from '../../base/format.ts';
import { isoTime } from '../../base/log.ts';
import { parseRemotePath } from '../../files/remote-path.ts';
import type { RemoteEntry } from '../../files/tree/remote-entry.ts';
import { usageError } from '../arguments.ts';
import type { Command } from '../command.ts';
import { Desktop } from '../desktop.ts';
import { exitCodes } from '../exit-codes.ts';
import { PoolSession } from '../pool-session.ts';
import { RemoteTree } from '../remote-tree.ts';

export const ls: Command = {
  name: 'ls',
  summary: 'list a folder of the pool',
  usage: '[/REMOTE] [--long]',
  options: {
    long: { type: 'boolean', short: 'l', help: 'with permissions, size and time' },
    box: { type: 'string', value: 'NAME', help: 'ask this box' },
  },
  stopsUnread: true,
  run: async (line, { output, homePath, signal }) => {
    const [text = '/', ...more] = line.positionals;
    if (more.length > 0) throw usageError('ls takes one path', 'aether ls --help');
    const path = parseRemotePath(text);
    const desktop = await Desktop.open(homePath);
    const session = await PoolSession.open(desktop, { wait: 'one', signal, box: line.text('box') });
    try {
      const tree = new RemoteTree(session);
      const entry = await tree.stat(path);
      const entries: RemoteEntry[] = [];
      if (entry.kind === 'directory') for await (const child of tree.list(path)) entries.push(child);
      else entries.push(entry);
      const lines = line.flag('long') ? longLines(entries, output.columns) : entries.map(shortLine);
      output.result(entries.map(jsonOfEntry), lines);
      return exitCodes.done;
    } finally {
      await session.close();
    }
  },
};

function shortLine({ name, kind }: RemoteEntry): string {
  return `${printable(name)}${kind === 'directory' ? '/' : kind === 'symlink' ? '@' : ''}`;
}

function longLines(entries: readonly RemoteEntry[], columns: number): readonly string[] {
  const rows = entries.map((entry) => [
    modeText(entry),
    entry.kind === 'file' ? formatBytes(entry.size) : '',
    isoTime(entry.mtimeMs).slice(0, 16).replace('T', ' '),
    entry.target === undefined ? shortLine(entry) : `${entry.name} -> ${entry.target}`,
  ]);
  const titles = [{ title: 'MODE' }, { title: 'SIZE', align: 'right' as const }, { title: 'CHANGED' }];
  return formatTable([...titles, { title: 'NAME', flexible: true }], rows, columns);
}

/** `drwxr-x---`, as ls(1) has it. */
function modeText({ kind, mode }: RemoteEntry): string {
  const letters = ['r', 'w', 'x'];
  const bits = Array.from({ length: 9 }, (_, index) =>
    (mode >> (8 - index)) & 1 ? letters[index % 3]! : '-',
  );
  return `${kind === 'directory' ? 'd' : kind === 'symlink' ? 'l' : '-'}${bits.join('')}`;
}

function jsonOfEntry({ name, node, kind, mode, mtimeMs, size, target }: RemoteEntry) {
  return { name, node: toHex(node), kind, mode, mtimeMs, size, target };
}
