import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

const script = new URL('../../overlays/rootfs/usr/lib/aetherstore/on-trial', import.meta.url).pathname;
const skip = process.platform === 'linux' ? false : 'a script of the appliance';
const why = 'its program failed five times';

interface Card {
  readonly running: string;
  readonly proven?: string;
  readonly record?: object | string;
  readonly order?: string;
  readonly left?: Readonly<Record<string, string>>;
}

/** What `on-trial` says of such a card, and what it noted. */
function ask({ running, proven, record, order = 'B A', left = { A: 'f', B: '2' } }: Card) {
  const folder = mkdtempSync(join(tmpdir(), 'aether-trial-'));
  try {
    const put = (name: string, text: string) => writeFileSync(join(folder, name), text);
    const tool = (name: string, text: string) => {
      put(name, `#!/bin/sh\n${text}\n`);
      chmodSync(join(folder, name), 0o755);
    };
    put('cmdline', `root=PARTLABEL=root${running} rauc.slot=${running} ro panic=5\n`);
    if (proven !== undefined) put('proven.json', `{"v":1,"slot":"${proven}","version":"1.0.0"}\n`);
    if (typeof record === 'string') put('update.json', record);
    else if (record !== undefined)
      put('update.json', `${JSON.stringify({ v: 1, ...record, reason: null })}\n`);
    // Whoever asks is no root here.
    tool('setpriv', 'while case $1 in -*) true ;; *) false ;; esac; do shift; done; exec "$@"');
    const variables = { BOOT_ORDER: order, BOOT_A_LEFT: left.A, BOOT_B_LEFT: left.B };
    const cases = Object.entries(variables).map(([name, value]) => `${name}) echo "${value}" ;;`);
    tool('fw_printenv', `case $2 in ${cases.join(' ')} esac`);
    const { status } = spawnSync(script, [why], {
      env: {
        PATH: `${folder}:${process.env.PATH}`,
        UPDATES_FOLDER: folder,
        COMMAND_LINE: join(folder, 'cmdline'),
      },
    });
    const path = join(folder, 'update.json');
    return { given: status === 0, noted: existsSync(path) ? readFileSync(path, 'utf8') : '' };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test('a new version that is not proven is given up, and why is noted', { skip }, () => {
  const { given, noted } = ask({
    running: 'B',
    proven: 'A',
    record: { phase: 'installed', version: '2.0.0', slot: 'A' },
  });
  assert.equal(given, true);
  assert.equal((JSON.parse(noted) as { readonly reason: string }).reason, why);
});

test('one whose record is lost or damaged is given up, too', { skip }, () => {
  assert.equal(ask({ running: 'B', proven: 'A' }).given, true);
  assert.deepEqual(ask({ running: 'B', proven: 'A', record: '{"v":1,"pha' }), {
    given: true,
    noted: '{"v":1,"pha',
  });
});

test('a record alone says what a box came from, where nobody knows what was proven', { skip }, () => {
  assert.equal(ask({ running: 'B', record: { phase: 'installing', slot: 'A' } }).given, true);
  assert.equal(ask({ running: 'A', record: { phase: 'installing', slot: 'A' } }).given, false);
  assert.equal(ask({ running: 'B', record: { phase: 'staged', slot: null } }).given, false);
  assert.equal(ask({ running: 'A' }).given, false);
});

test('what is proven is not given up', { skip }, () => {
  assert.equal(ask({ running: 'A', proven: 'A' }).given, false);
  assert.equal(ask({ running: 'B', proven: 'B', record: { phase: 'installed', slot: 'A' } }).given, false);
});

test('what was found good is not given up because a full card could not note it', { skip }, () => {
  const record = { phase: 'installed', slot: 'A' };
  const ofTries = (tries: string) =>
    ask({ running: 'B', proven: 'A', record, left: { A: 'f', B: tries } }).given;
  assert.deepEqual(['0', '1', '2', '3', '9', 'e', 'f'].map(ofTries), [
    true,
    true,
    true,
    false,
    false,
    false,
    false,
  ]);
});

test('nothing is given up for what the boot loader would not start', { skip }, () => {
  assert.equal(ask({ running: 'B', proven: 'A', left: { A: '0', B: '2' } }).given, false);
  assert.equal(ask({ running: 'B', proven: 'A', order: 'B' }).given, false);
  assert.equal(ask({ running: 'B', proven: 'A', left: { A: '', B: '' } }).given, false);
});
