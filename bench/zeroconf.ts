import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { exitOnSignals } from '../scripts/lan/network.ts';
import { temporaryFolder } from '../scripts/lan/temporary-folder.ts';
import { whyNoZeroconf } from '../scripts/lan/zeroconf/story.ts';
import { describeMachine } from './harness.ts';
import { type Figure, formatFigures } from './zeroconf/figure.ts';
import { measureLinkLocal } from './zeroconf/link-local.ts';
import { measureLinkUp } from './zeroconf/link-up.ts';
import { measureLoad } from './zeroconf/load.ts';
import { measureVisible } from './zeroconf/visible.ts';

const usage = `Usage: npm run bench:zeroconf [-- [NAME…] [--rounds N] [--json FILE]]

Measures being found beside avahi, avahi-autoipd and ciao, on networks of hosts inside this machine (Linux, root).

  visible     start until avahi-browse on another host tells of it
  link-local  start until there is an address of 169.254/16, on a bare cable
  link-up     cable in until the first probe
  load        200 questions a second: replies, processor, memory

  --rounds N  runs of each (default 10; of link-local six times as many, of load a third)
  --json FILE also write the figures as JSON
`;

const names = ['visible', 'link-local', 'link-up', 'load'];

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { rounds: { type: 'string' }, json: { type: 'string' }, help: { type: 'boolean' } },
  });
  const rounds = Number(values.rounds ?? 10);
  const unknown = positionals.filter((name) => !names.includes(name));
  if (values.help === true || unknown.length > 0 || !Number.isInteger(rounds) || rounds < 1) {
    console.log(usage);
    return values.help === true ? 0 : 2;
  }
  const reason = whyNoZeroconf();
  if (reason !== undefined) {
    console.log(`skipped: ${reason}`);
    return 77;
  }
  exitOnSignals();
  const isChosen = (name: string) => positionals.length === 0 || positionals.includes(name);
  const figures: Figure[] = [];
  if (isChosen('visible')) figures.push(...(await measureVisible(rounds, progress)));
  if (isChosen('link-local')) figures.push(...(await measureLinkLocal(rounds * 6, progress)));
  if (isChosen('link-up')) figures.push(...(await measureLinkUp(rounds, progress)));
  if (isChosen('load'))
    figures.push(...(await measureLoad(temporaryFolder('zeroconf-bench'), Math.ceil(rounds / 3), progress)));
  progress('');
  console.log(`${describeMachine()}\n\n${formatFigures(figures)}`);
  if (values.json !== undefined) {
    writeFileSync(values.json, `${JSON.stringify({ machine: describeMachine(), figures }, null, 2)}\n`);
  }
  const missed = figures.filter(({ met }) => met === false);
  if (missed.length > 0) console.log(`\nMissed: ${missed.map(({ what }) => what).join('; ')}.`);
  return 0;
}

/** One line on a terminal that the next one replaces. */
function progress(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[2K${text}`);
}

process.exitCode = await main();
