import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { releasedMs } from '../../base/version.ts';

/**
 * Whether anything that knows the time has set the clock of an appliance since the power came: `systemd-timesyncd`, which
 * notes it once a time server has answered, or a clock that a battery keeps (of one without, that shows less than this
 * program's age, the kernel has taken nothing).
 */
export function clockWasSet({ runFolder = '/run', sysfs = '/sys' } = {}): boolean {
  if (existsSync(join(runFolder, 'systemd/timesync/synchronized'))) return true;
  try {
    const seconds = Number(readFileSync(join(sysfs, 'class/rtc/rtc0/since_epoch'), 'utf8'));
    return seconds * 1000 >= releasedMs;
  } catch {
    return false;
  }
}
