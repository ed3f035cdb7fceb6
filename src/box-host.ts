import { join } from 'node:path';
import { AetherError } from './base/errors.ts';
import { provisionedBytesMax, supervisionPatienceMs, supervisionTellMs } from './base/face-limits.ts';
import { version } from './base/version.ts';
import { type BoxConfig, defaultPort } from './box-config.ts';
import type { BoxControlPorts, BoxEnd } from './box-control.ts';
import { ApplianceUpdates } from './box-updates.ts';
import { type DiskTools, ownDiskTools, unitDiskTools } from './platform/linux/disk-tools.ts';
import { rauc } from './platform/linux/rauc.ts';
import { serviceManager } from './platform/linux/service-manager.ts';
import { startUnit } from './platform/linux/system-units.ts';
import { NodeDisk } from './platform/node-disk.ts';
import { NodeHttpServer } from './platform/node-http-server.ts';
import { readTextFile } from './platform/text-file.ts';
import { parseCode } from './pool/pairing/claim-code.ts';
import { type Clock, every } from './ports/clock.ts';
import type { ServiceManager } from './ports/service-manager.ts';

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
  /** Updates of the whole system; undefined where others look after that. Errors: those of `ApplianceUpdates.open`. */
  openUpdates(
    folder: string,
    restartMachine: () => Promise<void>,
    ports: BoxControlPorts,
  ): Promise<ApplianceUpdates | undefined>;
  /** Begins to tell whoever started the program that it lives. */
  supervise(clock: Clock): Supervision;
  /** What follows when the program has ended. Errors: `POWER_REFUSED`. */
  ended(how: BoxEnd): Promise<void>;
}

/** What is told to a service manager, which ends a program that says nothing. */
export interface Supervision {
  /** It serves, and this is how it is in a sentence. */
  serving(headline: () => string): void;
  /** It ends; what it does now may take its time. */
  stopping(): void;
  /** Nothing more is told. */
  close(): void;
}

/** Somebody's computer, on which the program is one of many. */
export const sharedHost: BoxHost = {
  pins: new URL('../board/rpi/pins.json', import.meta.url),
  diskTools: ownDiskTools,
  mountsFolder: (folder) => join(folder, 'mounts'),
  defaultVolume: true,
  claimCode: undefined,
  complete: (config) => config,
  openUpdates: () => Promise.resolve(undefined),
  supervise: () => ({ serving: () => {}, stopping: () => {}, close: () => {} }),
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
    openUpdates: (folder, restartMachine, ports) => {
      const updates = join(folder, 'updates');
      return ApplianceUpdates.open(
        { folder: updates, restartMachine, version },
        { ...ports, slots: rauc, updatesDisk: new NodeDisk(updates), server: new NodeHttpServer(ports) },
      );
    },
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

/** The protocol of sd_notify(3). Starting takes its time when large disks are checked after a power cut. */
function supervise(manager: ServiceManager | undefined, clock: Clock): Supervision {
  if (manager === undefined) return sharedHost.supervise(clock);
  let status: () => string = () => `EXTEND_TIMEOUT_USEC=${supervisionPatienceMs * 1000}`;
  const tell = () => manager.tell(`WATCHDOG=1\n${status()}`);
  // The manager wants to hear twice within its limit (sd_watchdog_enabled(3)).
  const timer = every(clock, Math.min(supervisionTellMs, (manager.watchdogMs ?? Infinity) / 2), tell);
  tell();
  return {
    serving: (headline) => {
      manager.tell('READY=1');
      status = () => `STATUS=${headline()}`;
      tell();
    },
    stopping: () => {
      status = () => 'STATUS=Stopping';
      tell();
    },
    close: () => timer.cancel(),
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
