import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Avahi } from '../../scripts/lan/avahi.ts';
import { BoxProcess } from '../../scripts/lan/box-process.ts';
import { Lan, type LanHost } from '../../scripts/lan/network.ts';
import { cpuSecondsOf } from '../../scripts/lan/processes.ts';
import type { Figure } from './figure.ts';
import { median, memoryOf, serviceType, startChild } from './hosts.ts';

const perSecond = 200;
const durationSeconds = 10;
const repliesMax = 11;

interface Load {
  readonly replies: number;
  readonly cpuPercent: number;
  readonly memoryBytes: number;
}

/** What 200 questions a second for a type of its own cost a responder, in replies, processor time and memory. */
export async function measureLoad(
  folder: string,
  rounds: number,
  progress: (text: string) => void,
): Promise<readonly Figure[]> {
  const loads = { ours: [] as Load[], box: [] as Load[], avahi: [] as Load[], ciao: [] as Load[] };
  for (let round = 0; round < rounds; round++) {
    progress(`${perSecond} questions a second: ${round + 1} of ${rounds}`);
    const lan = Lan.create(['ours', 'ciao', 'avahi', 'box', 'asker']);
    const asker = lan.host('asker');
    const ours = await startChild(lan.host('ours'), 'our-child.ts', ['advertise', 'ours']);
    loads.ours.push(await load(asker, ours.program.pid));
    await ours.program.stop();
    const ciao = await startChild(lan.host('ciao'), 'ciao-child.ts', ['advertise', 'ciao']);
    loads.ciao.push(await load(asker, ciao.program.pid));
    await ciao.program.stop();
    const avahi = await Avahi.start(lan.host('avahi'));
    const publisher = avahi.start('avahi-publish', ['-s', 'avahi', serviceType, '4270', 'txtvers=1']);
    loads.avahi.push(await load(asker, pidOf(lan.host('avahi'), 'avahi-daemon')));
    await publisher.stop();
    await avahi.stop();
    const box = await BoxProcess.start({ name: 'box', folder: join(folder, `box${round}`) }, lan.host('box'));
    loads.box.push(await load(asker, box.program.pid));
    await box.stop();
    lan.close();
  }
  return figuresOf(loads);
}

function figuresOf(
  loads: Readonly<Record<'ours' | 'box' | 'avahi' | 'ciao', readonly Load[]>>,
): readonly Figure[] {
  const of = (who: keyof typeof loads, key: keyof Load) => median(loads[who].map((one) => one[key]));
  const percent = (who: keyof typeof loads) => `${of(who, 'cpuPercent').toFixed(1)}%`;
  const megabytes = (who: keyof typeof loads) => `${(of(who, 'memoryBytes') / 1e6).toFixed(0)} MB`;
  return [
    {
      what: `replies to ${perSecond} questions a second in ${durationSeconds} s`,
      ours: `${of('ours', 'replies')} (box ${of('box', 'replies')})`,
      peers: { avahi: String(of('avahi', 'replies')), ciao: String(of('ciao', 'replies')) },
      asked: `≤ ${repliesMax}`,
      met: Math.max(...[...loads.ours, ...loads.box].map(({ replies }) => replies)) <= repliesMax,
    },
    {
      what: 'processor meanwhile, of one core',
      ours: `${percent('ours')} (box ${percent('box')})`,
      peers: { avahi: percent('avahi'), ciao: percent('ciao') },
      asked: '< ciao',
      met: of('ours', 'cpuPercent') < of('ciao', 'cpuPercent'),
    },
    {
      what: 'memory afterwards (proportional set size)',
      ours: `${megabytes('ours')} (box ${megabytes('box')})`,
      peers: { avahi: megabytes('avahi'), ciao: megabytes('ciao') },
      asked: '',
      met: undefined,
    },
  ];
}

/** Waits until announcements are over, then asks. */
async function load(asker: LanHost, pid: number): Promise<Load> {
  await new Promise((resolve) => setTimeout(resolve, 6000));
  const before = cpuSecondsOf(pid);
  const words = [
    join(import.meta.dirname, 'query-child.ts'),
    serviceType,
    String(perSecond),
    String(durationSeconds),
  ];
  const { stdout } = await asker.run(process.execPath, ['--disable-warning=ExperimentalWarning', ...words], {
    timeoutMs: 30_000,
  });
  const cpuPercent = ((cpuSecondsOf(pid) - before) / durationSeconds) * 100;
  const { replies } = JSON.parse(stdout) as { readonly replies: number };
  return { replies, cpuPercent, memoryBytes: memoryOf(pid) };
}

/** The process of that name in a host's network namespace. */
function pidOf(host: LanHost, name: string): number {
  const pids = readdirSync('/proc').filter((entry) => /^\d+$/.test(entry));
  const found = pids.find((pid) => {
    try {
      return (
        readFileSync(`/proc/${pid}/comm`, 'utf8').trim() === name &&
        readFileSync(`/proc/${pid}/net/dev`, 'utf8').includes('eth0') &&
        readFileSync(`/proc/${pid}/net/fib_trie`, 'utf8').includes(host.address)
      );
    } catch {
      return false; // It ended meanwhile.
    }
  });
  if (found === undefined) throw new Error(`no ${name} on ${host.name}`);
  return Number(found);
}
