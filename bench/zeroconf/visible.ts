import { Avahi } from '../../scripts/lan/avahi.ts';
import { Lan } from '../../scripts/lan/network.ts';
import { type Figure, milliseconds } from './figure.ts';
import { browse, median, seen, serviceType, startChild } from './hosts.ts';

const targetMs = 900;

/** Start to visible: until an `avahi-browse` that runs on another host tells of the service, in turns. */
export async function measureVisible(
  rounds: number,
  progress: (text: string) => void,
): Promise<readonly Figure[]> {
  const lan = Lan.create(['ours', 'theirs', 'peer']);
  const watcher = await Avahi.start(lan.host('peer'));
  const publisher = await Avahi.start(lan.host('theirs'));
  const browser = await browse(watcher);
  const times = {
    ours: [] as number[],
    oursExec: [] as number[],
    avahi: [] as number[],
    ciao: [] as number[],
    ciaoExec: [] as number[],
  };
  for (let round = 0; round < rounds; round++) {
    progress(`start to visible: ${round + 1} of ${rounds}`);
    const ours = await startChild(lan.host('ours'), 'our-child.ts', ['advertise', `o${round}`]);
    const atOurs = await seen(browser, `o${round}`);
    times.ours.push(atOurs - ours.startedMs);
    times.oursExec.push(atOurs - ours.execMs);
    await ours.program.stop();
    const startedMs = performance.now();
    const avahi = publisher.start('avahi-publish', ['-s', `a${round}`, serviceType, '4270', 'txtvers=1']);
    times.avahi.push((await seen(browser, `a${round}`)) - startedMs);
    await avahi.stop();
    const ciao = await startChild(lan.host('ours'), 'ciao-child.ts', ['advertise', `c${round}`]);
    const atCiao = await seen(browser, `c${round}`);
    times.ciao.push(atCiao - ciao.startedMs);
    times.ciaoExec.push(atCiao - ciao.execMs);
    await ciao.program.stop();
  }
  await browser.stop();
  await publisher.stop();
  await watcher.stop();
  lan.close();
  const ours = median(times.ours);
  const avahi = median(times.avahi);
  return [
    {
      what: 'start to visible, from the program’s own start',
      ours: milliseconds(ours),
      peers: { 'avahi-publish': milliseconds(avahi), ciao: milliseconds(median(times.ciao)) },
      asked: `≤ ${targetMs} ms and ≤ avahi`,
      met: ours <= targetMs && ours <= avahi,
    },
    {
      what: 'start to visible, from exec (a Node runtime starts first)',
      ours: milliseconds(median(times.oursExec)),
      peers: { ciao: milliseconds(median(times.ciaoExec)) },
      asked: '',
      met: undefined,
    },
  ];
}
