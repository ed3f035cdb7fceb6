import assert from 'node:assert/strict';
import type { HardwareTest } from '../suite.ts';

/** Names that the rule of the system has something to do with, of units that there are and of others. */
const names = ['mount', 'mount@x', 'format', 'health@sda', 'poweroff', 'poweroff@x', 'reboot'];
const marker = '/run/made-by-the-box';

export const noUnitsOfItsOwn: HardwareTest = {
  name: 'whoever has taken the program over has systemd make no unit that runs as root',
  needs: ['root shell'],
  changesNothing: true,
  run: async (scene) => {
    await scene.serving();
    const { root } = scene.target;
    const as = 'setpriv --reuid=aetherstore --regid=aetherstore --clear-groups';
    const systemd = 'org.freedesktop.systemd1 /org/freedesktop/systemd1 org.freedesktop.systemd1.Manager';
    const said: string[] = [];
    for (const name of names) {
      const unit = `aetherstore-${name}.service`;
      const asked = `StartTransientUnit 'ssa(sv)a(sa(sv))' ${unit} replace 1 ExecStart 'a(sasb)' 1`;
      const program = `/usr/bin/touch 2 touch ${marker} false 0`;
      said.push(await root.run(`${as} busctl call ${systemd} ${asked} ${program} 2>&1 || true`));
    }
    const answers = said.join(' / ');
    assert.equal(await root.run(`sleep 1; ls ${marker} 2>/dev/null || true`), '', answers);
    // One that is refused for another reason would show nothing.
    assert.match(answers, /authentication required|Access denied|already loaded or has a fragment/i);
    return [...new Set(said)].join('; ');
  },
};
