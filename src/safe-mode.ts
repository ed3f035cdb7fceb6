import type { Bytes } from './base/bytes.ts';
import { AetherError } from './base/errors.ts';
import { logEntriesMax } from './base/limits.ts';
import { formatLogEntry, type Log, type LogRing } from './base/log.ts';
import { version } from './base/version.ts';
import type { BoxEnd } from './box-control.ts';
import { BoxLife, closeEach } from './box-life.ts';
import type { Supervision } from './box-supervision.ts';
import type { StartingUpdates } from './box-updates-start.ts';
import type { ApplianceControl, DiskControl, SupportFile } from './control/appliance-control.ts';
import type { ConsoleContext } from './device/console/command.ts';
import type { Clock } from './ports/clock.ts';
import { type ApplianceStatus, foldStatus } from './status/appliance-status.ts';
import {
  type ApplianceFacts,
  type BoxFacts,
  noNetworkFacts,
  noUpdate,
  unknownHardware,
} from './status/facts.ts';

export interface SafeModeOptions {
  /** Why, in words. */
  readonly reason: string;
  /** Lights, and consoles on serial lines. `startsAgain`: it ends only to start again. */
  readonly startFaces: (context: ConsoleContext, startsAgain: () => boolean) => Promise<{ close(): void }>;
  readonly ring: LogRing;
  readonly supervision: Supervision;
  /** Calls `stop` when whoever started the program wants it to end. */
  readonly onAsked: (stop: () => void) => void;
  /** The card takes nothing: what is remembered now is gone at the next start. */
  readonly stateInMemory: boolean;
  /** As `BoxHost.updates`. */
  readonly updates: (restartMachine: () => Promise<void>) => StartingUpdates | undefined;
}

/**
 * A box whose program failed again and again, or whose card gives it no memory: consoles, lights and updates, and nothing
 * that touches disks, keys or the network. Restarting tries the machine anew. Resolves with how it is to end.
 */
export async function runSafeMode(
  options: SafeModeOptions,
  ports: { readonly clock: Clock; readonly log: Log },
): Promise<BoxEnd> {
  const { reason, ring, supervision, stateInMemory } = options;
  const life = new BoxLife();
  ports.log.warn('safe mode', { reason });
  const updates = options.updates(() => life.end('reboot'));
  const control = new SafeControl({ reason, life, ring, stateInMemory, updates }, ports.clock);
  options.onAsked(life.onSignal);
  const faces = await options.startFaces({ control, log: ring }, () => life.startsAgain);
  life.onClosed(() => faces.close());
  supervision.serving(() => control.status().headline);
  updates?.start(life.asked, ports);
  await life.asked;
  supervision.stopping();
  await closeEach([() => updates?.close()], ports.log);
  control.phase = 'stopped';
  life.closed();
  return life.how === 'restart' ? 'reboot' : life.how;
}

interface SafeControlOptions {
  readonly reason: string;
  readonly life: BoxLife;
  readonly ring: LogRing;
  readonly stateInMemory: boolean;
  readonly updates: StartingUpdates | undefined;
}

/** What can be asked of a box in safe mode. */
class SafeControl implements ApplianceControl {
  readonly disks: DiskControl = { locate: refuse, adopt: refuse, retire: refuse, forget: refuse };
  readonly hasPin = false;
  readonly pinChanges = 0;
  phase: 'safe' | 'stopped' = 'safe';
  readonly #options: SafeControlOptions;
  readonly #clock: Clock;
  readonly #startedMs: number;

  constructor(options: SafeControlOptions, clock: Clock) {
    this.#options = options;
    this.#clock = clock;
    this.#startedMs = clock.monotonicMs();
  }

  status(): ApplianceStatus {
    const update = this.#options.updates?.facts() ?? noUpdate;
    const box: BoxFacts = {
      name: 'aetherstore',
      memberId: '',
      version,
      phase: 'safe',
      uptimeMs: this.#clock.monotonicMs() - this.#startedMs,
      identifying: false,
    };
    const facts: ApplianceFacts = {
      box,
      pool: null,
      volumes: [],
      peers: [],
      network: { ...noNetworkFacts, port: null },
      copies: { missing: 0, copying: false },
      pairing: { locked: false, lockedForMs: null, codeShown: false },
      work: [],
      hardware: unknownHardware,
      disks: [],
      update,
      acknowledged: [],
    };
    // Whatever it does, it is in safe mode, and of the rest nothing is known.
    const { worst, conditions } = foldStatus(facts);
    const phase = this.phase === 'safe' && update.state === 'installing' ? 'updating' : this.phase;
    return {
      ...foldStatus({ ...facts, box: { ...box, phase } }),
      worst,
      conditions: conditions.map((each) => ({
        ...each,
        message: `${each.message} The reason: ${this.#options.reason}.`,
      })),
    };
  }

  onChange(listener: () => void): () => void {
    return this.#options.updates?.onChange(listener) ?? (() => {});
  }

  history(): readonly never[] {
    return [];
  }

  installUpdate(): Promise<void> {
    return this.#options.updates?.install() ?? refuse();
  }

  receiveUpdate(totalBytes: number, body: AsyncIterable<Bytes>): Promise<string> {
    return this.#options.updates?.receive(totalBytes, body) ?? refuse();
  }

  identify(): void {
    throw refusal();
  }

  pair(): never {
    throw refusal();
  }

  acknowledge(): Promise<never> {
    return refuse();
  }

  setPin(): Promise<never> {
    return refuse();
  }

  checkPin(): Promise<boolean> {
    return Promise.resolve(true);
  }

  resetAccess(): Promise<never> {
    return refuse();
  }

  /** Errors: `CARD_UNWRITABLE`: what is to be forgotten is on a card that takes nothing. */
  factoryReset(): Promise<void> {
    if (this.#options.stateInMemory) return Promise.reject(unwritable());
    return this.#options.life.end('factory-reset');
  }

  shutdown(): Promise<void> {
    return this.#options.life.end('shutdown');
  }

  restart(): Promise<void> {
    return this.#options.life.end('restart');
  }

  supportBundle(): Promise<readonly SupportFile[]> {
    const entries = this.#options.ring.newest(logEntriesMax);
    const text = entries.map((entry) => `${formatLogEntry(entry)}\n`).join('');
    return Promise.resolve([
      { name: 'version.txt', text: `AetherStore ${version}\n` },
      { name: 'log.txt', text },
    ]);
  }
}

function refuse(): Promise<never> {
  return Promise.reject(refusal());
}

function refusal(): AetherError<'SAFE_MODE'> {
  return new AetherError('SAFE_MODE', 'that cannot be done in safe mode', {
    help: 'restart starts the box anew; an update comes on a memory stick.',
  });
}

function unwritable(): AetherError<'CARD_UNWRITABLE'> {
  return new AetherError(
    'CARD_UNWRITABLE',
    'what the box remembered cannot be written: nothing is forgotten',
    {
      help: 'Write its card anew, or another one. Destroy a card that takes no writing: it may hold the key of the box.',
    },
  );
}
