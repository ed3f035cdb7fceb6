/** The status as lines of text, for the console and for `aether status`. Pure; each line is printable. */
import {
  countOf,
  formatAge,
  formatDuration,
  formatGibibytes,
  formatTable,
  printable,
  wrapText,
} from '../../base/format.ts';
import type { ApplianceStatus } from '../../status/appliance-status.ts';
import { conditionKey } from '../../status/condition.ts';
import { describeComputer } from '../../status/describe-computer.ts';
import type { HardwareFacts } from '../../status/facts.ts';
import { describeLights } from '../leds/patterns.ts';
import { labelled } from './labelled.ts';

export function statusLines(status: ApplianceStatus, columns: number): readonly string[] {
  const { box, capacity } = status;
  const space = `${formatGibibytes(capacity.usedBytes)} used, ${formatGibibytes(capacity.freeBytes)} free on this box`;
  return [
    ...wrapText(printable(status.headline), columns),
    '',
    ...labelled(
      'box',
      `${box.name}, AetherStore ${box.version}, up ${formatDuration(box.uptimeMs)}`,
      columns,
    ),
    ...labelled('pool', poolSentence(status), columns),
    ...labelled('space', space, columns),
    ...labelled('network', networkSentence(status), columns),
    ...labelled('lights', describeLights(status.light), columns),
    ...computerLines(status.hardware, columns),
    ...conditionLines(status, columns),
  ];
}

/** What the computer tells of itself; nothing where it tells nothing. */
function computerLines(hardware: HardwareFacts, columns: number): readonly string[] {
  const said = describeComputer(hardware);
  return said === '' ? [] : labelled('computer', said, columns);
}

/** Every condition with its severity, what is the case and what to do. Nothing when there are none. */
function conditionLines(status: ApplianceStatus, columns: number): readonly string[] {
  return status.conditions.flatMap((condition) => [
    '',
    ...labelled(condition.severity, condition.message, columns),
    ...labelled('', condition.help, columns),
    ...(condition.acknowledged ? labelled('', 'You have seen it.', columns) : []),
  ]);
}

/** What there is to be acknowledged, by its key. */
export function conditionKeyLines({ conditions }: ApplianceStatus, columns: number): readonly string[] {
  if (conditions.length === 0) return ['There is nothing to be seen.'];
  return conditions.flatMap((condition) => {
    const seen = condition.acknowledged ? ' (seen)' : '';
    return [
      printable(`${conditionKey(condition)}${seen}`),
      ...wrapText(printable(condition.message), columns - 2).map((line) => `  ${line}`),
    ];
  });
}

export function poolLines(status: ApplianceStatus, columns: number): readonly string[] {
  const { pool, copies, box } = status;
  if (pool === null) {
    return wrapText(
      `This box belongs to nobody yet. On a desktop, run: aether claim ${printable(box.name)}`,
      columns,
    );
  }
  const missing = copies.missing === 0 ? '' : `; ${countOf(copies.missing, 'piece')} of data without one`;
  return [
    ...labelled('pool', pool.id, columns),
    ...labelled('boxes', `${pool.boxesReachable} of ${pool.boxes} answer`, columns),
    ...labelled(
      'copies',
      `${Math.min(pool.replicas, pool.boxes)} of each new file${missing}${copies.copying ? '; copying now' : ''}`,
      columns,
    ),
    ...labelled(
      'usable',
      `${formatGibibytes(pool.usableBytes)} of ${formatGibibytes(pool.rawBytes)} raw`,
      columns,
    ),
  ];
}

export function boxLines(status: ApplianceStatus, columns: number): readonly string[] {
  const { box, network } = status;
  const own = network.interfaces.flatMap((each) => each.addresses).map(({ address }) => address)[0];
  const ownAddress = own === undefined ? '' : network.port === null ? own : withPort(own, network.port);
  const rows = [
    [box.name, 'this box', ownAddress, 'now', box.memberId.slice(0, 8)],
    ...status.peers.map((peer) => [
      peer.name,
      peer.reachable ? 'answers' : 'away',
      peer.address ?? '',
      peer.reachable ? 'now' : peer.lastSeenAgoMs === null ? 'not yet' : formatAge(peer.lastSeenAgoMs),
      peer.memberId.slice(0, 8),
    ]),
  ];
  const titles = [
    { title: 'box', flexible: true },
    { title: 'state' },
    { title: 'address' },
    { title: 'heard' },
    { title: 'id' },
  ];
  return formatTable(titles, rows, columns);
}

/** What a person sees first when a console opens. */
export function bannerLines(status: ApplianceStatus, columns: number): readonly string[] {
  const { box, network } = status;
  const address = network.interfaces.flatMap((each) => each.addresses).map(({ address }) => address)[0];
  const at =
    address === undefined ? '' : ` at ${network.port === null ? address : withPort(address, network.port)}`;
  const help = status.help === '' ? [] : wrapText(printable(status.help), columns);
  return [
    ...wrapText(printable(`AetherStore ${box.version}, box ${box.name}${at}`), columns),
    ...wrapText(printable(status.headline), columns),
    ...help,
  ];
}

function poolSentence(status: ApplianceStatus): string {
  const { pool } = status;
  if (pool === null) return 'none: not claimed';
  const copies = Math.min(pool.replicas, pool.boxes);
  const usable = `${formatGibibytes(pool.usableBytes)} usable (${formatGibibytes(pool.rawBytes)} raw)`;
  return `${pool.boxesReachable} of ${pool.boxes} boxes answer, ${countOf(copies, 'copy', 'copies')}, ${usable}`;
}

function networkSentence(status: ApplianceStatus): string {
  const { interfaces, port, announcedNames } = status.network;
  const addresses = interfaces.flatMap((each) => each.addresses).map(({ address }) => address);
  if (addresses.length === 0) return 'no address';
  return [...addresses, ...(port === null ? [] : [`port ${port}`]), ...announcedNames].join(', ');
}

function withPort(address: string, port: number): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}
