import { closeSync, constants, existsSync, mkdirSync, openSync, readFileSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { AetherError } from '../../base/errors.ts';
import { formatTimeoutMs } from '../../base/face-limits.ts';
import type { DiskDeedErrorCode } from '../../ports/machine.ts';
import { readTextFile } from '../text-file.ts';
import { deviceNumber } from './block-devices.ts';
import { runTool, type ToolAnswer } from './run-tool.ts';
import { startUnit, stopUnit } from './system-units.ts';

/** What is done to disks by tools of the system that need root. */
export interface DiskTools {
  /** What `smartctl --json` says; empty when it says nothing. Does not wake a sleeping disk. */
  smart(device: string): Promise<string>;
  /** Makes an ext4 file system. Errors: `DISK_NOT_BLANK`, `DISK_ADOPT_FAILED`. */
  format(device: string, label: string): Promise<void>;
  /**
   * False: no disk of this label is attached, or it is not known yet whether it can be mounted. What is mounted in `folder`
   * is left so, unless its disk is gone. Errors: `DISK_ADOPT_FAILED`, a disk of this label is attached and cannot be
   * mounted; the message is why, in words.
   */
  mount(label: string, folder: string): Promise<boolean>;
  /** Takes off what is mounted in `folder`, though something is open there. */
  unmount(folder: string): Promise<void>;
}

/** Runs the tools itself, for a box that somebody starts as root. */
export const ownDiskTools: DiskTools = {
  async smart(device) {
    // `-n standby`: a disk that sleeps is left asleep.
    const words = ['--json', '-n', 'standby', '-i', '-H', '-A', `/dev/${device}`];
    return (await runTool('smartctl', words)).stdout;
  },

  async format(device, label) {
    closeSync(openExclusively(device));
    const words = ['-q', '-m', '0', '-L', label, `/dev/${device}`];
    requireDone(await runTool('mkfs.ext4', words, formatTimeoutMs), device);
  },

  async mount(label, folder) {
    if (isDeadMount(folder)) await ownDiskTools.unmount(folder);
    mkdirSync(folder, { recursive: true });
    if (isMountPoint(folder)) return true;
    const { exitCode, stdout } = await runTool('blkid', ['-c', '/dev/null', '-L', label]);
    if (exitCode !== 0) return false;
    // What strangers may have put on it is neither run nor believed; one that is found to be wrong is written to no more.
    const options = 'noatime,lazytime,nodev,nosuid,noexec,errors=remount-ro';
    const words = ['-t', 'ext4', '-o', options, stdout.trim(), folder];
    const { exitCode: mounted, stderr } = await runTool('mount', words);
    if (mounted !== 0 && mounted !== null) throw notMounted(describeRefusal(stderr));
    return mounted === 0;
  },

  async unmount(folder) {
    if (!isMountPoint(folder) && !isDeadMount(folder)) return;
    const { exitCode } = await runTool('umount', [folder]);
    if (exitCode !== 0) await runTool('umount', ['--lazy', folder]);
  },
};

/** What a unit has said, as mkfs.ext4 at most. */
const saidBytesMax = 64 * 1024;

/**
 * Asks the appliance's units, which are root and do one thing each, after looking themselves at what they are given
 * (overlays/rootfs). The folder of a disk is named after its label.
 */
export const unitDiskTools: DiskTools = {
  async smart(device) {
    const { exitCode } = await startUnit(`aetherstore-health@${device}.service`);
    return exitCode === 0 ? readFileSync(`/run/aetherstore/health/${device}.json`, 'utf8') : '';
  },

  async format(device, label) {
    const unit = `aetherstore-format@${device}:${label}.service`;
    const answer = await startUnit(unit, formatTimeoutMs);
    if (answer.exitCode === 0) return;
    // Of a unit that has failed systemctl says no more than that.
    const said = readTextFile(`/run/aetherstore/format/${device}`, saidBytesMax).catch(() => '');
    requireDone({ ...answer, stderr: answer.stderr || (await said) }, device);
  },

  async mount(label, folder) {
    const unit = `aetherstore-mount@${label}.service`;
    // A unit that was started once would have nothing to do.
    if (isDeadMount(folder)) await stopUnit(unit);
    if ((await startUnit(unit)).exitCode === 0) return true;
    const reason = await whyNotMounted(label);
    if (reason !== undefined) throw notMounted(reason);
    return false;
  },

  async unmount(folder) {
    await stopUnit(`aetherstore-mount@${basename(folder)}.service`);
  },
};

function openExclusively(device: string): number {
  try {
    return openSync(`/dev/${device}`, constants.O_RDWR | constants.O_EXCL);
  } catch (cause) {
    throw new AetherError('DISK_NOT_BLANK', `disk ${device} is in use, or cannot be written`, {
      help: 'Unmount it first; this box never takes a disk from somebody else.',
      cause,
    });
  }
}

function requireDone({ exitCode, stderr }: ToolAnswer, device: string): void {
  if (exitCode === 0) return;
  const said = lastLine(stderr);
  throw new AetherError<DiskDeedErrorCode>(
    'DISK_ADOPT_FAILED',
    `disk ${device} could not be taken into use`,
    {
      help: said === '' ? 'Formatting a disk needs root, or the appliance’s own service for it.' : said,
    },
  );
}

/** What `mount-disk` (overlays/rootfs) says of a disk that is attached and that it does not mount; undefined: nothing. */
export async function whyNotMounted(
  label: string,
  folder = '/run/aetherstore/not-mounted',
): Promise<string | undefined> {
  const said = await readTextFile(join(folder, label), saidBytesMax).catch(() => '');
  return lastLine(said) || undefined;
}

/** `wrong fs type …` for what mount(8) says: the rest is of the folder, and where else to look. */
export function describeRefusal(stderr: string): string {
  const [said = ''] = stderr.trim().split('\n');
  return said.replace(/^mount: (\/[^:]*: )?/, '').replace(/\.$/, '') || 'the system does not say why';
}

function notMounted(reason: string): AetherError<DiskDeedErrorCode> {
  return new AetherError('DISK_ADOPT_FAILED', reason, {
    help: 'Check the cable and the power of the disk, and plug it in again.',
  });
}

function lastLine(text: string): string {
  return text.trim().split('\n').at(-1) ?? '';
}

/** The root of a file system is on another device than the folder above it. */
function isMountPoint(folder: string): boolean {
  return mountedDevice(folder) !== undefined;
}

/** Whether the disk that is mounted in `folder` was pulled: nothing is read there any more, and nothing can be mounted. */
export function isDeadMount(folder: string, sysfs = '/sys'): boolean {
  const device = mountedDevice(folder);
  // Major 0 is of file systems that lie on no one disk.
  if (device === undefined || device.startsWith('0:')) return false;
  return !existsSync(join(sysfs, 'dev/block', device));
}

/** The number of the device that is mounted in `folder`, `8:16`; undefined when none is. */
function mountedDevice(folder: string): string | undefined {
  try {
    const { dev } = statSync(folder);
    return dev === statSync(dirname(folder)).dev ? undefined : deviceNumber(dev);
  } catch {
    return undefined;
  }
}
