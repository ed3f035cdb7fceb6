import { toHex } from '../../base/bytes.ts';
import { formatTable, printable } from '../../base/format.ts';
import { boxServiceType, poolTagOf } from '../../box-announcer.ts';
import { NodeMulticastNetwork } from '../../platform/node-multicast.ts';
import { sleep } from '../../ports/clock.ts';
import { Browser } from '../../zeroconf/dnssd/browse.ts';
import { type CommandLine, usageError } from '../arguments.ts';
import type { Command, CommandContext } from '../command.ts';
import { askSecondOpinion, type Comparison, compareOpinions } from '../cross-check.ts';
import { Desktop, desktopPorts } from '../desktop.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import { BoxFinder, type FoundBox, scanMs } from '../find-boxes.ts';
import { serviceTypeWords } from '../service-types.ts';

export const scan: Command = {
  name: 'scan',
  summary: 'show the boxes on this network',
  usage: '[--watch | --types | --cross-check]',
  options: {
    watch: { type: 'boolean', help: 'show boxes as they come and go, until Ctrl-C' },
    types: { type: 'boolean', help: 'show every kind of service that anybody announces here' },
    'cross-check': { type: 'boolean', help: 'ask by mdns-js too, and show where it disagrees' },
  },
  notes: ['With --cross-check, exit status 1 says that the two disagree.'],
  stopsUnread: true,
  run: (line, context) => {
    if (line.positionals.length > 0) throw usageError('scan takes no name', 'aether scan --help');
    const modes = (['watch', 'types', 'cross-check'] as const).filter((mode) => line.flag(mode));
    if (modes.length > 1) throw usageError(`--${modes[0]} or --${modes[1]}?`, 'aether scan --help');
    return ways[modes[0] ?? 'once'](context, line);
  },
};

const ways: Readonly<
  Record<
    'once' | 'watch' | 'types' | 'cross-check',
    (context: CommandContext, line: CommandLine) => Promise<ExitCode>
  >
> = { once: scanOnce, watch, types: listTypes, 'cross-check': crossCheck };

async function scanOnce({ output, homePath, signal }: CommandContext): Promise<ExitCode> {
  const finder = await BoxFinder.start();
  const boxes = await finder.scan(signal).finally(() => finder.close());
  const sorted = [...boxes].sort((a, b) => a.name.localeCompare(b.name));
  output.result(sorted.map(jsonOfBox), linesOf(sorted, await ownTag(homePath), output.columns));
  return exitCodes.done;
}

const marks = { added: '+', changed: '~', removed: '-' } as const;

/** A line for each box that comes, changes or goes. */
async function watch({ output, homePath, signal }: CommandContext): Promise<ExitCode> {
  const own = await ownTag(homePath);
  const finder = await BoxFinder.start();
  finder.follow((kind, box) => {
    const at = new Date(desktopPorts.clock.wallMs());
    const place =
      kind === 'removed' ? 'gone' : `${poolWords(box, own)}, ${freeWords(box)}, ${addressWords(box)}`;
    const line = `${at.toTimeString().slice(0, 8)} ${marks[kind]} ${box.name}  ${place}`;
    output.result({ event: kind, at: at.toISOString(), box: jsonOfBox(box) }, [line]);
  });
  try {
    await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
  } finally {
    await finder.close();
  }
  return exitCodes.interrupted;
}

async function listTypes({ output, signal }: CommandContext): Promise<ExitCode> {
  const network = new NodeMulticastNetwork();
  const browser = await Browser.start({ everyType: true }, { network, ...desktopPorts });
  // One wait for the types, and one for those of each.
  await sleep(desktopPorts.clock, 2 * scanMs, signal).catch(async (error: unknown) => {
    await browser.close();
    throw error;
  });
  const services = browser.found();
  const types = browser.types().map((type) => ({
    type,
    instances: services.filter((service) => service.type === type).map(({ instance }) => instance),
  }));
  await browser.close();
  const rows = types.map(({ type, instances }) => [
    printable(type),
    String(instances.length),
    serviceTypeWords(type),
    printable(instances.join(', ')),
  ]);
  const titles = [
    { title: 'TYPE' },
    { title: 'COUNT', align: 'right' as const },
    { title: 'WHAT' },
    { title: 'NAMES', flexible: true },
  ];
  const lines =
    rows.length === 0 ? ['Nobody announces anything here.'] : formatTable(titles, rows, output.columns);
  output.result(types, lines);
  return exitCodes.done;
}

/** Both browsers at the same time on the same network. */
async function crossCheck({ output, signal }: CommandContext): Promise<ExitCode> {
  const finder = await BoxFinder.start();
  const [theirs, ours] = await Promise.all([
    askSecondOpinion(boxServiceType, scanMs),
    finder.scan(signal).then(() => finder.services()),
  ]).finally(() => finder.close());
  const compared = compareOpinions(ours, theirs.sightings);
  if (theirs.trouble !== undefined) output.note(`The second opinion is incomplete: ${theirs.trouble}.`);
  const agrees = compared.every(({ differences }) => differences.length === 0);
  const value = { agrees, trouble: theirs.trouble ?? null, boxes: compared.map((one) => ({ ...one })) };
  output.result(value, comparisonLines(compared, agrees, output.columns));
  return agrees ? exitCodes.done : exitCodes.failed;
}

function comparisonLines(
  compared: readonly Comparison[],
  agrees: boolean,
  columns: number,
): readonly string[] {
  if (compared.length === 0) return ['No box answers on this network, whoever asks.'];
  const words = { both: 'both', us: 'aether only', 'mdns-js': 'mdns-js only' };
  const rows = compared.map(({ instance, seenBy, differences }) => [
    printable(instance),
    words[seenBy],
    differences.length === 0 && seenBy === 'us' ? 'has no IPv4 address' : differences.join('; '),
  ]);
  const titles = [{ title: 'BOX' }, { title: 'SEEN BY' }, { title: 'DIFFERENCE', flexible: true }];
  return [
    ...formatTable(titles, rows, columns),
    '',
    agrees ? 'Both browsers agree.' : 'The browsers disagree.',
  ];
}

/** What this desktop's own pool is announced by. */
async function ownTag(homePath: string): Promise<string | undefined> {
  const { pool } = await Desktop.open(homePath);
  return pool === undefined ? undefined : poolTagOf(pool.secrets.pool);
}

function linesOf(boxes: readonly FoundBox[], own: string | undefined, columns: number): readonly string[] {
  if (boxes.length === 0) return ['No box answers on this network.'];
  const rows = boxes.map((box) => [
    box.name,
    poolWords(box, own),
    freeWords(box),
    addressWords(box),
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

function poolWords({ state, poolTag }: FoundBox, own: string | undefined): string {
  if (state === 'unclaimed') return 'not claimed';
  return poolTag === own ? 'yours' : `another (${poolTag})`;
}

function freeWords({ freeGiB }: FoundBox): string {
  return freeGiB === 0 ? '<1 GiB' : `>${freeGiB} GiB`;
}

function addressWords({ addresses }: FoundBox): string {
  const [first] = addresses;
  if (first === undefined) return '';
  return first.host.includes(':') ? `[${first.host}]:${first.port}` : `${first.host}:${first.port}`;
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
