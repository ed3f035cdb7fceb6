import { readFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { toHex } from './base/bytes.ts';
import { AetherError } from './base/errors.ts';
import { mqttFileBytesMax } from './base/face-limits.ts';
import { logEntriesMax } from './base/limits.ts';
import { createLog, formatJournalEntry, formatLogEntry, type Log, LogRing } from './base/log.ts';
import { version } from './base/version.ts';
import { Box, type BoxOptions, type MachineFacts } from './box.ts';
import type { BoxConfig } from './box-config.ts';
import { BoxConsole } from './box-console.ts';
import { BoxControl, type BoxControlPorts, type BoxEnd, unknownMachine } from './box-control.ts';
import { requireDataFormat } from './box-data-format.ts';
import { BoxFaces } from './box-faces.ts';
import { greetingOf, readyLine } from './box-greeting.ts';
import { applianceHost, type BoxHost, sharedHost } from './box-host.ts';
import { BoxLife, closeEach } from './box-life.ts';
import { WatchedMachine } from './box-machine.ts';
import { BoxMqtt } from './box-mqtt.ts';
import { BoxNetwork } from './box-network.ts';
import {
  boxOptions,
  configuredVolumes,
  linkLocalMode,
  type NamedVolume,
  options,
  readConfig,
  readConfigAnyhow,
  serialDevices,
  usage,
  volumeAt,
  type WebSettings,
  webSettings,
} from './box-settings.ts';
import type { Supervision } from './box-supervision.ts';
import { TimeNotes } from './box-time.ts';
import { answerLoginCodes, BoxWeb } from './box-web.ts';
import { type CommandLine, parseCommandLine, usageError } from './cli/arguments.ts';
import { exitCodeOf } from './cli/exit-codes.ts';
import { errorLines } from './cli/output.ts';
import type { ConsoleContext } from './device/console/command.ts';
import { parseBoardPins } from './device/pins.ts';
import { beginFactoryReset, finishFactoryReset } from './platform/factory-reset.ts';
import { InstanceLock } from './platform/instance-lock.ts';
import { type Kernel, openKernel } from './platform/kernel.ts';
import { isFirstStart } from './platform/linux/kernel-start.ts';
import { LmdbStore } from './platform/lmdb-store.ts';
import { MqttBroker } from './platform/mqtt-broker.ts';
import { NodeClock } from './platform/node-clock.ts';
import { nodeCompute } from './platform/node-compute.ts';
import { NodeDisk } from './platform/node-disk.ts';
import { nodeEntropy } from './platform/node-entropy.ts';
import { NodeHttpServer } from './platform/node-http-server.ts';
import { NodeMulticastNetwork } from './platform/node-multicast.ts';
import { otherResponders } from './platform/other-responders.ts';
import { readTextFile } from './platform/text-file.ts';
import { TlsTransport } from './platform/tls-transport.ts';
import { readWebAssets } from './platform/web-assets.ts';
import { PoolTime } from './pool/pool-time.ts';
import type { Disk } from './ports/disk.ts';
import { runSafeMode } from './safe-mode.ts';
import { fastestSuite } from './store/suite.ts';
import { hostLabelFor } from './zeroconf/dnssd/service.ts';

const time = new PoolTime(new NodeClock());
const { clock } = time;
const ring = new LogRing(logEntriesMax);
/** systemd says by this that what is written goes to its journal. */
const formatEntry = process.env.JOURNAL_STREAM === undefined ? formatLogEntry : formatJournalEntry;
const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

async function main(words: readonly string[]): Promise<void> {
  const line = parseCommandLine(words, options, 'npm start -- --help');
  if (line.positionals.length > 0)
    throw usageError(`nothing is done with ${line.positionals[0]}`, 'npm start -- --help');
  if (line.flag('help')) return say(usage);
  if (line.flag('version')) return say([version]);
  const folder = resolve(line.text('dir') ?? 'var/box');
  const disk = new NodeDisk(folder);
  await disk.makeDirectory('state');
  const host = line.flag('appliance') ? await applianceHost(process.env) : sharedHost;
  const lock = InstanceLock.take(folder);
  const supervision = host.supervise(clock);
  try {
    // Before anything that may fail: a second try is no power-on. A folder in memory does not know of an earlier one, and
    // nothing in it can be forgotten.
    const isFirst = !host.isInMemory(folder) && (await isFirstStart(folder));
    for (let atPowerOn = isFirst; ; atPowerOn = false) {
      finishFactoryReset(folder);
      const settings = { folder, line, host, supervision, atPowerOn };
      const why = line.text('safe');
      const end = await (why === undefined
        ? run({ ...settings, config: host.complete(await readConfig(disk)) })
        : runSafely(settings, why, await readConfigAnyhow(disk)));
      if (end === 'factory-reset') beginFactoryReset(folder);
      else if (end !== 'restart') return await host.ended(end);
    }
  } finally {
    supervision.close();
    lock.release();
  }
}

/** What a box is made from. */
interface Settings {
  readonly folder: string;
  readonly config: BoxConfig;
  readonly line: CommandLine;
  readonly host: BoxHost;
  readonly supervision: Supervision;
  /** The program starts for the first time since the box was switched on. */
  readonly atPowerOn: boolean;
}

/** Runs the box until it is asked to stop, and tells how it is to end; when this resolves, everything is on disk. */
async function run(from: Settings): Promise<BoxEnd> {
  const { folder, config, line, host } = from;
  time.forget();
  time.judgeBy(host.clockWasSet);
  const where = line.text('console') ?? config.console;
  if (where !== 'terminal' && where !== 'none') {
    throw usageError(`--console ${where}: terminal or none was expected`, 'npm start -- --help');
  }
  const log = makeLog(where);
  await requireDataFormat(stateDiskOf(folder), log);
  const settings = boxOptions(config, line);
  const volumes = await configuredVolumes(folder, config, line, host.defaultVolume);
  const life = new BoxLife();
  await withKernel(log, from, async (kernel) => {
    const ports = { stateDisk: stateDiskOf(folder), clock, entropy: nodeEntropy, log };
    const machine = await startMachine(from, volumes, kernel, ports);
    const network = await openNetwork(line, config, settings.listen.host, kernel, ports);
    const notes = await TimeNotes.open(time, ports);
    try {
      const control = await BoxControl.open(
        { end: (how) => life.end(how), forgetNetwork: () => network.forget(), log: ring },
        machine ?? unknownMachine,
        ports,
      );
      const options = {
        ...settings,
        ...(host.claimCode === undefined ? {} : { claimCode: host.claimCode }),
        volumes: [...volumes.map((volume) => volumeAt(volume)), ...(machine?.volumes() ?? [])],
      };
      const box = await openBox(folder, options, network, { log, machine: () => control.machineFacts() });
      machine?.attach(box);
      const withConsole = where === 'terminal';
      await serve(box, control, network, { ...from, life, withConsole }, ports);
      if (where === 'terminal' && !life.startsAgain) say([box.status().headline]);
    } finally {
      await closeEach([() => machine?.close(), () => network.close(), () => notes.close()], log);
    }
  });
  return life.how;
}

/** Maintains the box, and nothing else. */
async function runSafely(
  { folder, line, host, supervision, atPowerOn }: Omit<Settings, 'config'>,
  why: string,
  { config, mistake }: Awaited<ReturnType<typeof readConfigAnyhow>>,
): Promise<BoxEnd> {
  const log = makeLog('none');
  const ports = { stateDisk: stateDiskOf(folder), clock, entropy: nodeEntropy, log };
  const pins = parseBoardPins(await readFile(host.pins, 'utf8'));
  const lines = { greeting: undefined, serial: serialDevices(line, host.complete(config)) };
  return runSafeMode(
    {
      reason: mistake === undefined ? why : `${why}; ${mistake}`,
      startFaces: (context, startsAgain) =>
        BoxFaces.start({ context, ...lines, pins, atPowerOn, startsAgain }, ports),
      ring,
      supervision,
      onAsked: (stop) => void process.once('SIGTERM', stop),
      stateInMemory: host.isInMemory(folder),
      updates: (restartMachine) => host.updates(folder, { restartMachine, alone: true }, ports),
    },
    ports,
  );
}

/** Entries are kept for the console, and written where no console is on the terminal. */
function makeLog(where: 'terminal' | 'none'): Log {
  return createLog(
    'box',
    () => clock.wallMs(),
    (entry) => {
      ring.sink(entry);
      if (where === 'none' && entry.level !== 'debug') process.stderr.write(`${formatEntry(entry)}\n`);
    },
  );
}

/** The kernel's view of links and disks, where there is one, while `use` runs. */
async function withKernel(
  log: Log,
  { folder, host }: Pick<Settings, 'folder' | 'host'>,
  use: (kernel: Kernel | undefined) => Promise<void>,
): Promise<void> {
  let kernel: Kernel | undefined;
  try {
    kernel = await openKernel(host.diskTools, folder);
  } catch (error) {
    if (!(error instanceof AetherError)) throw error;
    log.warn('links and disks are looked at from time to time', { reason: error.message });
  }
  await use(kernel).finally(() => closeEach([() => kernel?.close()], log));
}

async function startMachine(
  { folder, host, atPowerOn }: Settings,
  volumes: readonly NamedVolume[],
  kernel: Kernel | undefined,
  ports: BoxControlPorts,
): Promise<WatchedMachine | undefined> {
  if (kernel === undefined) return undefined;
  return WatchedMachine.start(
    {
      volumes,
      mounts: host.mountsFolder(folder),
      awaitsDisks: atPowerOn,
      volumeAt: (path) => volumeAt({ name: basename(path), path, limitGiB: null, mountPoint: true }),
    },
    { ...ports, clockIsKnown: () => time.isKnown, machine: kernel.machine, shelf: kernel.shelf },
  );
}

/** Gives interfaces addresses until it is closed, and afterwards takes them away again. */
function openNetwork(
  line: CommandLine,
  config: BoxConfig,
  listenHost: string,
  kernel: Kernel | undefined,
  ports: BoxControlPorts,
): Promise<BoxNetwork> {
  return BoxNetwork.open(
    { listenHost, linkLocal: linkLocalMode(line.text('link-local'), config) },
    {
      ...ports,
      network: new NodeMulticastNetwork(kernel === undefined ? {} : { links: kernel.links }),
      kernel,
      otherResponders,
    },
  );
}

function openBox(
  folder: string,
  options: Omit<BoxOptions, 'suite'>,
  network: BoxNetwork,
  { log, machine }: { readonly log: Log; readonly machine: () => MachineFacts },
): Promise<Box> {
  const suite = fastestSuite(clock);
  return Box.open(
    { ...options, suite },
    {
      clock,
      time,
      entropy: nodeEntropy,
      log,
      compute: nodeCompute,
      stateDisk: stateDiskOf(folder),
      openTreeIndex: () => LmdbStore.open(join(folder, 'state', 'tree')),
      transportFor: (identity) => new TlsTransport({ ...identity, suite }),
      network: () => network.facts(),
      machine,
    },
  );
}

interface Surroundings extends Settings {
  readonly life: BoxLife;
  readonly withConsole: boolean;
}

/** Serves until it is asked to stop. */
async function serve(
  box: Box,
  control: BoxControl,
  network: BoxNetwork,
  surroundings: Surroundings,
  ports: BoxControlPorts,
): Promise<void> {
  const { life, config, line, supervision, host, folder } = surroundings;
  // When all of it is closed, whatever came of that, whoever asked hears it.
  const closers: (() => unknown)[] = [
    () => life.closed(),
    () => {
      for (const signal of signals) process.off(signal, life.onSignal);
    },
    () => control.close(),
    () => box.close(),
    () => network.withdraw(),
  ];
  const restartMachine = () => life.end('reboot');
  const updates = host.updates(folder, { restartMachine, alone: false }, ports);
  updates?.attach(box);
  try {
    const port = await box.start();
    control.attach(box);
    if (updates !== undefined) control.attachUpdates(updates);
    for (const signal of signals) process.once(signal, life.onSignal);
    const web = await startWeb(box, control, webSettings(line, config, network.listenHost), ports);
    if (web !== undefined) closers.push(() => web.close());
    await network.announce(box, port, web);
    const broker = await startMqtt(box, control, network, surroundings, ports);
    closers.push(() => broker.close());
    const context = { control, log: ring, files: () => box.pool?.files, broker };
    const remote = new BoxConsole(context, ports);
    remote.attach(box);
    closers.push(() => remote.close());
    if (web !== undefined) answerLoginCodes(box, control, web);
    if (line.flag('json-ready')) say([readyLine(box, port, web)]);
    const faces = await startFaces(context, greetingOf(box, network, web), surroundings, ports.log);
    life.onClosed(() => faces.close());
    supervision.serving(() => box.status().headline);
    // The installer takes seconds to start, and nobody waits for it.
    updates?.start(life.asked, ports);
    closers.push(() => updates?.close());
    await life.asked;
    supervision.stopping();
  } finally {
    await closeEach(closers, ports.log);
  }
}

function startMqtt(
  box: Box,
  control: BoxControl,
  network: BoxNetwork,
  { config, folder }: Surroundings,
  ports: BoxControlPorts,
): Promise<BoxMqtt> {
  return BoxMqtt.start({
    ...ports,
    control,
    config: config.mqtt,
    boxId: toHex(box.identity.memberId),
    readText: (path) => readTextFile(resolve(folder, path), mqttFileBytesMax),
    broker: new MqttBroker(),
    network: network.multicast,
    log: ports.log.part('mqtt'),
  });
}

/** The page is a convenience: a box that cannot serve one is a box all the same. */
async function startWeb(
  box: Box,
  control: BoxControl,
  settings: WebSettings | undefined,
  ports: BoxControlPorts,
): Promise<BoxWeb | undefined> {
  if (settings === undefined) return undefined;
  try {
    const hostName = `${hostLabelFor(box.name)}.local`;
    return await BoxWeb.start(
      { box, control, assets: await readWebAssets(), hostName, ...settings },
      { ...ports, server: new NodeHttpServer(ports) },
    );
  } catch (error) {
    if (!(error instanceof AetherError)) throw error;
    ports.log.warn('no page is served', { reason: error.message });
    return undefined;
  }
}

/** Lights, and consoles on the terminal and on serial lines. */
async function startFaces(
  context: ConsoleContext,
  greeting: readonly string[],
  { life, line, config, host, withConsole, atPowerOn }: Surroundings,
  log: Log,
): Promise<BoxFaces> {
  const pins = parseBoardPins(await readFile(host.pins, 'utf8'));
  const lines = { greeting: withConsole ? greeting : undefined, serial: serialDevices(line, config) };
  const startsAgain = () => life.startsAgain;
  const faces = await BoxFaces.start({ context, ...lines, pins, atPowerOn, startsAgain }, { clock, log });
  faces.ended.then((end) => {
    if (end === 'interrupt') void life.end('stop');
    else say(['The console is closed. The box goes on; Ctrl-C stops it.']);
  });
  return faces;
}

function stateDiskOf(folder: string): Disk {
  return new NodeDisk(join(folder, 'state'));
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
