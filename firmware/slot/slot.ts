import {
  appendFileSync,
  chmodSync,
  cpSync,
  globSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { allBoards } from '../board.ts';
import { root } from '../paths.ts';
import { sourceDateEpoch } from '../stages/debian.ts';
import type { RootStage } from '../stages/root.ts';
import { run } from '../stages/run.ts';
import type { ImageTools } from '../stages/tools.ts';
import { findKernel, installKernel } from './kernel.ts';
import { copyInto, settleModes } from './modes.ts';
import { installOverlays } from './overlays.ts';
import { installProgram, type PackageFolders, programFolder } from './program.ts';

/** A slot is as large in every version, or an update would not fit where the last one was. */
export const slotBytes = 448 * 1024 * 1024;

/** The box's own user and group: the same number in every version, for its files outlive versions. */
const userId = 800;

export interface Release {
  readonly version: string;
  /** Signed by a key that everybody who builds has, with a shell for whoever is at the machine. */
  readonly development: boolean;
}

export interface SlotOptions {
  readonly release: Release;
  /** PEM of the certificates whose updates a box takes. */
  readonly certificates: string;
  /** Where it may work; a gigabyte. */
  readonly folder: string;
  readonly stage: RootStage;
  readonly tools: ImageTools;
  readonly say: (line: string) => void;
  /** For tests of updates that are taken back: the program ends as soon as it is started. */
  readonly unhealthy?: boolean | undefined;
}

/** Only those who build look into these. */
const pruned = [
  'usr/share/{info,locale,i18n,lintian,bash-completion,zsh,gcc,pixmaps,debianutils,menu}',
  'var/{cache,lib/apt,lib/dpkg,log}/*',
  'usr/lib/aarch64-linux-gnu/gconv',
  'usr/{bin,lib}/apt*',
  'usr/lib/{dpkg,systemd/catalog,udev/hwdb.d,udev/hwdb.bin,kernel}',
  'usr/lib/aarch64-linux-gnu/{libapt-pkg,libapt-private}*',
];

/** What Debian starts and an appliance does without; each costs a Pi a part of its start. */
const masked = [
  'apt-daily.timer',
  'apt-daily-upgrade.timer',
  'dpkg-db-backup.timer',
  'e2scrub_all.timer',
  'e2scrub_reap.service',
  'fstrim.timer',
  'getty@tty1.service',
  'ldconfig.service',
  'rauc-mark-good.service', // our health gate says when
  'smartmontools.service', // the box asks by itself
  'sys-kernel-debug.mount',
  'sys-kernel-config.mount',
  'kmod-static-nodes.service',
  'run-lock.mount',
  'modprobe@configfs.service',
  'modprobe@dm_mod.service',
  'modprobe@loop.service',
  'sys-kernel-tracing.mount',
  'dev-hugepages.mount',
  'dev-mqueue.mount',
  'systemd-hwdb-update.service',
  'systemd-journal-catalog-update.service',
  'systemd-logind.service', // nobody logs in
  'dbus-org.freedesktop.login1.service',
  'systemd-hostnamed.socket',
  'systemd-sysext.socket',
  'systemd-tmpfiles-clean.timer',
  'systemd-networkd-persistent-storage.service',
  'systemd-networkd-wait-online.service',
  'systemd-udev-load-credentials.service',
  'systemd-modules-load.service', // udev loads what is there, the first program what has to be there before
  'systemd-remount-fs.service', // the slot is mounted as it stays
  'systemd-tmpfiles-setup-dev-early.service', // devices of a desktop
  'systemd-tmpfiles-setup-dev.service',
  'systemd-user-sessions.service',
  'systemd-pcrphase.service',
  'systemd-random-seed.service',
  'systemd-sysusers.service',
  'systemd-update-done.service',
  'systemd-update-utmp.service',
  'proc-sys-fs-binfmt_misc.automount',
  'modprobe@drm.service',
  'modprobe@efi_pstore.service',
  'modprobe@fuse.service',
  'systemd-ask-password-console.path', // nobody is asked
  'systemd-ask-password-wall.path',
  'systemd-binfmt.service',
  'systemd-creds.socket',
  'systemd-firstboot.service',
  'systemd-hibernate-clear.service',
  'systemd-initctl.socket',
  'systemd-machine-id-commit.service', // its folder is read-only
  'systemd-pcrextend.socket', // no TPM
  'systemd-pcrlock.socket',
  'systemd-pcrmachine.service',
  'systemd-pcrphase-sysinit.service',
  'systemd-pstore.service',
  'systemd-tpm2-setup-early.service',
  'systemd-tpm2-setup.service',
];

/** Programs that make units, for what a box does not have; each is started before all else. */
const maskedGenerators = [
  'getty', // our console is there
  'gpt-auto', // the first program mounts what there is
  'hibernate-resume',
  'rc-local',
  'run',
  'ssh',
  'system-update',
  'sysv',
  'tpm2',
];

const enabled = {
  'multi-user.target': [
    'aetherstore-grow.service',
    'aetherstore-trial.timer',
    'aetherstore.service',
    'systemd-networkd.service',
    'systemd-resolved.service',
    'var-log-journal.mount',
  ],
  'sysinit.target': ['systemd-timesyncd.service', 'systemd-repart.service'],
} as const;

export interface Slot {
  /** The file system. */
  readonly image: string;
  /** The folder that it was made of. */
  readonly tree: string;
  /** The npm packages that are in it. */
  readonly packages: PackageFolders;
}

/** Makes the file system of a slot: the same bytes whenever it is made of the same parts. */
export async function buildSlot(options: SlotOptions): Promise<Slot> {
  const { release, folder, stage, tools, say } = options;
  const tree = join(folder, 'tree');
  rmSync(tree, { recursive: true, force: true });
  mkdirSync(tree, { recursive: true });
  run('tar', ['-xf', stage.archive, '-C', tree, '--numeric-owner', '--xattrs', '--exclude=./dev/*']);
  for (const pattern of pruned) run('bash', ['-c', `rm -rf "$1"/${pattern}`, 'prune', tree]);
  const boards = allBoards();
  const kernel = findKernel(stage.parts);
  const modules = installKernel(tree, kernel, boards, tools);
  installLicences(tree, stage.parts);
  const overlays = { boards, kernel, modules, parts: stage.parts, folder, tools };
  installOverlays(join(tree, 'boot/overlays'), overlays);
  const packages = await installProgram(tree, release.version, tools, say);
  configure(tree, options);
  for (const { name } of boards) {
    const facts = `usr/share/aetherstore/board/${name}/pins.json`;
    mkdirSync(dirname(join(tree, facts)), { recursive: true });
    cpSync(join(root, 'board', name, 'pins.json'), join(tree, facts));
  }
  const ours = ['boot', programFolder, 'usr/share/aetherstore'].map((each) => join(tree, each));
  run('chown', ['-R', '0:0', ...ours]);
  for (const each of ours) settleModes(each);
  const newer = `find "$1" -newermt @${sourceDateEpoch} -exec touch -h -d @${sourceDateEpoch} {} +`;
  run('sh', ['-euc', newer, 'times', tree]);
  const image = join(folder, `slot-${release.version}.ext4`);
  rmSync(image, { force: true });
  run('truncate', ['--size', String(slotBytes), image]);
  // No journal: it is mounted read-only, and written whole.
  const features = '^has_journal,^metadata_csum_seed,^orphan_file';
  const seed = '5a1e6b50-6d9b-4f57-9f0a-2f6f2f5f0d10';
  const words = ['-q', '-t', 'ext4', '-b', '4096', '-m', '0', '-O', features, '-U', seed, '-L', 'slot'];
  tools.run('mke2fs', [...words, '-E', `hash_seed=${seed}`, '-d', tree, image], [folder]);
  return { image, tree, packages };
}

/** Of the packages that were unpacked and not installed: what their licences ask to be passed on. */
function installLicences(tree: string, parts: string): void {
  for (const file of globSync('usr/share/doc/*/copyright', { cwd: parts })) {
    mkdirSync(dirname(join(tree, file)), { recursive: true });
    cpSync(join(parts, file), join(tree, file), { dereference: true });
    chmodSync(join(tree, file), 0o644);
  }
}

/** Everything that is text: overlays/rootfs, the box's user, which units start, who this is. */
function configure(tree: string, { release, certificates, unhealthy }: SlotOptions): void {
  copyInto(join(root, 'overlays/rootfs'), tree);
  run('chown', [
    '-R',
    '0:0',
    join(tree, 'etc'),
    join(tree, 'usr/lib/systemd'),
    join(tree, 'usr/lib/aetherstore'),
  ]);
  const write = (path: string, text: string) => {
    mkdirSync(dirname(join(tree, path)), { recursive: true });
    rmSync(join(tree, path), { force: true });
    writeFileSync(join(tree, path), text);
  };
  const link = (path: string, target: string) => {
    mkdirSync(dirname(join(tree, path)), { recursive: true });
    rmSync(join(tree, path), { force: true });
    symlinkSync(target, join(tree, path));
  };
  appendFileSync(
    join(tree, 'etc/passwd'),
    `aetherstore:x:${userId}:${userId}:AetherStore:/data/aetherstore:/usr/sbin/nologin\n`,
  );
  appendFileSync(join(tree, 'etc/group'), `aetherstore:x:${userId}:\n`);
  appendFileSync(join(tree, 'etc/shadow'), 'aetherstore:!*:::::::\n');
  write('etc/rauc/updates.cert.pem', certificates);
  write('etc/hostname', 'aetherstore\n');
  write('etc/machine-id', 'uninitialized\n');
  write('usr/share/aetherstore/release.json', `${JSON.stringify(release)}\n`);
  write('etc/os-release', osRelease(readFileSync(join(tree, 'usr/lib/os-release'), 'utf8'), release));
  link('etc/resolv.conf', '/run/systemd/resolve/stub-resolv.conf');
  link('etc/systemd/system/default.target', '/usr/lib/systemd/system/multi-user.target');
  for (const unit of masked) link(`etc/systemd/system/${unit}`, '/dev/null');
  for (const name of maskedGenerators)
    link(`etc/systemd/system-generators/systemd-${name}-generator`, '/dev/null');
  for (const [target, units] of Object.entries(enabled)) {
    for (const unit of units)
      link(`etc/systemd/system/${target}.wants/${unit}`, `/usr/lib/systemd/system/${unit}`);
  }
  mkdirSync(join(tree, 'data'), { recursive: true });
  chmodSync(join(tree, 'data'), 0o755);
  if (unhealthy === true) {
    const program = '[Service]\nExecStart=\nExecStart=/bin/false\n';
    write('etc/systemd/system/aetherstore.service.d/unhealthy.conf', program);
  }
  if (release.development) {
    const unit = 'development-shell.service';
    write(`etc/systemd/system/${unit}`, shellUnit);
    link(`etc/systemd/system/multi-user.target.wants/${unit}`, `../${unit}`);
  }
}

/** On a console that only an emulated machine has; there as soon as that is, whatever becomes of the start. */
const shellUnit = `[Unit]
Description=Shell of a development image
DefaultDependencies=no
BindsTo=dev-hvc0.device
After=dev-hvc0.device
Conflicts=shutdown.target
Before=shutdown.target

[Service]
ExecStart=/bin/bash
Environment=HOME=/root TERM=dumb
StandardInput=tty
StandardOutput=tty
StandardError=tty
TTYPath=/dev/hvc0
TTYReset=yes
TTYVHangup=yes
SendSIGHUP=yes
Restart=always
RestartSec=1s
`;

function osRelease(debian: string, { version }: Release): string {
  const from = /^PRETTY_NAME="(.*)"$/m.exec(debian)?.[1] ?? 'Debian';
  return [
    'NAME="AetherStore"',
    'ID=aetherstore',
    'ID_LIKE=debian',
    `VERSION_ID="${version}"`,
    `PRETTY_NAME="AetherStore ${version}, of ${from}"`,
    '',
  ].join('\n');
}
