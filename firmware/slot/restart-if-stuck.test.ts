import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

const script = new URL('../../overlays/rootfs/usr/lib/aetherstore/restart-if-stuck', import.meta.url)
  .pathname;
const skip = process.platform === 'linux' ? false : 'a script of the appliance';

/** What it asks of the service manager when the program ended so, and these processes are left in its group. */
function asked(result: string, left: readonly string[]): string {
  const folder = mkdtempSync(join(tmpdir(), 'aether-stuck-'));
  try {
    writeFileSync(join(folder, 'systemctl'), '#!/bin/sh\necho "systemctl $*"\n', { mode: 0o755 });
    writeFileSync(join(folder, 'cgroup.procs'), left.map((each) => `${each}\n`).join(''));
    // The script's own process is in the group too.
    const own = `echo $$ >>${folder}/cgroup.procs; exec ${script} ${folder}`;
    const env = { PATH: `${folder}:${process.env.PATH}`, SERVICE_RESULT: result };
    const { status, stdout } = spawnSync('sh', ['-c', own], { env, encoding: 'utf8' });
    assert.equal(status, 0);
    return stdout;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test('what could not be killed has the machine start again', { skip }, () => {
  assert.match(asked('watchdog', ['301', '394']), /processes 301 394 .*\nsystemctl --no-block reboot\n/);
});

test('a program that has ended, however it did, is only started again', { skip }, () => {
  assert.equal(asked('watchdog', []), '');
  assert.equal(asked('success', ['301']), '');
});
