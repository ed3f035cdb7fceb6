/**
 * A process that is a member of a pool's multicast group on this computer's real interfaces, for tests in network
 * namespaces. `group-child.ts '{"self":1,"members":[1,2]}'`, members being numbers here; it reports each message it
 * hears as one JSON object a line, and the facts when a line comes in. It closes when its standard input ends.
 */
import { createInterface } from 'node:readline';
import { silentLog } from '../base/log.ts';
import { NodeClock } from '../platform/node-clock.ts';
import { nodeEntropy } from '../platform/node-entropy.ts';
import { NodeMulticastNetwork } from '../platform/node-multicast.ts';
import { GroupChannel } from '../zeroconf/multicast/group-channel.ts';
import { MemoryDisk } from './memory-disk.ts';
import { SeededEntropy } from './seeded-entropy.ts';

interface ChildTask {
  readonly self: number;
  readonly members: readonly number[];
}

const task = JSON.parse(process.argv[2] ?? '{}') as ChildTask;
const channel = await GroupChannel.start(
  {
    pool: new Uint8Array(16),
    groupKey: new Uint8Array(32),
    self: idOf(task.self),
    compose: () => ({ port: 4270, freeGiB: task.self, summary: new Uint8Array(0) }),
    onHeard: ({ memberId, from }) => report({ heard: memberId[0], from, atMs: performance.now() }),
  },
  {
    network: new NodeMulticastNetwork(),
    clock: new NodeClock(),
    entropy: nodeEntropy,
    log: silentLog,
    disk: new MemoryDisk({ entropy: new SeededEntropy(1) }),
  },
);
channel.setMembers(task.members.map(idOf));
report({ started: task.self });

const lines = createInterface({ input: process.stdin });
lines.on('line', () => report({ facts: channel.facts() }));
lines.once('close', () => void channel.close());

function idOf(number: number): Uint8Array {
  return new Uint8Array(32).fill(number);
}

function report(event: object): void {
  process.stdout.write(`${JSON.stringify(event)}\n`);
}
