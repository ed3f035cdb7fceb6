import { toHex } from '../../base/bytes.ts';
import { formatTable } from '../../base/format.ts';
import { poolTagOf } from '../../box-announcer.ts';
import { usageError } from '../arguments.ts';
import type { Command } from '../command.ts';
import { Desktop } from '../desktop.ts';
import { exitCodes } from '../exit-codes.ts';
import { BoxFinder, type FoundBox } from '../find-boxes.ts';

export const scan: Command = {
  name: 'scan',
  summary: 'show the boxes on this network',
  usage: '',
  options: {},
  run: async (line, { output, homePath, signal }) => {
    if (line.positionals.length > 0) throw usageError('scan takes no name', 'aether scan --help');
    const finder = await BoxFinder.start();
    const boxes = await finder.scan(signal).finally(() => finder.close());
    const { pool } = await Desktop.open(homePath);
    const ownTag = pool === undefined ? undefined : poolTagOf(pool.secrets.pool);
    const sorted = [...boxes].sort((a, b) => a.name.localeCompare(b.name));
    output.result(sorted.map(jsonOfBox), linesOf(sorted, ownTag, output.columns));
    return exitCodes.done;
  },
};

function linesOf(boxes: readonly FoundBox[], ownTag: string | undefined, columns: number): readonly string[] {
  if (boxes.length === 0) return ['No box answers on this network.'];
  const rows = boxes.map((box) => [
    box.name,
    poolWords(box, ownTag),
    box.freeGiB === 0 ? '<1 GiB' : `>${box.freeGiB} GiB`,
    box.addresses.map(({ host, port }) =>
      host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`,
    )[0] ?? '',
    box.version,
  ]);
  const lines = formatTable(
    [
      { title: 'BOX' },
      { title: 'POOL' },
      { title: 'FREE', align: 'right' },
      { title: 'ADDRESS' },
      { title: 'VERSION' },
    ],
    rows,
    columns,
  );
  const unclaimed = boxes.find(({ state }) => state === 'unclaimed');
  return unclaimed === undefined ? lines : [...lines, '', `To claim one: aether claim ${unclaimed.name}`];
}

function poolWords({ state, poolTag }: FoundBox, ownTag: string | undefined): string {
  if (state === 'unclaimed') return 'not claimed';
  return poolTag === ownTag ? 'yours' : `another (${poolTag})`;
}

function jsonOfBox({ name, host, memberId, state, poolTag, version, freeGiB, addresses }: FoundBox) {
  return {
    name,
    host,
    member: toHex(memberId),
    state,
    pool: poolTag,
    version,
    freeGiB,
    addresses: addresses.map(({ host: at, port }) => ({ host: at, port })),
  };
}
