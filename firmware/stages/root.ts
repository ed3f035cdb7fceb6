import { join } from 'node:path';
import { bootstrap } from './debian.ts';
import { dayOf, stageFolder } from './stage.ts';

/** What the box's system is made of; each needs a reason, for each is carried by every update. */
const packages = [
  'dbus',
  'e2fsprogs', // disks are formatted and checked
  'kmod',
  'libstdc++6', // Node
  'libubootenv-tool', // RAUC writes the boot loader's environment
  'polkitd', // which named units the box may start
  'rauc',
  'rauc-service',
  'smartmontools', // health of disks
  'systemd',
  'systemd-repart', // the data partition grows to the end of the card
  'systemd-resolved', // names of a broker
  'systemd-sysv',
  'systemd-timesyncd', // a Pi has no clock that goes on without power
  'udev',
];

/** Packages of which only some boards take files, and how the paths of these begin. */
export const boardParts: ReadonlyMap<string, string> = new Map([
  ['raspi-firmware', 'usr/lib/raspi-firmware/'],
  ['u-boot-qemu', 'usr/lib/u-boot/qemu'],
  ['u-boot-rpi', 'usr/lib/u-boot/rpi'],
]);

/** Unpacked beside it, not installed: kernels, boot loaders and firmware are taken apart for each board. */
const parts = ['busybox-static', ...boardParts.keys()];

/** Folders of /usr/share that nobody reads on a box. */
const unread = ['doc', 'man', 'info', 'locale', 'i18n', 'bash-completion', 'zsh', 'lintian', 'bug'];

export interface RootStage {
  /** The system as an archive. */
  readonly archive: string;
  /** Unpacked packages: kernel, boot loaders, firmware. */
  readonly parts: string;
  /** `name TAB version TAB source TAB source-version` of everything installed and unpacked, for the bill of materials. */
  readonly packages: string;
}

/** Runs in mmdebstrap, which has its own apt: fetches packages and unpacks them without running anything of theirs. */
const fetchParts = (folder: string) => `
set -eu
export APT_CONFIG="$MMDEBSTRAP_APT_CONFIG"
mkdir -p '${folder}/deb' && cd '${folder}/deb'
kernel=$(apt-cache depends linux-image-arm64 | sed -n 's/^ *Depends: *//p' | head -n 1)
apt-get download ${parts.join(' ')} "$kernel"
mkdir -p '${folder}/parts'
for package in *.deb; do dpkg-deb -x "$package" '${folder}/parts'; done
for package in *.deb; do
  dpkg-deb --show --showformat='\${Package}\\t\${Version}\\t\${source:Package}\\t\${source:Version}\\n' "$package"
done >'${folder}/packages.tsv'
chroot "$1" dpkg-query --show --showformat='\${Package}\\t\${Version}\\t\${source:Package}\\t\${source:Version}\\n' \\
  >>'${folder}/packages.tsv'
rm -rf '${folder}/deb'
`;

/**
 * The system of the box before anything of ours is in it; made when it is not there yet, or anew (`fresh`), with the
 * packages that Debian has by then: five minutes, 0.6 GB.
 */
export function rootStage(say: (line: string) => void, fresh?: boolean): RootStage {
  const folder = stageFolder(
    {
      name: 'root',
      fresh,
      recipe: [packages, parts, unread, fetchParts('')],
      make: (target) =>
        bootstrap({
          architecture: 'arm64',
          target: join(target, 'root.tar'),
          packages,
          components: ['main', 'non-free-firmware'],
          flags: [
            ...unread.map((folder) => `--dpkgopt=path-exclude=/usr/share/${folder}/*`),
            // What a licence asks to be passed on.
            '--dpkgopt=path-include=/usr/share/doc/*/copyright',
            `--customize-hook=${fetchParts(target)}`,
          ],
        }),
    },
    say,
  );
  say(`Debian's packages: of ${dayOf(folder) ?? 'a day that is not known'}; --fresh takes those of today`);
  return {
    archive: join(folder, 'root.tar'),
    parts: join(folder, 'parts'),
    packages: join(folder, 'packages.tsv'),
  };
}
