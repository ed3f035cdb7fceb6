import { join } from 'node:path';
import { AetherError } from './base/errors.ts';
import { provisionedBytesMax } from './base/face-limits.ts';
import { version } from './base/version.ts';
import { type BoxConfig, defaultPort } from './box-config.ts';
import type { BoxControlPorts, BoxEnd } from './box-control.ts';
import { type Supervision, supervise } from './box-supervision.ts';
import { ApplianceUpdates, type BoxUpdatesOptions } from './box-updates.ts';
import { StartingUpdates } from './box-updates-start.ts';
import { clockWasSet } from './platform/linux/clock-set.ts';
import { type DiskTools, ownDiskTools, unitDiskTools } from './platform/linux/disk-tools.ts';
import { Rauc } from './platform/linux/rauc.ts';
import { serviceManager } from './platform/linux/service-manager.ts';
import { startUnit } from './platform/linux/system-units.ts';
import { NodeDisk } from './platform/node-disk.ts';
import { NodeHttpServer } from './platform/node-http-server.ts';
import { readTextFile } from './platform/text-file.ts';
import { parseCode } from './pool/pairing/claim-code.ts';
import type { Clock } from './ports/clock.ts';

/** The computer that the program runs on: somebody's, or the appliance's own. */
export interface BoxHost {
  /** File that says what is wired to what. */
  readonly pins: string | URL;
  readonly diskTools: DiskTools;
  /** Below it disks are mounted that the box took into use. `folder`: that of its state. */
  mountsFolder(folder: string): string;
  /** Whether a folder beside the state is stored in where nobody named one. */
  readonly defaultVolume: boolean;
  /** The claim code on the label of the box; undefined: it makes one. */
  readonly claimCode: string | undefined;
  /** What a person's `box.json` leaves open, filled in. */
  complete(config: BoxConfig): BoxConfig;
  /** What is written into this folder is gone at the next start: the card takes nothing. */
  isInMemory(folder: string): boolean;
  /** Updates of the whole system; undefined where others look after that. `alone`: nothing else of the box runs. */
  updates(
    folder: string,
    options: Pick<BoxUpdatesOptions, 'restartMachine' | 'alone'>,
    ports: BoxControlPorts,
  ): StartingUpdates | undefined;
  /** Whether something that knows the time has set the clock. */
  clockWasSet(): boolean;
  /** Begins to tell whoever started the program that it lives. */
  supervise(clock: Clock): Supervision;
  /** What follows when the program has ended. Errors: `POWER_REFUSED`. */
  ended(how: BoxEnd): Promise<void>;
}

/** Somebody's computer, on which the program is one of many. */
export const sharedHost: BoxHost = {
  pins: new URL('../board/rpi/pins.json', import.meta.url),
  diskTools: ownDiskTools,
  mountsFolder: (folder) => join(folder, 'mounts'),
  defaultVolume: true,
  claimCode: undefined,
  complete: (config) => config,
  isInMemory: () => false,
  updates: () => undefined,
  // Its owner looks after that.
  clockWasSet: () => true,
  supervise: (clock) => supervise(undefined, clock),
  ended: () => Promise.resolve(),
};

/** Made by the appliance's `prepare` before the program starts (overlays/rootfs). */
const boardFolder = '/run/aetherstore/board';
/** Root's, as all folders above it: in one of its own a program that was taken over could lead a mount anywhere. */
const mountsFolder = '/run/aetherstore/mounts';
const provisionedFile = '/run/aetherstore/provisioned.json';
const consoleDevice = '/dev/aetherstore/console';

/**
 * The appliance: everything on it is the box's, what needs root is done by units of the system, and its service manager
 * starts the program again when it is silent (overlays/rootfs/usr/lib/systemd/system/aetherstore.service).
 */
export async function applianceHost(env: NodeJS.ProcessEnv): Promise<BoxHost> {
  return {
    pins: `${boardFolder}/pins.json`,
    diskTools: unitDiskTools,
    mountsFolder: () => mountsFolder,
    // The card holds the system, and wears: people store on disks.
    defaultVolume: false,
    claimCode: await provisionedCode(),
    complete: (config) => ({
      ...config,
      listen: { host: config.listen.host, port: config.listen.port ?? defaultPort },
      web: { on: config.web.on, port: config.web.port ?? 443, plainPort: config.web.plainPort ?? 80 },
      serial: config.serial.length > 0 ? config.serial : [consoleDevice],
      console: 'none',
    }),
    isInMemory: (folder) => folder.startsWith('/run/'),
    updates: (folder, options, ports) => {
      const updates = join(folder, 'updates');
      const open = () =>
        ApplianceUpdates.open(
          { ...options, folder: updates, version },
          {
            ...ports,
            slots: new Rauc(ports),
            updatesDisk: new NodeDisk(updates),
            server: new NodeHttpServer(ports),
          },
        );
      return new StartingUpdates(open);
    },
    clockWasSet,
    supervise: (clock) => supervise(serviceManager(env), clock),
    ended: async (how) => {
      if (how !== 'shutdown' && how !== 'reboot') return;
      const unit = how === 'shutdown' ? 'aetherstore-poweroff.service' : 'aetherstore-reboot.service';
      const { exitCode, stderr } = await startUnit(unit);
      if (exitCode === 0) return;
      throw new AetherError('POWER_REFUSED', `${unit} could not be started`, {
        help: `It starts again. The system said: ${stderr.trim()}`,
      });
    },
  };
}

/** What was written to the card when it was made (scripts/flash). A card without it is as good: the box makes a code. */
async function provisionedCode(): Promise<string | undefined> {
  try {
    const { claimCode } = JSON.parse(await readTextFile(provisionedFile, provisionedBytesMax)) as {
      claimCode?: unknown;
    };
    return typeof claimCode === 'string' ? parseCode(claimCode) : undefined;
  } catch {
    return undefined;
  }
}
