import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { toHex } from './base/bytes.ts';
import { AetherError } from './base/errors.ts';
import { formatDuration } from './base/format.ts';
import { logEntriesMax } from './base/limits.ts';
import { createLog, formatLogEntry, type Log, LogRing } from './base/log.ts';
import { version } from './base/version.ts';
import { Box, type BoxOptions } from './box.ts';
import type { BoxConfig } from './box-config.ts';
import { BoxNetwork, type BoxNetworkOptions } from './box-network.ts';
import { boxOptions, linkLocalMode, options, readConfig, usage } from './box-settings.ts';
import { type CommandLine, parseCommandLine, usageError } from './cli/arguments.ts';
import { exitCodeOf } from './cli/exit-codes.ts';
import { errorLines } from './cli/output.ts';
import type { PairingCode } from './device/console/commands.ts';
import { Console } from './device/console/console.ts';
import { LedDriver } from './device/leds/led-driver.ts';
import { parseBoardPins } from './device/pins.ts';
import { openGpioLeds } from './platform/gpio-leds.ts';
import { InstanceLock } from './platform/instance-lock.ts';
import { type KernelNetwork, openKernelNetwork } from './platform/kernel-network.ts';
import { LmdbStore } from './platform/lmdb-store.ts';
import { NodeClock } from './platform/node-clock.ts';
import { nodeCompute } from './platform/node-compute.ts';
import { NodeDisk } from './platform/node-disk.ts';
import { nodeEntropy } from './platform/node-entropy.ts';
import { NodeMulticastNetwork } from './platform/node-multicast.ts';
import { anotherBox, otherResponders } from './platform/other-responders.ts';
import { TerminalLeds } from './platform/terminal-leds.ts';
import { TerminalLine } from './platform/terminal-line.ts';
import { TlsTransport } from './platform/tls-transport.ts';
import { every } from './ports/clock.ts';
import type { Disk } from './ports/disk.ts';
import type { LedPort } from './ports/leds.ts';
import { fastestSuite } from './store/suite.ts';

const clock = new NodeClock();
const ring = new LogRing(logEntriesMax);

async function main(words: readonly string[]): Promise<void> {
  const line = parseCommandLine(words, options, 'npm start -- --help');
  if (line.positionals.length > 0)
    throw usageError(`nothing is done with ${line.positionals[0]}`, 'npm start -- --help');
  if (line.flag('help')) return say(usage);
  if (line.flag('version')) return say([version]);
  const folder = resolve(line.text('dir') ?? 'var/box');
  const disk = new NodeDisk(folder);
  await disk.makeDirectory('state');
  const lock = InstanceLock.take(folder);
  try {
    await run(folder, await readConfig(disk), line);
  } finally {
    lock.release();
  }
}

/** Runs the box until it is asked to stop; when this resolves, everything is on disk. */
async function run(folder: string, config: BoxConfig, line: CommandLine): Promise<void> {
  const where = line.text('console') ?? config.console;
  if (where !== 'terminal' && where !== 'none') {
    throw usageError(`--console ${where}: terminal or none was expected`, 'npm start -- --help');
  }
  const withConsole = where === 'terminal';
  const log = createLog(
    'box',
    () => clock.wallMs(),
    (entry) => {
      ring.sink(entry);
      if (!withConsole && entry.level !== 'debug') process.stderr.write(`${formatLogEntry(entry)}\n`);
    },
  );
  const settings = await boxOptions(folder, config, line);
  const network = {
    listenHost: settings.listen.host,
    linkLocal: linkLocalMode(line.text('link-local'), config),
  };
  await withNetwork(folder, network, log, async (open) => {
    const box = await openBox(folder, settings, open, log);
    await serve(box, open, {
      onReady: (port) => (line.flag('json-ready') ? sayReady(box, port) : undefined),
      faces: (stop) => (withConsole ? startFaces(box, open, log, stop) : undefined),
    });
    if (withConsole) say([box.status().headline]);
  });
}

/** Gives interfaces addresses while `use` runs, and afterwards takes them away again. */
async function withNetwork(
  folder: string,
  options: BoxNetworkOptions,
  log: Log,
  use: (network: BoxNetwork) => Promise<void>,
): Promise<void> {
  const kernel = await kernelNetwork(log);
  try {
    const network = await BoxNetwork.open(options, {
      network: new NodeMulticastNetwork(kernel === undefined ? {} : { links: kernel.links }),
      kernel,
      otherResponders,
      stateDisk: stateDiskOf(folder),
      clock,
      entropy: nodeEntropy,
      log,
    });
    await use(network).finally(() => network.close());
  } finally {
    await kernel?.close();
  }
}

function openBox(
  folder: string,
  options: Omit<BoxOptions, 'suite'>,
  network: BoxNetwork,
  log: Log,
): Promise<Box> {
  const suite = fastestSuite(clock);
  return Box.open(
    { ...options, suite },
    {
      clock,
      entropy: nodeEntropy,
      log,
      compute: nodeCompute,
      stateDisk: stateDiskOf(folder),
      openTreeIndex: () => LmdbStore.open(join(folder, 'state', 'tree')),
      transportFor: (identity) => new TlsTransport({ ...identity, suite }),
      network: () => network.facts(),
    },
  );
}

interface Surroundings {
  readonly onReady: (port: number) => void;
  /** Shows the box to a person until what it resolves with is called. */
  readonly faces: (stop: () => void) => Promise<() => void> | undefined;
}

/** Serves until it is asked to stop. */
async function serve(box: Box, network: BoxNetwork, { onReady, faces }: Surroundings): Promise<void> {
  const stop = Promise.withResolvers<void>();
  let stopFaces = () => {};
  try {
    const port = await box.start();
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(signal, () => stop.resolve());
    await network.announce(box, port);
    onReady(port);
    stopFaces = (await faces(() => stop.resolve())) ?? stopFaces;
    await stop.promise;
  } finally {
    await network.withdraw();
    await box.close();
    stopFaces();
  }
}

function stateDiskOf(folder: string): Disk {
  return new NodeDisk(join(folder, 'state'));
}

/** Lights and console on the terminal. Returns what gives the terminal back. */
async function startFaces(box: Box, network: BoxNetwork, log: Log, stop: () => void): Promise<() => void> {
  const line = new TerminalLine();
  const stopped = Promise.withResolvers<void>();
  let stopping = false;
  const console = new Console(
    {
      line,
      context: {
        status: () => box.status(),
        log: ring,
        pair: async () => pairingCode(box),
        shutdown: () => {
          stop();
          return stopped.promise;
        },
      },
      greeting: greetingOf(box, network),
    },
    { clock },
  );
  const pins = parseBoardPins(await readFile(new URL('../board/rpi/pins.json', import.meta.url), 'utf8'));
  const gpio = await openGpioLeds({ pins }, { log });
  if (gpio.reason !== undefined) log.info('lights are drawn on the terminal', { reason: gpio.reason });
  const leds: LedPort = gpio.leds ?? new TerminalLeds({ print: (text) => console.print(text) });
  const driver = new LedDriver({ ports: [leds] }, { clock });
  const show = () => driver.show(box.status());
  box.onChange(show);
  const refresh = every(clock, statusPeriodMs, show);
  console.start();
  show();
  console.ended.then((end) => {
    if (end === 'interrupt') stop();
    if (end !== 'leave' || stopping) return;
    line.close();
    say(['The console is closed. The box goes on; Ctrl-C stops it.']);
  });
  return () => {
    stopping = true;
    refresh.cancel();
    show();
    console.close();
    stopped.resolve();
    driver.close();
    line.close();
  };
}

/** Facts that nobody reports (a peer silent for long) are looked at this often. */
const statusPeriodMs = 1000;

function greetingOf(box: Box, { sharesPortWith }: BoxNetwork): readonly string[] {
  const { code } = box.pairing();
  const others = sharesPortWith.filter((name) => name !== anotherBox);
  return [
    ...(box.claimed || code === undefined ? [] : [`Claim code: ${code}`]),
    ...(others.length === 0 ? [] : [`Port 5353 is shared with ${others.join(', ')}.`]),
  ];
}

function pairingCode(box: Box): PairingCode {
  const code = box.claimed ? box.requestLoginCode() : box.pairing().code;
  const { expiresInMs, lockedForMs } = box.pairing();
  if (code === undefined) {
    throw new AetherError('PAIRING_LOCKED', 'pairing is locked after too many wrong codes', {
      help: `Try again in ${formatDuration(lockedForMs ?? 0)}.`,
    });
  }
  return { code, expiresAtMs: expiresInMs === undefined ? null : clock.wallMs() + expiresInMs };
}

function sayReady(box: Box, port: number): void {
  const { code } = box.pairing();
  const member = toHex(box.identity.memberId);
  const claimCode = box.claimed ? null : (code ?? null);
  say([JSON.stringify({ ready: true, name: box.name, port, member, claimCode })]);
}

/** The kernel's view of links, where there is one. */
async function kernelNetwork(log: Log): Promise<KernelNetwork | undefined> {
  try {
    return await openKernelNetwork();
  } catch (error) {
    if (!(error instanceof AetherError)) throw error;
    log.warn('links are looked at from time to time', { reason: error.message });
    return undefined;
  }
}

function say(lines: readonly string[]): void {
  process.stdout.write(`${lines.join('\n')}\n`);
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  process.stderr.write(`${errorLines('aetherstore', error).join('\n')}\n`);
  process.exitCode = exitCodeOf(error);
}
