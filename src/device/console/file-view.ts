import { formatBytes, formatTable, printable } from '../../base/format.ts';
import { isoTime } from '../../base/log.ts';
import type { ListPage } from '../../files/tree-service.ts';

/** The entries of a folder; each line is printable. */
export function fileLines({ entries, more }: ListPage, columns: number): readonly string[] {
  if (entries.length === 0) return ['Nothing is here.'];
  const rows = entries.map(({ name, kind, size, mtimeMs }) => [
    kind === 'file' ? formatBytes(size) : '',
    isoTime(mtimeMs).slice(0, 16).replace('T', ' '),
    printable(kind === 'directory' ? `${name}/` : name),
  ]);
  const table = formatTable(
    [{ title: 'size', align: 'right' }, { title: 'changed (UTC)' }, { title: 'name', flexible: true }],
    rows,
    columns,
  );
  return more ? [...table, '…'] : table;
}
