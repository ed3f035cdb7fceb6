import { basename, join, resolve } from 'node:path';
import { AetherError } from './base/errors.ts';
import { stateFileBytesMax } from './base/limits.ts';
import { type BoxOptions, defaultReplicas } from './box.ts';
import {
  type BoxConfig,
  defaultBoxConfig,
  defaultPort,
  defaultWebPort,
  parseBoxConfig,
} from './box-config.ts';
import { type CommandLine, type OptionSpec, optionLines, usageError } from './cli/arguments.ts';
import { InstanceLock } from './platform/instance-lock.ts';
import { LmdbStore } from './platform/lmdb-store.ts';
import { NodeClock } from './platform/node-clock.ts';
import { NodeDisk } from './platform/node-disk.ts';
import { isMemberName } from './pool/membership/record.ts';
import type { Disk } from './ports/disk.ts';
import { readFile as readSmallFile } from './ports/replace-file.ts';
import type { ListenAddress } from './ports/secure-transport.ts';
import { AnswerGate } from './store/answer-gate.ts';
import type { VolumeOptions } from './store/volume.ts';

/** What a box is told on its command line. */
export const options: Readonly<Record<string, OptionSpec>> = {
  dir: {
    type: 'string',
    value: 'DIR',
    help: "the box's folder: state, box.json, default disk (default: var/box)",
  },
  name: {
    type: 'string',
    value: 'NAME',
    help: 'what people call this box (default: aether- and four digits)',
  },
  listen: {
    type: 'string',
    value: 'HOST:PORT',
    help: `where members connect (default: every address, port ${defaultPort} or the next free one)`,
  },
  volume: {
    type: 'string',
    value: 'PATH',
    multiple: true,
    help: 'a folder to store in, the root of a disk; once for each (default: DIR/disk1)',
  },
  'link-local': {
    type: 'string',
    value: 'WHEN',
    help: 'addresses from 169.254/16: fallback (default: where no DHCP server answers), always or never',
  },
  web: {
    type: 'string',
    value: 'PORT',
    help: `the page for browsers: its port (default: ${defaultWebPort} or the next free one), or off`,
  },
  serial: {
    type: 'string',
    value: 'DEVICE',
    multiple: true,
    help: 'a serial line with the maintenance console on it, 115200 8N1: /dev/ttyAMA0; once for each',
  },
  console: { type: 'string', value: 'WHERE', help: 'the maintenance console: terminal (default) or none' },
  appliance: {
    type: 'boolean',
    help: 'this computer is a box and nothing else: its own console, ports 443 and 80, disks by units of the system',
  },
  safe: {
    type: 'string',
    value: 'REASON',
    help: 'with --appliance: only what maintains the box, its console and updates',
  },
  'json-ready': { type: 'boolean', help: 'print one line of JSON when it listens' },
  version: { type: 'boolean', help: 'print the version' },
  help: { type: 'boolean', short: 'h', help: 'show this' },
};

export const usage = [
  'usage: npm start -- [options]',
  '',
  'Runs an AetherStore box on this computer.',
  '',
  ...optionLines(options),
  '',
  'box.json in DIR may set name, listen {host, port}, volumes [{path, limitGiB}], web {on, port, plainPort},',
  'serial [devices], mqtt (docs/mqtt.md), linkLocal and console; options come first.',
];

/** Where another box on this computer listens: the next ports, then any. */
const nextPorts = [...Array.from({ length: 9 }, (_, index) => defaultPort + 1 + index), 0];

const nextWebPorts = [...Array.from({ length: 10 }, (_, index) => defaultWebPort + index), 0];

/** What a box is to be, by its command line and its `box.json`. Errors: `USAGE`, `CONFIG_INVALID`. */
export function boxOptions(config: BoxConfig, line: CommandLine): Omit<BoxOptions, 'suite' | 'volumes'> {
  const name = line.text('name') ?? config.name ?? undefined;
  if (name !== undefined && !isMemberName(name)) throw nameInvalid();
  return {
    ...(name === undefined ? {} : { name }),
    listen: listenAddress(line.text('listen'), config),
    otherPorts: line.text('listen') === undefined && config.listen.port === null ? nextPorts : [],
    replicas: defaultReplicas,
  };
}

/** Where the page for browsers is. */
export interface WebSettings {
  readonly host: string;
  /** Tried one after the other. */
  readonly ports: readonly number[];
  readonly plainPort: number | null;
}

/** Undefined: there is none. Errors: `USAGE`. */
export function webSettings(line: CommandLine, { web }: BoxConfig, host: string): WebSettings | undefined {
  const flag = line.text('web');
  const { plainPort } = web;
  if (flag === 'off' || (flag === undefined && !web.on)) return undefined;
  if (flag === undefined) return { host, ports: web.port === null ? nextWebPorts : [web.port], plainPort };
  const port = Number(flag);
  if (!/^\d{1,5}$/.test(flag) || port > 65_535) {
    throw usageError(`--web ${flag}: a port or off was expected`, 'npm start -- --help');
  }
  return { host, ports: [port], plainPort };
}

/** Serial lines with a console on them. */
export function serialDevices(line: CommandLine, { serial }: BoxConfig): readonly string[] {
  const flags = line.texts('serial');
  return flags.length > 0 ? flags : serial;
}

export async function readConfig(disk: Disk): Promise<BoxConfig> {
  const bytes = await readSmallFile(disk, 'box.json', stateFileBytesMax);
  return bytes === undefined ? defaultBoxConfig : parseBoxConfig(new TextDecoder().decode(bytes));
}

/** As `readConfig` for safe mode, which is where a mistake is told: with one, the defaults. Errors: none of the file's. */
export async function readConfigAnyhow(
  disk: Disk,
): Promise<{ readonly config: BoxConfig; readonly mistake: string | undefined }> {
  try {
    return { config: await readConfig(disk), mistake: undefined };
  } catch (error) {
    if (!(error instanceof AetherError)) throw error;
    return { config: defaultBoxConfig, mistake: error.message };
  }
}

export function linkLocalMode(flag: string | undefined, config: BoxConfig): BoxConfig['linkLocal'] {
  if (flag === undefined) return config.linkLocal;
  if (flag === 'fallback' || flag === 'always' || flag === 'never') return flag;
  throw usageError(`--link-local ${flag}: fallback, always or never was expected`, 'npm start -- --help');
}

function listenAddress(flag: string | undefined, { listen }: BoxConfig): ListenAddress {
  if (flag === undefined) return { host: listen.host, port: listen.port ?? defaultPort };
  const match = /^(?:\[([^\]]*)\]|([^:]*)):(\d{1,5})$/.exec(flag);
  const port = Number(match?.[3]);
  if (match === null || port > 65_535) {
    throw usageError(`--listen ${flag}: HOST:PORT was expected`, 'npm start -- --help');
  }
  return { host: match[1] || match[2] || '::', port };
}

/** The folders to store in. One that is missing is made only when it is the default: a missing disk is no folder. */
export async function configuredVolumes(
  folder: string,
  config: BoxConfig,
  line: CommandLine,
  byDefault = true,
): Promise<readonly NamedVolume[]> {
  const flags = line.texts('volume').map((path) => ({ path, limitGiB: null }));
  const chosen = flags.length > 0 ? flags : config.volumes;
  if (chosen.length === 0 && !byDefault) return [];
  if (chosen.length === 0) await new NodeDisk(folder).makeDirectory('disk1');
  return namedVolumes(chosen.length > 0 ? chosen : [{ path: join(folder, 'disk1'), limitGiB: null }]);
}

/** A folder to store in. */
interface VolumePath {
  readonly path: string;
  readonly limitGiB: number | null;
}

/** What people call each volume: the last name of its path, or the whole path where that would be two's. */
function namedVolumes(volumes: readonly VolumePath[]): readonly NamedVolume[] {
  const names = volumes.map(({ path }) => basename(path));
  return volumes.map((volume, index) => {
    const name = names[index]!;
    return { ...volume, name: names.filter((other) => other === name).length > 1 ? volume.path : name };
  });
}

export interface NamedVolume extends VolumePath {
  readonly name: string;
  readonly mountPoint?: boolean;
}

/** `mountPoint`: it is a disk of its own, and nothing while that is not mounted. */
export function volumeAt({ name, path, limitGiB, mountPoint }: NamedVolume): VolumeOptions {
  const open = () => new NodeDisk(path, { mountPoint: mountPoint ?? false });
  return {
    name,
    disk: open(),
    diskAgain: open,
    gate: gateOf(path),
    openIndex: () => openIndex(path),
    ...(limitGiB === null ? {} : { limitBytes: limitGiB * 2 ** 30 }),
  };
}

/** Of this program, which may live more than once: what one life asked a disk that hangs, the next must wait for. */
const gates = new Map<string, AnswerGate>();

function gateOf(path: string): AnswerGate {
  const place = resolve(path);
  const gate = gates.get(place) ?? new AnswerGate(new NodeClock());
  gates.set(place, gate);
  return gate;
}

/** Opens the index of the volume at `path`; while it is open, no other box on this computer can have it. */
async function openIndex(path: string): Promise<LmdbStore> {
  const lock = InstanceLock.takeDisk(path);
  try {
    return await LmdbStore.open(join(path, 'index'), () => lock.release());
  } catch (error) {
    lock.release();
    throw error;
  }
}

function nameInvalid(): AetherError {
  return new AetherError('CONFIG_INVALID', 'the name of a box has 1 to 63 bytes and no control characters', {
    help: 'Change --name, or name in box.json.',
  });
}
