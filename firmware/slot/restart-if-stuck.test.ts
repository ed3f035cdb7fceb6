import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

const script = new URL('../../overlays/rootfs/usr/lib/aetherstore/restart-if-stuck', import.meta.url)
  .pathname;
const skip = process.platform === 'linux' ? false : 'a script of the appliance';

/** What it asks of the kernel when the program ended so, and these processes are left in its group at each look. */
function asked(result: string, ...looks: readonly (readonly string[])[]): string {
  return askedDuring('', result, ...looks);
}

/** As `asked`, while the system does this. */
function askedDuring(jobs: string, result: string, ...looks: readonly (readonly string[])[]): string {
  return askedBeside({ jobs }, result, ...looks);
}

interface Circumstances {
  readonly jobs?: string;
  /** The commands of a card that does not answer. */
  readonly flush?: string;
}

function askedBeside(
  { jobs = '', flush = '' }: Circumstances,
  result: string,
  ...looks: readonly (readonly string[])[]
): string {
  const folder = mkdtempSync(join(tmpdir(), 'aether-stuck-'));
  try {
    const put = (name: string, text: string) => writeFileSync(join(folder, name), text, { mode: 0o755 });
    const list = (left: readonly string[]) => left.map((each) => `${each}\n`).join('');
    looks.forEach((left, index) => {
      put(`look${index}`, list(left));
    });
    put('trigger', '');
    // Each second another look, the last one again and again.
    const next = `for each in ${looks.map((_, index) => `look${index}`).join(' ')}; do [ -e $each ] && break; done`;
    put('sleep', `#!/bin/sh\ncd ${folder}\n${next}\n[ ! -e $each ] || mv $each cgroup.procs\n`);
    for (const tool of ['journalctl', 'sync']) put(tool, `#!/bin/sh\n${flush}\n`);
    const env = {
      PATH: `${folder}:${process.env.PATH}`,
      SERVICE_RESULT: result,
      SYSRQ_TRIGGER: join(folder, 'trigger'),
      DONE_MARK: join(folder, 'written'),
    };
    put('systemctl', `#!/bin/sh\necho '${jobs}'\n`);
    // The script's own process is in the group too.
    const own = `sleep 1; echo $$ >>${folder}/cgroup.procs; exec ${script} ${folder}`;
    assert.equal(spawnSync('sh', ['-c', own], { env }).status, 0);
    return readFileSync(join(folder, 'trigger'), 'utf8').trim();
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test('what could not be killed has the machine start again', { skip }, () => {
  assert.equal(asked('watchdog', ['301', '394']), 'b');
});

test('what could not be killed does not keep the machine on that is being switched off', { skip }, () => {
  assert.equal(askedDuring('812 poweroff.target start waiting', 'timeout', ['301']), 'o');
  assert.equal(askedDuring('812 reboot.target start waiting', 'timeout', ['301']), 'b');
});

test('a card that does not answer either does not keep it from that', { skip }, () => {
  const flush = 'trap "" TERM; exec tail --pid=$PPID -f /dev/null';
  assert.equal(askedBeside({ flush }, 'watchdog', ['301']), 'b');
});

test('what is gone a second later was ending', { skip }, () => {
  assert.equal(asked('watchdog', ['301', '394'], ['394'], []), '');
});

test('a program that has ended, however it did, is only started again', { skip }, () => {
  assert.equal(asked('watchdog', []), '');
  assert.equal(asked('success', ['301']), '');
});
