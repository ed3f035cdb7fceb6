import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

const script = new URL('../../overlays/rootfs/usr/lib/aetherstore/give-up-slot', import.meta.url).pathname;
const skip = process.platform === 'linux' ? false : 'a script of the appliance';

interface Card {
  readonly running: string;
  readonly order?: string;
  readonly left?: Readonly<Record<string, string>>;
  /** The label of the other slot's file system. */
  readonly label?: string;
  /** What becomes of what is written to the boot loader's environment. */
  readonly writes?: 'kept' | 'refused' | 'forgotten';
}

/** Whether the slot that runs is given up, and whether the machine starts again. */
function asked({ running, order = 'B A', left = {}, label = 'slot', writes = 'kept' }: Card) {
  const folder = mkdtempSync(join(tmpdir(), 'aether-slot-'));
  try {
    const put = (name: string, text: string) => writeFileSync(join(folder, name), text, { mode: 0o755 });
    const variables = { BOOT_ORDER: order, BOOT_A_LEFT: 'f', BOOT_B_LEFT: '2', ...left };
    for (const [name, value] of Object.entries(variables)) put(name, value);
    put('cmdline', `root=PARTLABEL=root${running} rauc.slot=${running} ro panic=5\n`);
    put('fw_printenv', `#!/bin/sh\ncat "${folder}/$2"\n`);
    const write = { kept: `printf %s "$2" >"${folder}/$1"`, refused: 'exit 1', forgotten: ':' }[writes];
    put('fw_setenv', `#!/bin/sh\n${write}\n`);
    put('blkid', `#!/bin/sh\necho '${label}'\n`);
    put('blockdev', '#!/bin/sh\n');
    put('systemctl', `#!/bin/sh\necho "$*"\n`);
    const { status, stdout } = spawnSync(script, [], {
      encoding: 'utf8',
      env: {
        PATH: `${folder}:${process.env.PATH}`,
        COMMAND_LINE: join(folder, 'cmdline'),
        SLOTS: folder,
      },
    });
    assert.equal(stdout.includes('reboot'), status === 0);
    return status === 0;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test('a new version that cannot prepare its start is given up for the one before', { skip }, () => {
  assert.equal(asked({ running: 'B' }), true);
  assert.equal(asked({ running: 'B', left: { BOOT_B_LEFT: '0' } }), true);
  assert.equal(asked({ running: 'A', left: { BOOT_A_LEFT: '1', BOOT_B_LEFT: 'f' } }), true);
});

test('one that was found good is not', { skip }, () => {
  assert.equal(asked({ running: 'A' }), false);
  assert.equal(asked({ running: 'B', left: { BOOT_B_LEFT: 'e' } }), false);
});

test('nothing is given up for what the boot loader would not start, or what is not there', { skip }, () => {
  assert.equal(asked({ running: 'B', order: 'B' }), false);
  assert.equal(asked({ running: 'B', left: { BOOT_A_LEFT: '0' } }), false);
  assert.equal(
    asked({ running: 'A', order: 'A B', left: { BOOT_A_LEFT: '2', BOOT_B_LEFT: 'f' }, label: '' }),
    false,
  );
  assert.equal(asked({ running: '' }), false);
});

test('nothing is given up for a version that was in safe mode itself when it ran last', { skip }, () => {
  assert.equal(asked({ running: 'B', left: { BOOT_A_LEFT: 'e' } }), false);
});

test('a card that takes no more writing does not start the machine again and again', { skip }, () => {
  assert.equal(asked({ running: 'B', writes: 'refused' }), false);
  assert.equal(asked({ running: 'B', writes: 'forgotten' }), false);
});
