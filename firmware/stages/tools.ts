import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { bootstrap, sourceDateEpoch } from './debian.ts';
import { run, type ToolOptions } from './run.ts';
import { stageFolder } from './stage.ts';

/** What makes, signs, inspects and emulates images, from one release, whatever the machine has. */
const packages = [
  'cpio', // the initial RAM file system
  'device-tree-compiler', // overlays, and checking them
  'dosfstools', // the boot partition
  'e2fsprogs', // slots; older releases do not make the same bytes twice
  'g++-aarch64-linux-gnu', // onoff's native part
  'faketime', // signatures that say the same time in every build
  'genimage', // partitions
  'gdisk', // checking them
  'kmod', // dependencies of kernel modules
  'mtools',
  'openssl', // the development key
  'qemu-system-arm', // emulated boards
  'qemu-utils',
  'rauc', // bundles
  'squashfs-tools',
  'u-boot-tools', // the boot script and its environment
  'zstd',
];

/** Mounts what is to be seen inside, then goes there. */
const enter = `root=$1 begin=$2; shift 2
while [ "$1" != -- ]; do mount --rbind "$1" "$root$1"; shift; done; shift
exec chroot "$root" env -C "$begin" -- "$@"`;

/** Throws on a machine that cannot run the tools, which are for one kind of processor. */
export function requireProcessor(processor: string): void {
  if (processor === 'x64') return;
  throw new Error(
    `images are made on a machine with an x86-64 processor (amd64) only; this one is ${processor}`,
  );
}

/** A Debian system with the tools of image building, run by chroot(1). */
export class ImageTools {
  /** Its root folder. */
  readonly folder: string;

  private constructor(folder: string) {
    this.folder = folder;
  }

  /** Makes it when it is not there yet: half a minute, 1 GB. */
  static open(say: (line: string) => void): ImageTools {
    requireProcessor(process.arch);
    const folder = stageFolder(
      {
        name: 'tools',
        recipe: packages,
        make: (target) => bootstrap({ architecture: 'amd64', target: join(target, 'root'), packages }),
      },
      say,
    );
    return new ImageTools(join(folder, 'root'));
  }

  /**
   * The words that run a program of these tools, which sees `shared` (absolute paths, the first is where it begins) at
   * the same paths as this machine does, and its devices. What is mounted for it is gone when it ends.
   */
  command(program: string, words: readonly string[], shared: readonly string[]): readonly string[] {
    const [begin = '/'] = shared;
    for (const path of shared) mkdirSync(join(this.folder, path), { recursive: true });
    const mounts = ['/dev', '/proc', '/sys', ...shared];
    const inside = ['unshare', '--mount', '--propagation', 'slave', 'sh', '-euc', enter, 'tools'];
    return [...inside, this.folder, begin, ...mounts, '--', program, ...words];
  }

  /** Runs a program of these tools and returns what it printed. */
  run(
    program: string,
    words: readonly string[],
    shared: readonly string[],
    options: ToolOptions = {},
  ): string {
    const [first = '', ...rest] = this.command(program, words, shared);
    return run(first, rest, {
      ...options,
      env: { SOURCE_DATE_EPOCH: String(sourceDateEpoch), ...options.env },
    });
  }

  /**
   * Starts a program of these tools that goes on, as a child that dies with this process. `through`: words of a program
   * that leads to where it is to run (nsenter). The child is the program itself, so that its id can be killed.
   */
  spawn(
    program: string,
    words: readonly string[],
    shared: readonly string[],
    { through = [], ...options }: SpawnOptions & { readonly through?: readonly string[] } = {},
  ): ChildProcess {
    const inside = this.command(program, words, shared);
    return spawn('setpriv', ['--pdeathsig', 'KILL', ...through, ...inside], options);
  }
}
