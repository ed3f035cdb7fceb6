/**
 * A process that advertises or browses on this computer's real interfaces, for tests against other programs in network
 * namespaces. `mdns-child.ts '{"advertise":{…}}'` or `'{"browse":"_http._tcp"}'`; it reports one JSON object a line,
 * and closes orderly when its standard input ends.
 */
import { silentLog } from '../base/log.ts';
import { NodeClock } from '../platform/node-clock.ts';
import { nodeEntropy } from '../platform/node-entropy.ts';
import { NodeMulticastNetwork } from '../platform/node-multicast.ts';
import { Advertiser, type AdvertiserOptions } from '../zeroconf/dnssd/advertise.ts';
import { Browser } from '../zeroconf/dnssd/browse.ts';

interface ChildTask {
  readonly advertise?: AdvertiserOptions;
  readonly browse?: string;
}

const task = JSON.parse(process.argv[2] ?? '{}') as ChildTask;
const ports = {
  network: new NodeMulticastNetwork(),
  clock: new NodeClock(),
  entropy: nodeEntropy,
  log: silentLog,
};
const closers: (() => Promise<void>)[] = [];

if (task.advertise !== undefined) {
  const advertiser = await Advertiser.start(task.advertise, ports);
  report({ event: 'started' });
  advertiser.onRename((names) => report({ event: 'renamed', names }));
  void advertiser.ready.then(() => report({ event: 'ready', names: advertiser.names }));
  closers.push(() => advertiser.close());
}
if (task.browse !== undefined) {
  const browser = await Browser.start({ type: task.browse }, ports);
  browser.onChange((event) => report({ event: event.kind, service: event.service }));
  closers.push(() => browser.close());
}

process.stdin.resume();
process.stdin.once('end', () => {
  void Promise.all(closers.map((close) => close()));
});

function report(event: object): void {
  process.stdout.write(`${JSON.stringify(event)}\n`);
}
