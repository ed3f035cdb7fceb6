import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Lan, whyNoLan } from './network.ts';
import { runProgram } from './processes.ts';

const reason = whyNoLan();
const options = reason === undefined ? {} : { skip: reason };

test(
  'hosts reach one another by IPv4 and by IPv6 link-local address, and have names of their own',
  options,
  async () => {
    const lan = Lan.create(['a', 'south']);
    try {
      const [north, south] = lan.hosts;
      for (const address of [south!.address, `${south!.linkLocalAddress}%eth0`]) {
        const echoed = await sendTo(north!, south!, address);
        assert.equal(echoed, 'hello');
      }
      assert.equal((await north!.run('cat', ['/proc/sys/kernel/hostname'])).stdout, 'a\n');
    } finally {
      lan.close();
    }
  },
);

test('a cut host has no carrier until it is healed', options, async () => {
  const lan = Lan.create(['north']);
  try {
    const [north] = lan.hosts;
    const carrier = async () => (await north!.run('cat', ['/sys/class/net/eth0/operstate'])).stdout.trim();
    north!.cut();
    assert.equal(await carrier(), 'down');
    north!.heal();
    assert.equal(await carrier(), 'up');
  } finally {
    lan.close();
  }
});

test('closing the LAN kills what runs on it and removes its namespaces', options, async () => {
  const lan = Lan.create(['north']);
  const sleeper = lan.host('north').start('sleep', ['1000']);
  lan.close();
  assert.equal(await sleeper.exited, 128 + 9);
  const { stdout } = await runProgram(['ip', 'netns', 'list']);
  assert.ok(!stdout.includes(lan.host('north').namespace), stdout);
});

/** What `to` receives when `from` sends it "hello" by TCP. */
async function sendTo(
  from: Lan['hosts'][number],
  to: Lan['hosts'][number],
  address: string,
): Promise<string> {
  const listen =
    'require("net").createServer(s => s.on("data", d => { console.log(String(d)); process.exit(); }))' +
    '.listen(4000, () => console.log("listening"))';
  const send = `require("net").connect(4000, ${JSON.stringify(address)}).end("hello")`;
  const server = to.start(process.execPath, ['-e', listen]);
  await server.firstLine((line) => (line === 'listening' ? line : undefined), 10_000);
  await from.run(process.execPath, ['-e', send], { timeoutMs: 10_000 });
  return server.firstLine((line) => (line === 'listening' ? undefined : line), 10_000);
}
