import { existsSync, writeFileSync } from 'node:fs';
import { arch } from 'node:process';
import { isInstalled, run } from './run.ts';

/** The Debian release of which an image is made; its tools come from the same one. */
export const suite = 'trixie';

/** Times in an image: of its files, its file systems and its archives. */
export const sourceDateEpoch = 1_767_225_600;

export interface Bootstrap {
  readonly architecture: 'amd64' | 'arm64';
  /** Folder or `.tar` to be made. */
  readonly target: string;
  readonly packages: readonly string[];
  readonly components?: readonly string[];
  /** Flags of mmdebstrap beside these. */
  readonly flags?: readonly string[];
}

/** Unpacks a Debian system with mmdebstrap(1). Needs root, and the network or the machine's own mirror. */
export function bootstrap({
  architecture,
  target,
  packages,
  components = ['main'],
  flags = [],
}: Bootstrap): void {
  if (process.getuid?.() !== 0) throw new Error('making an image needs root: it unpacks a system of its own');
  requireTools('mmdebstrap');
  if (architecture === 'arm64') emulateArm64();
  run(
    'mmdebstrap',
    [
      '--variant=minbase',
      `--architectures=${architecture}`,
      `--include=${packages.join(',')}`,
      '--aptopt=Acquire::Retries "3"',
      ...flags,
      suite,
      target,
      ...sources(components),
    ],
    { env: { SOURCE_DATE_EPOCH: String(sourceDateEpoch) } },
  );
}

/** Debian's packages of all tools that the machine itself must have. */
const hostPackages = 'arch-test mmdebstrap openssl qemu-user-static xz-utils';

/** Throws when a tool is missing that the machine itself must have. */
export function requireTools(...names: readonly string[]): void {
  const missing = names.filter((name) => !isInstalled(name));
  if (missing.length > 0) {
    throw new Error(`not installed: ${missing.join(', ')}. On Debian: apt-get install ${hostPackages}`);
  }
}

/**
 * Lines of a sources.list. The mirror is the one this machine takes its own packages from, or `DEBIAN_MIRROR`; security
 * updates from `DEBIAN_SECURITY_MIRROR` or, where the machine has them, from there too.
 */
function sources(components: readonly string[]): readonly string[] {
  const known = machineMirrors();
  const main = process.env.DEBIAN_MIRROR ?? known.main;
  if (main === undefined) throw new Error('no Debian mirror is known: set DEBIAN_MIRROR');
  const security = process.env.DEBIAN_SECURITY_MIRROR ?? known.security;
  const parts = components.join(' ');
  return [
    `deb ${main} ${suite} ${parts}`,
    `deb ${main} ${suite}-updates ${parts}`,
    ...(security === undefined ? [] : [`deb ${security} ${suite}-security ${parts}`]),
  ];
}

/** What the user says of mirrors: another one may have other packages. */
export function mirrorsAsked(): readonly string[] {
  return ['DEBIAN_MIRROR', 'DEBIAN_SECURITY_MIRROR'].flatMap((name) => {
    const mirror = process.env[name];
    return mirror === undefined ? [] : [`${name}=${mirror}`];
  });
}

function machineMirrors(): { readonly main: string | undefined; readonly security: string | undefined } {
  if (!isInstalled('apt-get')) return { main: undefined, security: undefined };
  const listed = run('apt-get', [
    'indextargets',
    '--format',
    '$(ORIGIN) $(CODENAME) $(REPO_URI)',
    'Created-By: Packages',
  ])
    .split('\n')
    .map((line) => line.split(' ', 3))
    .filter(([origin]) => origin === 'Debian');
  const of = (wanted: (codename: string) => boolean) =>
    listed.find(([, codename = '']) => wanted(codename))?.[2];
  return {
    main: of((name) => !name.includes('-')),
    security: of((name) => name.endsWith('-security')),
  };
}

const binfmt = '/proc/sys/fs/binfmt_misc';
const emulator = '/usr/bin/qemu-aarch64-static';

/**
 * Lets the kernel run programs for arm64 through QEMU (binfmt_misc(5)); `F` opens the emulator now, so that it is found
 * from inside a system that has not got it.
 */
function emulateArm64(): void {
  if (arch === 'arm64') return;
  requireTools('arch-test');
  if (!existsSync(`${binfmt}/register`)) run('mount', ['-t', 'binfmt_misc', 'binfmt_misc', binfmt]);
  if (existsSync(`${binfmt}/qemu-aarch64`)) return;
  if (!existsSync(emulator)) requireTools('qemu-aarch64-static');
  const header = String.raw`\x7f\x45\x4c\x46\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xb7\x00`;
  const mask = String.raw`\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff`;
  writeFileSync(`${binfmt}/register`, `:qemu-aarch64:M::${header}:${mask}:${emulator}:F`);
}
