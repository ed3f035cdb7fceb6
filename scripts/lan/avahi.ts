import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { LanHost } from './network.ts';
import type { Outcome, Program } from './processes.ts';

/** What another program on the LAN sees of one service: one line of `avahi-browse -rtp`. */
export interface SeenService {
  readonly family: 'IPv4' | 'IPv6';
  readonly instance: string;
  readonly type: string;
  readonly hostName: string;
  readonly address: string;
  readonly port: number;
  readonly txt: Readonly<Record<string, string>>;
}

/**
 * A real avahi-daemon on one host: the mDNS peer that most Linux desktops run. It needs a D-Bus of its own, and
 * its own /run/avahi-daemon, which a private mount namespace gives it.
 */
export class Avahi {
  readonly #host: LanHost;
  readonly #folder: string;
  readonly #bus: Program;
  readonly #daemon: Program;

  private constructor(host: LanHost, folder: string, bus: Program, daemon: Program) {
    this.#host = host;
    this.#folder = folder;
    this.#bus = bus;
    this.#daemon = daemon;
  }

  /** Resolves when the daemon answers on its bus. */
  static async start(host: LanHost, hostName = host.name): Promise<Avahi> {
    const folder = await mkdtemp(join(tmpdir(), 'aether-avahi-'));
    const run = join(folder, 'run');
    await mkdir(run);
    await writeFile(join(folder, 'bus.conf'), busConfiguration(join(folder, 'bus')));
    await writeFile(join(folder, 'avahi.conf'), daemonConfiguration(hostName));
    const env = { DBUS_SYSTEM_BUS_ADDRESS: `unix:path=${join(folder, 'bus')}` };
    const bus = host.start('dbus-daemon', [
      `--config-file=${join(folder, 'bus.conf')}`,
      '--nofork',
      '--nopidfile',
    ]);
    await until(() => existsSync(join(folder, 'bus')), 'the message bus');
    const script = 'mkdir -p /run/avahi-daemon; mount --bind "$0" /run/avahi-daemon; exec "$@"';
    const argv = [
      'avahi-daemon',
      '-f',
      join(folder, 'avahi.conf'),
      '--no-drop-root',
      '--no-chroot',
      '--no-rlimits',
    ];
    const daemon = host.start(
      'unshare',
      ['-m', '--propagation', 'private', 'sh', '-c', script, run, ...argv],
      {
        env,
        logFile: join(folder, 'avahi.log'),
      },
    );
    const avahi = new Avahi(host, folder, bus, daemon);
    await until(() => existsSync(join(run, 'pid')), 'avahi-daemon');
    return avahi;
  }

  /** Every service of `type` that is on the LAN now, resolved. */
  async browse(type: string): Promise<readonly SeenService[]> {
    const outcome = await this.run('avahi-browse', ['-rtp', type]);
    return outcome.stdout.split('\n').flatMap(parseSeenService);
  }

  /** Runs one of avahi's own programs, which talk to the daemon. */
  run(command: string, args: readonly string[]): Promise<Outcome> {
    return this.#host.run(command, args, { env: this.#environment, timeoutMs: 20_000, mayFail: true });
  }

  /** As {@link run}, for one that goes on: `avahi-publish`, `avahi-browse` without `-t`. */
  start(command: string, args: readonly string[]): Program {
    // What avahi-publish has to say it says on standard error.
    const shell = ['-c', 'exec "$0" "$@" 2>&1', command, ...args];
    return this.#host.start('sh', shell, { env: this.#environment });
  }

  get #environment(): Readonly<Record<string, string>> {
    return { DBUS_SYSTEM_BUS_ADDRESS: `unix:path=${join(this.#folder, 'bus')}`, LC_ALL: 'C.UTF-8' };
  }

  async stop(): Promise<void> {
    await this.#daemon.stop(2000);
    await this.#bus.stop(2000);
    await rm(this.#folder, { recursive: true, force: true });
  }
}

/**
 * avahi's claimant of link-local addresses on eth0. It locks a file in /run by the interface's name, so each has a /run
 * of its own.
 */
export function startAutoipd(host: LanHost, words: readonly string[] = []): Program {
  const script = 'mount -t tmpfs tmpfs /run; exec avahi-autoipd "$@"';
  const argv = ['--no-drop-root', '--no-chroot', '--no-proc-title', ...words, 'eth0'];
  return host.start('unshare', ['-m', '--propagation', 'private', 'sh', '-c', script, 'sh', ...argv]);
}

/** Reads a `=` line of `avahi-browse -p`; other lines give nothing. */
export function parseSeenService(line: string): readonly SeenService[] {
  const [event, , family, instance, type, , hostName, address, port, ...txt] = line.split(';');
  if (event !== '=' || (family !== 'IPv4' && family !== 'IPv6')) return [];
  return [
    {
      family,
      instance: unescapeName(instance!),
      type: type!,
      hostName: hostName!,
      address: address!,
      port: Number(port),
      txt: parseTxt(txt.join(';')),
    },
  ];
}

/** Why there can be no avahi here, or undefined. */
export function whyNoAvahi(): string | undefined {
  const path = (process.env.PATH ?? '').split(':');
  for (const program of ['avahi-daemon', 'avahi-browse', 'dbus-daemon']) {
    if (!['/usr/sbin', ...path].some((folder) => existsSync(join(folder, program)))) {
      return `${program} is not installed (Debian: avahi-daemon, avahi-utils, dbus-daemon)`;
    }
  }
  return undefined;
}

/** avahi writes bytes of a label that are not letters or digits as `\ddd`, decimal. */
function unescapeName(text: string): string {
  const bytes: number[] = [];
  for (const [part, decimal, literal] of text.matchAll(/\\(\d{3})|\\(.)|[^\\]+/gs)) {
    if (decimal !== undefined) bytes.push(Number(decimal));
    else bytes.push(...Buffer.from(literal ?? part));
  }
  return Buffer.from(bytes).toString('utf8');
}

function parseTxt(text: string): Readonly<Record<string, string>> {
  const strings = [...text.matchAll(/"((?:[^"\\]|\\.)*)"/g)].map(([, string]) => string!);
  return Object.fromEntries(
    strings.map((string) => {
      const at = string.indexOf('=');
      return at === -1 ? [string, ''] : [string.slice(0, at), string.slice(at + 1)];
    }),
  );
}

async function until(condition: () => boolean, what: string): Promise<void> {
  for (let waitedMs = 0; !condition(); waitedMs += 20) {
    if (waitedMs > 10_000) throw new Error(`${what} did not start within 10 s`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

function busConfiguration(socket: string): string {
  return `<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>system</type>
  <listen>unix:path=${socket}</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>
`;
}

function daemonConfiguration(hostName: string): string {
  return `[server]
host-name=${hostName}
use-ipv4=yes
use-ipv6=yes
allow-interfaces=eth0
ratelimit-interval-usec=0
[publish]
publish-hinfo=no
publish-workstation=no
[wide-area]
enable-wide-area=no
`;
}
