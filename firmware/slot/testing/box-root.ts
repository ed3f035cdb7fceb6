import assert from 'node:assert/strict';
import { type SpawnSyncReturns, spawnSync } from 'node:child_process';
import { closeSync, mkdirSync, mkdtempSync, openSync, rmSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { root } from '../../paths.ts';
import { run } from '../../stages/run.ts';

export const mebibyte = 1024 * 1024;

/**
 * Lays a file system of its own over the machine's, in memory, with the box's user, and with `systemctl` and `modprobe`
 * that only note what they were told in /run/asked.
 */
const layOut = `
mount -t tmpfs box "$1"
cd "$1"
mkdir upper work root
mount -t overlay -o lowerdir=/,upperdir=upper,workdir=work box root
for each in dev proc sys tmp; do mount --rbind "/$each" "root/$each"; done
mount -t tmpfs -o mode=755 run root/run
[ ! -d root/sys/class/leds ] || mount -t tmpfs leds root/sys/class/leds
mkdir -p root/data root/usr/local/bin
echo aetherstore:x:800:800::/data/aetherstore:/usr/sbin/nologin >>root/etc/passwd
echo aetherstore:x:800: >>root/etc/group
for each in systemctl modprobe; do
  printf '#!/bin/sh\\necho "$0 $*" >>/run/asked\\n' >"root/usr/local/bin/$each"
  chmod 755 "root/usr/local/bin/$each"
done
exec chroot root env PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin sh -euc "$2" box`;

/** Why these tests cannot run here; undefined when they can. */
export function whyNoBoxRoot(): string | undefined {
  if (process.platform !== 'linux') return 'needs Linux';
  if (process.getuid?.() !== 0) return 'needs root: it mounts';
  const { status } = spawnSync('losetup', ['--find'], { stdio: 'ignore' });
  return status === 0 ? undefined : 'this machine has no loop devices';
}

/**
 * Runs the box's own scripts, as they are, in a root file system that only they see. `commands`: of a shell that ends at
 * the first that fails; `$scripts` is where they are. Nothing that they mount or write outlives it.
 */
export function inBox(folder: string, commands: string): SpawnSyncReturns<string> {
  const place = join(folder, 'box');
  mkdirSync(place, { recursive: true });
  const scripts = join(root, 'overlays/rootfs/usr/lib/aetherstore');
  const words = ['--mount', '--propagation', 'private', 'sh', '-euc', layOut, 'box', place];
  return spawnSync('unshare', [...words, `scripts='${scripts}'\n${commands}`], {
    encoding: 'utf8',
    timeout: 60_000,
  });
}

/** Runs it to its end and returns what it printed. */
export function done(folder: string, commands: string): string {
  const { status, stdout, stderr } = inBox(folder, commands);
  assert.equal(status, 0, `${stdout}\n${stderr}`);
  return stdout.trim();
}

/** What the system has done before the scripts of a start. */
export const startOfABox = `
mount -t tmpfs data /data
mkdir -p /data/aetherstore /run/systemd/system
chown aetherstore:aetherstore /data/aetherstore
echo '{}' >/run/identity.json`;

/** A folder until the test ends. */
export function folderOf(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'aether-scripts-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A disk that is a file: blank, until something is written to it. */
export class LoopDisk {
  readonly file: string;
  readonly #bytes: number;
  #device: string | undefined;

  constructor(t: TestContext, file: string, bytes: number) {
    this.file = file;
    this.#bytes = bytes;
    closeSync(openSync(file, 'w'));
    truncateSync(file, bytes);
    t.after(() => this.pull());
  }

  /** The kernel's name, `loop0`; plugged in when first asked for. */
  get device(): string {
    this.#device ??= run('losetup', ['--find', '--show', this.file]).trim().slice('/dev/'.length);
    return this.#device;
  }

  /** From this byte on every read fails; a multiple of 4096. */
  breakFrom(offset: number): void {
    assertPluggedIn(this.device);
    truncateSync(this.file, offset);
  }

  pull(): void {
    if (this.#device !== undefined) run('losetup', ['--detach', `/dev/${this.#device}`]);
    this.#device = undefined;
  }

  get bytes(): number {
    return this.#bytes;
  }
}

/** A blank disk. */
export function makeDisk(t: TestContext, folder: string, bytes = 16 * mebibyte): LoopDisk {
  return new LoopDisk(t, join(folder, 'disk'), bytes);
}

function assertPluggedIn(device: string): void {
  if (!device.startsWith('loop')) throw new Error(`no loop device: ${device}`);
}
