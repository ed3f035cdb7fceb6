import assert from 'node:assert/strict';
import { test } from 'node:test';
import { updateInstallTimeoutMs } from '../../base/face-limits.ts';
import { FakeClock } from '../../testing/fake-clock.ts';
import { Rauc } from './rauc.ts';
import type { ToolAnswer } from './run-tool.ts';

const text = (data: string) => JSON.stringify({ type: 's', data });
const done = (stdout: string): ToolAnswer => ({ exitCode: 0, stdout, stderr: '' });
const says = (stderr: string): ToolAnswer => ({ exitCode: 1, stdout: '', stderr });

/** What busctl(1) printed on a box, by method or property. */
class Bus {
  readonly clock = new FakeClock();
  readonly asked: string[] = [];
  readonly answers: Record<string, ToolAnswer | readonly ToolAnswer[]> = {
    BootSlot: done(text('A')),
    Compatible: done(text('aetherstore-arm64')),
    Operation: done(text('idle')),
    LastError: done(text('')),
    Progress: done('{"type":"(isi)","data":[40,"Copying image",3]}'),
    InstallBundle: done(''),
    Mark: done('{"type":"ss","data":["rootfs.1","marked"]}'),
    GetPrimary: done('{"type":"s","data":["rootfs.1"]}'),
    GetSlotStatus: done(
      '{"type":"a(sa{sv})","data":[[["rootfs.0",{"bootname":{"type":"s","data":"A"},"state":{"type":"s","data":"booted"},' +
        '"boot-status":{"type":"s","data":"bad"}}],["rootfs.1",{"bootname":{"type":"s","data":"B"},' +
        '"boot-status":{"type":"s","data":"good"},"bundle.version":{"type":"s","data":"2.0.0"}}]]]}',
    ),
  };
  readonly rauc = new Rauc({
    clock: this.clock,
    run: (_command, words) => {
      const names = words.filter((word) => word in this.answers);
      this.asked.push(names[0] === 'Mark' ? words.slice(-2).join(' ') : names.join(' '));
      const answers = names.map((name) => this.#next(name));
      const failed = answers.find(({ exitCode }) => exitCode !== 0);
      return Promise.resolve(failed ?? done(answers.map(({ stdout }) => stdout).join('\n')));
    },
  });

  #next(name: string): ToolAnswer {
    const answer = this.answers[name];
    if (!Array.isArray(answer)) return answer as ToolAnswer;
    this.answers[name] = answer.length > 1 ? answer.slice(1) : answer[0];
    return answer[0] as ToolAnswer;
  }
}

test('which system is started next, and which would be, is what the installer says (rauc 1.13, D-Bus API)', async () => {
  const bus = new Bus();
  const { booted, busy, primary, startable, otherVersion } = await bus.rauc.state();
  assert.deepEqual(
    { booted, busy, primary, startable, otherVersion },
    { booted: 'A', busy: false, primary: 'B', startable: ['B'], otherVersion: '2.0.0' },
  );
  assert.equal(bus.asked.length, 3, 'by as few programs as can be');
});

test('an installer that is busy is not asked what it does not answer', async () => {
  const bus = new Bus();
  bus.answers.Operation = done(text('installing'));
  const { busy, primary, startable } = await bus.rauc.state();
  assert.deepEqual({ busy, primary, startable }, { busy: true, primary: null, startable: [] });
  assert.equal(bus.asked.includes('GetSlotStatus'), false);
});

test('that no system has tries left is known, not unknown', async () => {
  const bus = new Bus();
  bus.answers.GetPrimary = says('Call failed: Failed getting primary slot: Unable to find primary boot slot');
  assert.equal((await bus.rauc.state()).primary, null);
  for (const reason of ['Connection timed out', 'Failed getting primary slot: fw_printenv failed']) {
    bus.answers.GetPrimary = says(`Call failed: ${reason}`);
    await assert.rejects(bus.rauc.state(), { code: 'UPDATER_UNAVAILABLE' });
  }
});

test('an installation goes on while the installer does not answer', async () => {
  const bus = new Bus();
  const busy = done(text('installing'));
  bus.answers.Operation = [busy, says('Call failed: Connection timed out'), busy, done(text('idle'))];
  const heard: number[] = [];
  await bus.clock.runUntil(bus.rauc.install('/updates/bundle.raucb', (percent) => heard.push(percent)));
  assert.deepEqual(heard, [40, 40]);
});

test('it takes its time while it answers, and is not waited for for ever when it does not', async () => {
  const bus = new Bus();
  bus.answers.Operation = done(text('installing'));
  let ended = false;
  const watched = bus.rauc
    .watch(() => {})
    .finally(() => {
      ended = true;
    });
  await bus.clock.run(updateInstallTimeoutMs + 60_000);
  assert.equal(ended, false);
  bus.answers.Operation = says('');
  await assert.rejects(bus.clock.runUntil(watched, 2 * updateInstallTimeoutMs), {
    code: 'UPDATER_UNAVAILABLE',
  });
});

test('what the installer said last is told to people, and is not taken for a fault of the bundle', async () => {
  for (const [said, code, words] of [
    ['Failed to open device /dev/mmcblk0p3: Read-only file system', 'UPDATE_FAILED', /Read-only/],
    ['Already processing a different method', 'UPDATE_FAILED', /Already processing/],
    ['signature verification failed: self-signed certificate', 'UPDATE_UNTRUSTED', /signed by nobody/],
  ] as const) {
    const bus = new Bus();
    bus.answers.LastError = done(text(said));
    await assert.rejects(
      bus.rauc.install('x', () => {}),
      { code, message: words },
    );
    bus.answers.InstallBundle = says(`Call failed: ${said}`);
    await assert.rejects(
      bus.rauc.install('x', () => {}),
      { code, message: words },
    );
  }
});

test('a file that is no bundle is told from one that nobody signed, and from an installer that does not answer', async () => {
  for (const [said, code] of [
    ['Call failed: Failed to check payload size: out of range', 'UPDATE_UNREADABLE'],
    ['Call failed: signature verification failed', 'UPDATE_UNTRUSTED'],
    ['Call failed: already processing a different method', 'UPDATER_UNAVAILABLE'],
    [
      'Call failed: The name de.pengutronix.rauc was not provided by any .service files',
      'UPDATER_UNAVAILABLE',
    ],
  ] as const) {
    const bus = new Bus();
    bus.answers.InspectBundle = says(said);
    await assert.rejects(bus.rauc.inspect('x'), { code });
  }
});

test('the system that runs is marked good, and the other one bad or as the next', async () => {
  const bus = new Bus();
  await bus.rauc.markGood();
  await bus.rauc.markOtherBad();
  await bus.rauc.markOtherActive();
  assert.deepEqual(bus.asked, ['good booted', 'bad other', 'active other']);
});
