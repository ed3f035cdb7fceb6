import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { Board } from '../board.ts';
import { runForBytes } from '../stages/run.ts';
import type { ImageTools } from '../stages/tools.ts';

/** Modules that every board's system may ask for, with what they need. */
const systemModules = [
  'ext4',
  'loop', // RAUC looks into bundles through it
  'dm_verity', // and believes nothing in them unchecked
  'squashfs',
  'nbd', // bundles read over HTTP
  'vfat',
  'nls_cp437',
  'nls_ascii',
  'exfat', // memory sticks
  'usb_storage',
  'uas', // disks on USB
  'nvme',
  'ledtrig_heartbeat',
  'softdog',
  'ipv6',
  'af_packet',
  'tls',
];

const initramfsModules = [
  'ext4',
  'ledtrig_timer', // a box that starts shows it at once; the kernel finds no module for a light's trigger by itself
  'leds_gpio',
  'sd_mod', // which disks the box may read is settled when it starts, by numbers that this brings
];

/** Commands of the program that starts first. */
const commands =
  'sh mount insmod switch_root sleep cat echo mkdir grep basename dirname head tr md5sum cut chroot ln'.split(
    ' ',
  );

export interface Kernel {
  readonly version: string;
  /** Folder into which Debian's package was unpacked. */
  readonly folder: string;
}

export function findKernel(parts: string): Kernel {
  const version = readdirSync(join(parts, 'usr/lib/modules'))[0];
  if (version === undefined) throw new Error('no kernel was unpacked');
  // depmod and modprobe look below /lib.
  if (!existsSync(join(parts, 'lib'))) symlinkSync('usr/lib', join(parts, 'lib'));
  return { version, folder: parts };
}

/**
 * Puts the kernel, the modules that the boards need, and the initial RAM file system below `target`; returns the names of
 * the modules in either.
 */
export function installKernel(
  target: string,
  kernel: Kernel,
  boards: readonly Board[],
  tools: ImageTools,
): ReadonlySet<string> {
  const { version, folder } = kernel;
  const installed = join(target, 'usr/lib/modules', version);
  if (!existsSync(join(folder, 'usr/lib/modules', version, 'modules.dep.bin'))) {
    tools.run('depmod', ['-b', folder, version], [folder]);
  }
  const wanted = [
    ...systemModules,
    ...boards.flatMap((board) => [...board.modules.initramfs, ...board.modules.system]),
  ];
  const files = moduleFiles(kernel, wanted, tools);
  for (const file of files) {
    const path = join(installed, file.split(`/modules/${version}/`)[1]!);
    mkdirSync(dirname(path), { recursive: true });
    cpSync(file, path);
  }
  for (const name of ['modules.builtin', 'modules.order', 'modules.builtin.modinfo']) {
    cpSync(join(folder, 'usr/lib/modules', version, name), join(installed, name));
  }
  tools.run('depmod', ['-b', target, version], [target]);
  const image = readFileSync(join(folder, `boot/vmlinuz-${version}`));
  mkdirSync(join(target, 'boot'), { recursive: true });
  writeFileSync(join(target, 'boot/Image.gz'), gzipSync(image, { level: 9 }));
  const asked = [...initramfsModules, ...boards.flatMap((board) => board.modules.initramfs)];
  const first = writeInitramfs(join(target, 'boot/initrd.img'), kernel, asked, tools);
  // As modules.alias has them.
  return new Set(
    [...files, ...first].map((file) =>
      basename(file)
        .replace(/\.ko.*$/, '')
        .replaceAll('-', '_'),
    ),
  );
}

/** Files of modules and of all that they need, each after what it needs. Modules built into the kernel have none. */
function moduleFiles(
  { version, folder }: Kernel,
  names: readonly string[],
  tools: ImageTools,
): readonly string[] {
  const files = new Set<string>();
  for (const name of names) {
    const words = ['-d', folder, '-S', version, '--show-depends', name];
    for (const line of tools.run('modprobe', words, [folder]).split('\n')) {
      const [how, file] = line.split(' ');
      if (how === 'insmod') files.add(file!);
    }
  }
  return [...files];
}

/** One static busybox, our first program, and the modules that lead to the slot; returns their files. */
function writeInitramfs(
  output: string,
  kernel: Kernel,
  modules: readonly string[],
  tools: ImageTools,
): readonly string[] {
  const folder = `${output}.tree`;
  for (const name of ['bin', 'dev', 'proc', 'sys', 'new', 'modules'])
    mkdirSync(join(folder, name), { recursive: true });
  cpSync(join(kernel.folder, 'usr/bin/busybox'), join(folder, 'bin/busybox'));
  for (const command of commands) symlinkSync('busybox', join(folder, 'bin', command));
  const order = moduleFiles(kernel, modules, tools).map((file) => {
    const name = basename(file, '.xz');
    writeFileSync(join(folder, 'modules', name), runForBytes('xz', ['-dc', file]));
    return name;
  });
  writeFileSync(join(folder, 'modules/order'), `${order.join('\n')}\n`);
  for (const name of ['init', 'card.sh']) {
    cpSync(new URL(`initramfs/${name}`, import.meta.url).pathname, join(folder, name));
    chmodSync(join(folder, name), 0o755);
  }
  const script = `find . -exec touch -h -d @$SOURCE_DATE_EPOCH {} +
find . | LC_ALL=C sort | cpio --quiet --format newc --owner 0:0 --reproducible --create | zstd -q -19 >"$0"
rm -rf "$PWD"`;
  tools.run('sh', ['-euc', script, output], [folder, dirname(output)]);
  return order;
}
