import { type ChildProcess, execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import {
  type Launch,
  type Outcome,
  type Place,
  Program,
  type RunOptions,
  runProgram,
  type StartOptions,
} from './processes.ts';

/**
 * A LAN inside this machine: each host is a network namespace with one wire (`eth0`) to a bridge that has a
 * namespace of its own, so that nothing of the machine's own network is touched. The bridge forwards at once
 * (`forward_delay 0`) and floods multicast like a plain switch (`mcast_snooping 0`).
 */
export class Lan {
  readonly hosts: readonly LanHost[];
  readonly #number: number;
  readonly #prefix: string;
  readonly #close = () => this.close();
  #closed = false;

  /**
   * Makes the LAN. Names are 1–12 letters, digits or hyphens; at most 200 hosts; those in `bare` get no address of
   * ours, as on a cable without any server. Throws {@link LanUnavailable}.
   */
  static create(hostNames: readonly string[], { bare = [] }: LanOptions = {}): Lan {
    const reason = whyNoLan();
    if (reason !== undefined) throw new LanUnavailable(reason);
    removeLeftovers();
    return new Lan(hostNames, bare);
  }

  private constructor(hostNames: readonly string[], bare: readonly string[]) {
    this.#number = ++lansMade;
    this.#prefix = `${namePrefix}${process.pid}-${startTimeOf(process.pid)}-${this.#number}`;
    this.hosts = hostNames.map(
      (name, index) => new LanHost(name, `${this.#prefix}-${name}`, index + 1, this.#hub, this.#number),
    );
    // Before folders are removed, which registered earlier: whoever still writes into them must be gone.
    process.prependOnceListener('exit', this.#close);
    try {
      ip(
        [],
        ['hub', ...hostNames].map((name) => `netns add ${this.#prefix}-${name}`),
      );
      ip(
        ['-n', this.#hub],
        ['link set lo up', ...bridgeLines(), ...this.hosts.flatMap((host) => host.wireLines())],
      );
      for (const host of this.hosts) {
        ip(['-n', host.namespace], bare.includes(host.name) ? host.bareLines() : host.addressLines());
      }
    } catch (error) {
      this.close();
      throw error;
    }
  }

  host(name: string): LanHost {
    const host = this.hosts.find((one) => one.name === name);
    if (host === undefined) throw new Error(`no host ${name} on this LAN`);
    return host;
  }

  /** Gives a host of another LAN a second wire, to this one: an interface of that name, with `10.N.0.200/24`. */
  attach(host: LanHost, interfaceName: string): void {
    const wire = [
      `link add name ${interfaceName} type veth peer name ${interfaceName} netns ${host.namespace}`,
      `link set dev ${interfaceName} master ${bridgeName}`,
      `link set dev ${interfaceName} up`,
    ];
    ip(['-n', this.#hub], wire);
    ip(
      ['-n', host.namespace],
      [
        `link set ${interfaceName} up`,
        `addr add ${networkOf(this.#number)}.200/24 brd + dev ${interfaceName}`,
      ],
    );
  }

  /** A wire for an emulated machine: a TAP interface of that name on the switch. */
  plugTap(interfaceName: string): Tap {
    const lines = [
      `tuntap add dev ${interfaceName} mode tap`,
      `link set dev ${interfaceName} addrgenmode none`,
      `link set dev ${interfaceName} master ${bridgeName}`,
      `link set dev ${interfaceName} up`,
    ];
    ip(['-n', this.#hub], lines);
    return { interfaceName, enter: ['nsenter', `--net=/run/netns/${this.#hub}`] };
  }

  /** Kills everything that runs on the hosts and removes them. Runs by itself when the process exits. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    process.off('exit', this.#close);
    for (const host of this.hosts) host.killChildren();
    removeNamespaces([...this.hosts.map((host) => host.namespace), this.#hub]);
  }

  get #hub(): string {
    return `${this.#prefix}-hub`;
  }
}

/** Where the program that emulates a machine finds its network. */
export interface Tap {
  readonly interfaceName: string;
  /** Words that run a program where the interface is. */
  readonly enter: readonly string[];
}

export interface LanOptions {
  readonly bare?: readonly string[];
}

let lansMade = 0;

/** The first LAN of a process is 10.77.0.0/24, the next 10.78.0.0/24. */
function networkOf(number: number): string {
  return `10.${76 + number}.0`;
}

/** One host of the LAN, with a host name of its own. It shares the machine's file system. */
export class LanHost implements Place {
  readonly name: string;
  readonly namespace: string;
  /** IPv4, of 10.77.0.0/24 on the first LAN; not on a bare host. */
  readonly address: string;
  /** IPv6 link-local address, without its zone. */
  readonly linkLocalAddress: string;
  readonly mac: string;
  readonly #hub: string;
  readonly #children = new Set<ChildProcess>();

  constructor(name: string, namespace: string, number: number, hub: string, lan: number) {
    if (!/^[a-z0-9-]{1,12}$/.test(name) || [bridgeName, 'lo', 'hub'].includes(name))
      throw new Error(`${name} is no name for a host`);
    this.name = name;
    this.namespace = namespace;
    this.address = `${networkOf(lan)}.${number}`;
    this.linkLocalAddress = `fe80::77:${number.toString(16)}`;
    this.#hub = hub;
    this.mac = `02:ae:00:00:00:${number.toString(16).padStart(2, '0')}`;
  }

  run(command: string, args: readonly string[], options?: RunOptions): Promise<Outcome> {
    return runProgram(this.argv(command, args), options, this.#launch(command, args));
  }

  start(command: string, args: readonly string[], options?: StartOptions): Program {
    return new Program(this.argv(command, args), options, this.#launch(command, args));
  }

  /** Kills what was started here. A child that has not entered the namespace yet is found in no other way. */
  killChildren(): void {
    for (const child of this.#children) child.kill('SIGKILL');
  }

  /**
   * The command line that runs `command` on this host. Every step of it replaces the one before, so the process
   * that is started is the program itself; it dies with this process, however this process ends.
   */
  argv(command: string, args: readonly string[]): readonly string[] {
    const setHostName = 'echo "$0" >/proc/sys/kernel/hostname; exec "$@"';
    const here = [
      'ip',
      'netns',
      'exec',
      this.namespace,
      'unshare',
      '--uts',
      'sh',
      '-c',
      setHostName,
      this.name,
    ];
    return ['setpriv', '--pdeathsig', 'KILL', ...here, command, ...args];
  }

  /** Pulls the cable: the host keeps its addresses and loses its carrier. */
  cut(): void {
    ip(['-n', this.#hub], [`link set dev ${this.name} down`]);
  }

  /** Plugs the cable in again. */
  heal(): void {
    ip(['-n', this.#hub], [`link set dev ${this.name} up`]);
  }

  wireLines(): readonly string[] {
    return [
      `link add name ${this.name} type veth peer name eth0 address ${this.mac} netns ${this.namespace}`,
      `link set dev ${this.name} master ${bridgeName}`,
      `link set dev ${this.name} up`,
    ];
  }

  /** Only what every kernel gives by itself: an IPv6 link-local address. */
  bareLines(): readonly string[] {
    return ['link set lo up', 'link set eth0 up'];
  }

  addressLines(): readonly string[] {
    return [
      'link set lo up',
      // The address is ours alone by construction: duplicate detection would only hold up the first second.
      'link set eth0 addrgenmode none',
      'link set eth0 up',
      `addr add ${this.address}/24 brd + dev eth0`,
      `addr add ${this.linkLocalAddress}/64 dev eth0 nodad`,
    ];
  }

  #launch(command: string, args: readonly string[]): Launch {
    const watch = (child: ChildProcess) => {
      this.#children.add(child);
      child.once('close', () => this.#children.delete(child));
    };
    return { watch, shown: [`${this.name}:`, command, ...args] };
  }
}

export class LanUnavailable extends Error {
  override readonly name = 'LanUnavailable';
}

/** Why this machine can have no LAN of namespaces, as a sentence; undefined when it can. */
export function whyNoLan(): string | undefined {
  if (process.platform !== 'linux') return 'A LAN of network namespaces needs Linux.';
  if (process.getuid?.() !== 0) return 'Network namespaces need root: run this with sudo.';
  const probe = `${namePrefix}${process.pid}-${startTimeOf(process.pid)}-probe`;
  try {
    ip([], [`netns add ${probe}`]);
    ip(['-n', probe], bridgeLines());
    return undefined;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT')
      return 'The ip command is missing: install iproute2.';
    return `This kernel or container refuses network namespaces: ${lastLine(error)}`;
  } finally {
    removeNamespaces([probe]);
  }
}

/** Removes the LANs of runs that were killed before they could: those whose process is no more. */
export function removeLeftovers(): void {
  removeNamespaces(
    namespaces().filter((name) => {
      const [, pid, startTime] = /^aetherlan-(\d+)-([0-9a-z]+)-/.exec(name) ?? [];
      return pid !== undefined && startTimeOf(Number(pid)) !== startTime;
    }),
  );
}

/**
 * Ends this process on Ctrl-C, a closed terminal or SIGTERM, after `before` has had its turn; what was
 * registered for 'exit' (a LAN, a temporary folder) is then cleaned up.
 */
export function exitOnSignals(before: () => Promise<void> = async () => {}): void {
  const numbers = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 } as const;
  let asked = false;
  for (const [signal, number] of Object.entries(numbers)) {
    process.on(signal, () => {
      if (asked) process.exit(128 + number);
      asked = true;
      void before().finally(() => process.exit(128 + number));
    });
  }
}

const namePrefix = 'aetherlan-';
const bridgeName = 'switch';

function bridgeLines(): readonly string[] {
  return [
    `link add name ${bridgeName} type bridge forward_delay 0 mcast_snooping 0`,
    `link set dev ${bridgeName} addrgenmode none`,
    `link set dev ${bridgeName} up`,
  ];
}

function ip(options: readonly string[], lines: readonly string[]): void {
  execFileSync('ip', [...options, '-batch', '-'], {
    input: `${lines.join('\n')}\n`,
    stdio: ['pipe', 'ignore', 'pipe'],
  });
}

function namespaces(): readonly string[] {
  try {
    return readdirSync('/run/netns');
  } catch {
    return []; // None was ever made since the machine started.
  }
}

/** A process's start in clock ticks since boot, in base 36: with its id it names one process, even after reuse. */
function startTimeOf(pid: number): string | undefined {
  try {
    const afterName = readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/^.*\) /s, '');
    return Number(afterName.split(' ')[19]).toString(36);
  } catch {
    return undefined;
  }
}

function removeNamespaces(names: readonly string[]): void {
  const present = names.filter((name) => namespaces().includes(name));
  killAllIn(present);
  for (const name of present) {
    try {
      ip([], [`netns delete ${name}`]);
    } catch {
      // Another run cleans up the same leftovers at this moment.
    }
  }
}

/** Kills until nobody is left: a process may fork between the look and the blow. Bounded by two seconds. */
function killAllIn(names: readonly string[]): void {
  for (let round = 0; round < 100; round++) {
    const pids = names.flatMap(pidsIn);
    if (pids.length === 0) return;
    for (const pid of pids) kill(pid);
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20);
  }
}

function pidsIn(name: string): readonly number[] {
  try {
    const text = execFileSync('ip', ['netns', 'pids', name], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    return text.split('\n').filter(Boolean).map(Number);
  } catch {
    return []; // The namespace went away in between.
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It ended by itself.
  }
}

function lastLine(error: unknown): string {
  const stderr = (error as { stderr?: Buffer }).stderr?.toString().trim();
  return stderr?.split('\n').at(-1) || String(error);
}
