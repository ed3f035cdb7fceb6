import { toHex } from '../../base/bytes.ts';
import { AetherError, hasCode } from '../../base/errors.ts';
import { countOf, formatGibibytes, formatTable } from '../../base/format.ts';
import type { Member } from '../../pool/membership/member-set.ts';
import type { ApplianceStatus } from '../../status/appliance-status.ts';
import { statusToCbor } from '../../status/status-codec.ts';
import { usageError } from '../arguments.ts';
import { askStatus } from '../ask-status.ts';
import type { Command } from '../command.ts';
import { Desktop } from '../desktop.ts';
import { exitCodes } from '../exit-codes.ts';
import { jsonOf } from '../output.ts';
import { byAdmission, PoolSession } from '../pool-session.ts';

interface BoxReport {
  readonly member: Member;
  /** Undefined when the box does not answer, or not in words that are known here. */
  readonly status: ApplianceStatus | undefined;
  readonly isUnreadable: boolean;
}

export const status: Command = {
  name: 'status',
  summary: 'how the pool and its boxes are',
  usage: '',
  options: {},
  stopsUnread: true,
  run: async (line, { output, homePath, signal }) => {
    if (line.positionals.length > 0) throw usageError('status takes no name', 'aether status --help');
    const desktop = await Desktop.open(homePath);
    const session = await PoolSession.open(desktop, { wait: 'all', signal });
    try {
      const reports = await Promise.all(
        byAdmission(session.pool.roster.boxes()).map((member) => reportOf(session, member)),
      );
      const boxes = reports.map(({ member, status: of, isUnreadable }) => ({
        name: member.name,
        member: toHex(member.memberId),
        answers: of !== undefined || isUnreadable,
        status: of === undefined ? null : jsonOf(statusToCbor(of)),
      }));
      const { pool } = session.pool.secrets;
      output.result({ pool: toHex(pool), boxes }, linesOf(reports, output.columns));
      if (reports.some(({ status: of }) => of !== undefined)) return exitCodes.done;
      return reports.some(({ isUnreadable }) => isUnreadable) ? exitCodes.failed : exitCodes.unreachable;
    } finally {
      await session.close();
    }
  },
};

async function reportOf(session: PoolSession, member: Member): Promise<BoxReport> {
  try {
    const connection = await session.connection(member.memberId);
    return { member, status: await askStatus(connection, 10_000), isUnreadable: false };
  } catch (error) {
    if (!(error instanceof AetherError)) throw error;
    return { member, status: undefined, isUnreadable: hasCode(error, 'STATUS_UNREADABLE') };
  }
}

/** The worst headline first; then a line a box. */
function linesOf(reports: readonly BoxReport[], columns: number): readonly string[] {
  const known = reports.flatMap(({ status: of }) => (of === undefined ? [] : [of]));
  const severities = ['critical', 'warning', 'notice', 'ok'];
  const worst = [...known].sort((a, b) => severities.indexOf(a.worst) - severities.indexOf(b.worst))[0];
  const pool = worst?.pool;
  const isUnread = reports.some(({ isUnreadable }) => isUnreadable);
  const nothing = isUnread ? 'No box says in words that this program knows how it is.' : 'No box answers.';
  const lines = [worst?.headline ?? nothing];
  if (worst !== undefined && worst.help !== '') lines.push(`  ${worst.help}`);
  if (pool !== null && pool !== undefined) {
    const copies = countOf(Math.min(pool.replicas, pool.boxes), 'copy', 'copies');
    const disk = `${formatGibibytes(pool.rawBytes)} of disk`;
    lines.push(`Room for ${formatGibibytes(pool.usableBytes)} of files in all: ${disk}, ${copies} of each.`);
  }
  const rows = reports.map(({ member, status: of, isUnreadable }) => {
    if (of === undefined) {
      return isUnreadable
        ? [member.name, 'unknown', '', '', 'It is of another version: update this program, or the box.']
        : [member.name, 'away', '', '', 'It does not answer.'];
    }
    const { usedBytes, freeBytes } = of.capacity;
    const [state, words] = of.worst === 'ok' ? ['well', ''] : [of.worst, of.headline];
    return [member.name, state, formatGibibytes(usedBytes), formatGibibytes(freeBytes), words];
  });
  const table = formatTable(
    [
      { title: 'BOX' },
      { title: 'STATE' },
      { title: 'USED', align: 'right' },
      { title: 'FREE', align: 'right' },
      { title: '', flexible: true },
    ],
    rows,
    columns,
  );
  return [...lines, '', ...table];
}
