import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import koffi from 'koffi';

export const ledsFolder = '/sys/class/leds';

/**
 * Gives this process and its children an empty `/sys/class` to lay out as that of a board: a mount namespace of their own
 * with a tmpfs there. The answer is why that cannot be done here, or undefined.
 */
export function takeSysfsClass(): string | undefined {
  if (process.platform !== 'linux') return 'lights in sysfs are a thing of Linux';
  if (process.getuid?.() !== 0) return 'a mount namespace takes root';
  const newMounts = 0x00020000;
  if (koffi.load('libc.so.6').func('int unshare(int)')(newMounts) !== 0)
    return 'mount namespaces cannot be made here';
  try {
    execFileSync('mount', ['--make-rprivate', '/']);
    execFileSync('mount', ['-t', 'tmpfs', 'tmpfs', '/sys/class']);
  } catch {
    return 'nothing can be mounted on /sys/class here';
  }
  return undefined;
}

/** A light as the kernel shows it: on or off, with its default trigger. */
export function layOutLed(name: string): void {
  const folder = join(ledsFolder, name);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'trigger'), 'default-on');
  writeFileSync(join(folder, 'brightness'), '0');
  writeFileSync(join(folder, 'max_brightness'), '1\n');
}

export function ledBrightness(name: string): number {
  return Number(readFileSync(join(ledsFolder, name, 'brightness'), 'utf8'));
}
