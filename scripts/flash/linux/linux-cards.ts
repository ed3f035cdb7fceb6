import { existsSync, readdirSync, readFileSync, realpathSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { Card } from '../card.ts';

/** Where Linux tells of its disks; a test brings files of its own. */
export interface LinuxFacts {
  /** `/sys`. */
  readonly sysfs: string;
  /** What is in `/proc/self/mountinfo`. */
  readonly mountInfo: string;
  /** What is in `/proc/swaps`. */
  readonly swaps: string;
}

const sysfsSectorBytes = 512;
/** Memory, compact discs and floppies, and what only stands for other disks. */
const noDisks = /^(ram|zram|sr|fd|dm-|md|mtd|bcache|drbd)/;
const systemMounts = new Set(['/', '/boot', '/boot/efi', '/boot/firmware', '/efi', '/usr', '/var', '/home']);

/** Whole disks that have something in them, by name. */
export function linuxCards(facts: LinuxFacts): readonly Card[] {
  const system = systemDisks(facts);
  const uses = usesOf(facts);
  return list(join(facts.sysfs, 'block'))
    .filter((name) => !noDisks.test(name))
    .sort()
    .map((name) => cardOf(name, facts.sysfs, system, uses))
    .filter(({ sizeBytes }) => sizeBytes > 0);
}

/** The block device of a number, `8:16`; undefined when sysfs knows none. */
export function linuxCard(number: string, facts: LinuxFacts): Card | undefined {
  const folder = folderOf(number, facts.sysfs);
  if (folder === undefined) return undefined;
  const name = basename(folder);
  const known = linuxCards(facts).find(({ path }) => path === `/dev/${name}`);
  if (known !== undefined) return known;
  const whole = cardOf(name, facts.sysfs, systemDisks(facts), usesOf(facts));
  if (existsSync(join(folder, 'partition'))) return { ...whole, kind: 'partition' };
  return noDisks.test(name) ? { ...whole, kind: 'other' } : whole;
}

function cardOf(name: string, sysfs: string, system: ReadonlySet<string>, uses: Uses): Card {
  const folder = join(sysfs, 'block', name);
  const parts = [name, ...partitionsOf(folder, name)];
  return {
    path: `/dev/${name}`,
    kind: 'disk',
    model: modelOf(folder),
    sizeBytes: Number(text(folder, 'size') ?? 0) * sysfsSectorBytes,
    sectorBytes: Number(text(folder, 'queue/logical_block_size') ?? sysfsSectorBytes),
    bus: busOf(folder, name),
    isRemovable: text(folder, 'removable') === '1' || ['usb', 'mmc'].includes(busOf(folder, name) ?? ''),
    isReadOnly: text(folder, 'ro') === '1',
    isSystem: system.has(name),
    isInternal: false,
    mounts: [],
    uses: parts.flatMap((part) => [...(uses.get(part) ?? []), ...holdersOf(part, folder, name)]),
    zeroesItself: Number(text(folder, 'queue/write_zeroes_max_bytes') ?? 0) > 0,
  };
}

function modelOf(folder: string): string | null {
  const vendor = text(folder, 'device/vendor');
  const model = text(folder, 'device/model') ?? text(folder, 'device/name');
  const file = text(folder, 'loop/backing_file');
  if (model === undefined) return file === undefined ? null : basename(file);
  // Of a PCI device the vendor is a number, of an ATA disk the word ATA.
  return vendor === undefined || /^(0x|ATA$)/.test(vendor) ? model : `${vendor} ${model}`;
}

function busOf(folder: string, name: string): string | null {
  if (/^(nvme|mmcblk)/.test(name)) return name.startsWith('nvme') ? 'nvme' : 'mmc';
  if (/^(loop|vd|xvd|nbd)/.test(name)) return 'virtual';
  try {
    const device = realpathSync(join(folder, 'device'));
    if (/\/usb\d/.test(device)) return 'usb';
    return /\/ata\d/.test(device) ? 'sata' : null;
  } catch {
    return null;
  }
}

function partitionsOf(folder: string, name: string): readonly string[] {
  return list(folder).filter(
    (entry) => entry.startsWith(name) && existsSync(join(folder, entry, 'partition')),
  );
}

/** LVM, md, dm-crypt and bcache hold what they are made of. */
function holdersOf(part: string, folder: string, whole: string): readonly string[] {
  const own = part === whole ? folder : join(folder, part);
  return list(join(own, 'holders')).map((holder) => {
    const told = text(own, `holders/${holder}/dm/name`) ?? holder;
    return `is part of ${told}`;
  });
}

/** Why devices are in use, by the kernel's name of disk or partition. */
type Uses = ReadonlyMap<string, readonly string[]>;

function usesOf(facts: LinuxFacts): Uses {
  const uses = new Map<string, string[]>();
  const add = (name: string, use: string) => uses.set(name, [...(uses.get(name) ?? []), use]);
  for (const { mountPoint, names } of mountsOf(facts)) {
    for (const name of names) add(name, `is mounted on ${mountPoint}`);
  }
  for (const path of swapsOf(facts.swaps)) add(basename(path), 'is swapped to');
  return uses;
}

/** Disks that carry the system, through partitions, mappings and arrays. */
function systemDisks(facts: LinuxFacts): ReadonlySet<string> {
  const mounted = mountsOf(facts)
    .filter(({ mountPoint }) => systemMounts.has(mountPoint))
    .flatMap(({ names }) => names);
  const swapped = swapsOf(facts.swaps).map((path) => basename(path));
  return new Set([...mounted, ...swapped].flatMap((name) => wholeDisksOf(name, facts.sysfs)));
}

/** The disks that `name` stands on. */
function wholeDisksOf(name: string, sysfs: string, depth = 0): readonly string[] {
  const folder = classFolder(name, sysfs);
  if (folder === undefined || depth > 8) return [];
  const slaves = list(join(folder, 'slaves'));
  if (slaves.length > 0) return slaves.flatMap((slave) => wholeDisksOf(slave, sysfs, depth + 1));
  if (existsSync(join(folder, 'partition')))
    return wholeDisksOf(basename(join(folder, '..')), sysfs, depth + 1);
  return [name];
}

interface Mount {
  readonly mountPoint: string;
  /** Kernel's names of the devices behind it: several of btrfs. */
  readonly names: readonly string[];
}

/** proc_pid_mountinfo(5): number of the device third, mount point fifth, source second after the lone hyphen. */
function mountsOf({ mountInfo, sysfs }: LinuxFacts): readonly Mount[] {
  return mountInfo.split('\n').flatMap((line) => {
    const fields = line.split(' ');
    const [, , number, , mountPoint] = fields;
    const [, source] = fields.slice(fields.indexOf('-') + 1);
    if (number === undefined || mountPoint === undefined) return [];
    const byNumber = folderOf(number, sysfs);
    // The number of btrfs is nobody's: then its source tells one device of it.
    const bySource = source?.startsWith('/dev/') ? nameAt(unescapeOctal(source), sysfs) : undefined;
    const name = byNumber === undefined ? bySource : basename(byNumber);
    if (name === undefined) return [];
    return [{ mountPoint: unescapeOctal(mountPoint), names: btrfsSiblings(name, sysfs) }];
  });
}

/** The devices of the btrfs that `name` belongs to; of anything else itself. */
function btrfsSiblings(name: string, sysfs: string): readonly string[] {
  const folder = join(sysfs, 'fs', 'btrfs');
  const all = list(folder).map((id) => list(join(folder, id, 'devices')));
  return all.find((devices) => devices.includes(name)) ?? [name];
}

/** `/dev/mapper/vg-root` is a link to `../dm-0`. */
function nameAt(path: string, sysfs: string): string | undefined {
  const direct = basename(path);
  if (classFolder(direct, sysfs) !== undefined) return direct;
  try {
    return basename(realpathSync(path));
  } catch {
    return list(join(sysfs, 'block')).find((name) => text(sysfs, `block/${name}/dm/name`) === direct);
  }
}

function swapsOf(swaps: string): readonly string[] {
  return swaps
    .split('\n')
    .map((line) => line.split(/\s/)[0] ?? '')
    .filter((path) => path.startsWith('/dev/'))
    .map(unescapeOctal);
}

/** sysfs of a disk or a partition. */
function classFolder(name: string, sysfs: string): string | undefined {
  const whole = join(sysfs, 'block', name);
  if (existsSync(whole)) return whole;
  const parent = list(join(sysfs, 'block')).find(
    (disk) => name.startsWith(disk) && existsSync(join(sysfs, 'block', disk, name, 'partition')),
  );
  return parent === undefined ? undefined : join(sysfs, 'block', parent, name);
}

function folderOf(number: string, sysfs: string): string | undefined {
  try {
    return realpathSync(join(sysfs, 'dev', 'block', number));
  } catch {
    return undefined;
  }
}

function unescapeOctal(escaped: string): string {
  return escaped.replace(/\\([0-7]{3})/g, (_, digits) => String.fromCharCode(Number.parseInt(digits, 8)));
}

function list(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function text(folder: string, name: string): string | undefined {
  try {
    return readFileSync(join(folder, name), 'utf8').trim() || undefined;
  } catch {
    return undefined;
  }
}
