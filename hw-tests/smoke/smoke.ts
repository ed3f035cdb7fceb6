import assert from 'node:assert/strict';
import { idleMemory, memoryMiBMax } from '../idle-memory.ts';
import { seenRhythm, waitForRhythm } from '../light-track.ts';
import type { Scene } from '../scene.ts';
import type { Suite } from '../suite.ts';
import { noUnitsOfItsOwn } from './transient-units.ts';

const exposureMax = 3;

/** What the kernel says of the lines of its GPIO controllers that somebody uses, one a line. */
async function gpioLines({ target: { root } }: Scene): Promise<readonly string[]> {
  const folder = '/run/look-at-gpio';
  const said = await root.run(
    `mkdir -p ${folder} && mount -t debugfs none ${folder} && cat ${folder}/gpio && umount ${folder}`,
  );
  return said
    .split('\n')
    .filter((line) => /^ *gpio-\d+ .*\|/.test(line))
    .map((line) => line.trim().replace(/ +/g, ' '));
}

export const smoke: Suite = {
  name: 'smoke',
  tests: [
    {
      name: 'a fresh card boots until the box serves',
      needs: ['power', 'card'],
      changesNothing: true,
      run: async (scene) => {
        await scene.serving();
        return `${scene.firstStartSeconds?.toFixed(1)} s from power to serving`;
      },
    },
    {
      name: 'the serial console answers status',
      needs: [],
      changesNothing: true,
      run: async (scene) => {
        await scene.serving();
        const lines = await scene.target.console.command('status');
        assert.ok(
          lines.some((line) => /^ +box +\S+, AetherStore \d/.test(line)),
          lines.join(' / '),
        );
        const { conditions } = await scene.status();
        const wrong = conditions.map(({ message }) => message).join(' ');
        return `${lines[0]}${wrong === '' ? '' : ` Conditions: ${wrong}`}`;
      },
    },
    {
      name: 'the lights say that it belongs to nobody',
      needs: ['lights'],
      changesNothing: true,
      run: async (scene) => {
        await scene.serving();
        const ms = await waitForRhythm(scene.target.lights, 'not claimed', scene.patienceMs(20_000));
        return `green and amber in turn, 1 Hz; told within ${(ms / 1000).toFixed(1)} s`;
      },
    },
    {
      name: 'a tap on the button makes both lights say which box this is, and a second one ends that',
      needs: ['lights', 'button'],
      changesNothing: true,
      run: async (scene) => {
        await scene.serving();
        const { lights, button } = scene.target;
        await waitForRhythm(lights, 'not claimed', scene.patienceMs(20_000));
        const tap = async () => {
          await button.press();
          const pressed = await seenRhythm(lights, 300);
          await button.release();
          return pressed;
        };
        const pressed = await tap();
        await waitForRhythm(lights, 'identify', scene.patienceMs(20_000));
        await tap();
        const ms = await waitForRhythm(lights, 'not claimed', scene.patienceMs(20_000));
        return `while pressed "${pressed}", then both at 10 Hz; ${(ms / 1000).toFixed(0)} s after the second tap as before`;
      },
    },
    {
      name: 'the kernel drives both lights, and the program listens at the button',
      needs: ['root shell'],
      changesNothing: true,
      run: async (scene) => {
        await scene.serving();
        const expected = [/\|green:status \) out/, /\|amber:status \) out/, /\|sysfs \) in .*IRQ/];
        const endMs = performance.now() + scene.patienceMs(20_000);
        for (;;) {
          const lines = await gpioLines(scene);
          const used = expected.map((use) => lines.find((line) => use.test(line)));
          if (!used.includes(undefined)) return used.join('; ');
          assert.ok(performance.now() < endMs, lines.join(' / '));
        }
      },
    },
    {
      name: `an idle box uses at most ${memoryMiBMax} MiB of memory`,
      needs: ['root shell'],
      changesNothing: true,
      run: async (scene) => {
        await scene.serving();
        return idleMemory(scene);
      },
    },
    {
      name: `systemd-analyze security finds an exposure of at most ${exposureMax}, and a BREAK on the serial line is no command to the kernel`,
      needs: ['root shell'],
      changesNothing: true,
      run: async (scene) => {
        await scene.serving();
        const said = await scene.target.root.run(
          'systemd-analyze security --no-pager aetherstore.service | tail -n 1',
          120_000,
        );
        const exposure = Number(/aetherstore\.service: ([\d.]+)/.exec(said)?.[1]);
        assert.ok(exposure <= exposureMax, said);
        assert.equal(await scene.target.root.run('cat /proc/sys/kernel/sysrq'), '0');
        return said;
      },
    },
    noUnitsOfItsOwn,
  ],
};
