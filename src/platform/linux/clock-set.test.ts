import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { releasedMs } from '../../base/version.ts';
import { clockWasSet } from './clock-set.ts';

function machine(t: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), 'aetherstore-clock-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const write = (path: string, text: string) => {
    mkdirSync(join(folder, path, '..'), { recursive: true });
    writeFileSync(join(folder, path), text);
  };
  return { write, isSet: () => clockWasSet({ runFolder: join(folder, 'run'), sysfs: join(folder, 'sys') }) };
}

test('without a clock of its own, a board has the time when a time server has answered', (t) => {
  const { write, isSet } = machine(t);
  assert.equal(isSet(), false);
  write('run/systemd/timesync/other', '');
  assert.equal(isSet(), false);
  write('run/systemd/timesync/synchronized', '');
  assert.equal(isSet(), true);
});

test('a clock that a battery keeps knows the time, unless it has forgotten it', (t) => {
  const { write, isSet } = machine(t);
  write('sys/class/rtc/rtc0/since_epoch', `${releasedMs / 1000}\n`);
  assert.equal(isSet(), true);
  write('sys/class/rtc/rtc0/since_epoch', '17\n');
  assert.equal(isSet(), false);
});
