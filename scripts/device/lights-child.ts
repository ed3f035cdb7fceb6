// Plays every state of the lights on sysfs lights of their own, with the real driver and the real clock, until it is
// killed: `lights-child.ts FOLDER`, where FOLDER/<n>-green and FOLDER/<n>-amber are the lights of state n.
import { silentLog } from '../../src/base/log.ts';
import { LedDriver } from '../../src/device/leds/led-driver.ts';
import { NodeClock } from '../../src/platform/node-clock.ts';
import { openSysfsLeds } from '../../src/platform/sysfs-leds.ts';
import { lightStates } from './light-states.ts';

const clock = new NodeClock();
for (const [index, light] of lightStates.entries()) {
  const names = { green: `${index}-green`, amber: `${index}-amber` };
  // Without a folder: /sys/class/leds, which the mount namespace of the test replaces.
  const { leds, reason } = openSysfsLeds(names, { log: silentLog });
  if (leds === undefined) throw new Error(reason);
  new LedDriver({ ports: [leds], startsAgain: () => false }, { clock }).show({ light, headline: '' });
}
process.stdout.write('playing\n');
setInterval(() => {}, 1000);
