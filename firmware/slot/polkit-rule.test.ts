import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { runInNewContext } from 'node:vm';
import { root } from '../paths.ts';

const rootfs = join(root, 'overlays/rootfs/usr');
const rule = readFileSync(join(rootfs, 'share/polkit-1/rules.d/50-aetherstore.rules'), 'utf8');
const manageUnits = 'org.freedesktop.systemd1.manage-units';

type Rule = (action: object, subject: object) => string | undefined;

/** Whether this is granted; what the rule does not grant only root may do. */
function isGranted(unit: string, verb = 'start', user = 'aetherstore', id = manageUnits): boolean {
  let given: Rule | undefined;
  const polkit = { addRule: (added: Rule) => (given = added), Result: { YES: 'yes' } };
  runInNewContext(rule, { polkit });
  const details: Readonly<Record<string, string>> = { unit, verb };
  return given?.({ id, lookup: (name: string) => details[name] }, { user }) === 'yes';
}

const granted = [
  'aetherstore-format@sda:aether-1a2b3c.service',
  'aetherstore-mount@aether-1a2b3c.service',
  'aetherstore-health@sda.service',
  'aetherstore-poweroff.service',
  'aetherstore-reboot.service',
];

test('the box’s user may start and stop the units that are made for it', () => {
  for (const unit of granted) {
    assert.ok(isGranted(unit), unit);
    assert.ok(isGranted(unit, 'stop'), unit);
    assert.ok(!isGranted(unit, 'set-property'), unit);
    assert.ok(!isGranted(unit, 'start', 'nobody'), unit);
    assert.ok(!isGranted(unit, 'start', 'aetherstore', 'org.freedesktop.systemd1.manage-unit-files'), unit);
  }
});

// Of a unit that there is, systemd makes no transient one, with whatever program whoever asks has named for it.
test('each name that it may start is of a unit that there is', () => {
  for (const unit of granted) {
    const file = unit.replace(/@[^.]*/, '@');
    assert.ok(existsSync(join(rootfs, 'lib/systemd/system', file)), file);
  }
  for (const unit of [
    ...['format', 'mount', 'health'].map((name) => `aetherstore-${name}.service`),
    ...['poweroff', 'reboot'].map((name) => `aetherstore-${name}@x.service`),
    'aetherstore-mount@.service',
    'aetherstore-mount@a/../b.service',
    'aetherstore-mount@aether-1.service.d',
    'x-aetherstore-mount@aether-1.service',
    'aetherstore.service',
    'sshd.service',
  ]) {
    assert.ok(!isGranted(unit), unit);
  }
});
