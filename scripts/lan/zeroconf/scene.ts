import { chmodSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Avahi } from '../avahi.ts';
import { BoxProcess, disksOf, repositoryRoot } from '../box-process.ts';
import { Lan, type LanHost, type LanOptions } from '../network.ts';
import { type Place, type Program, thisMachine } from '../processes.ts';

const nobody = '65534';

/** One thing that has to hold among real hosts and programs. `play` resolves with a remark, or rejects. */
export interface Scenario {
  readonly name: string;
  readonly play: (scene: Scene) => Promise<string>;
}

/** Where one scenario is played: LANs of its own, everything that passes them captured. */
export class Scene {
  readonly #folder: string;
  readonly #lans: Lan[] = [];
  readonly #captures: { readonly file: string; readonly program: Program }[] = [];
  readonly #boxes: BoxProcess[] = [];
  readonly #avahis: Avahi[] = [];

  constructor(folder: string) {
    this.#folder = folder;
    mkdirSync(folder, { recursive: true });
  }

  lan(hostNames: readonly string[], options?: LanOptions): Lan {
    const lan = Lan.create(hostNames, options);
    this.#lans.push(lan);
    return lan;
  }

  /** Records what an interface of a host sends and hears; resolves when it does so. */
  async capture(host: LanHost, interfaceName = 'eth0'): Promise<string> {
    const file = join(this.#folder, `${host.name}-${interfaceName}-${this.#captures.length}.pcap`);
    const words = ['-i', interfaceName, '-U', '-w', file, '--immediate-mode', 'arp or udp port 5353'];
    const program = host.start('sh', ['-c', 'exec tcpdump "$@" 2>&1', 'tcpdump', ...words]);
    await program.firstLine((line) => (line.includes('listening on') ? line : undefined), 10_000);
    this.#captures.push({ file, program });
    return file;
  }

  async box(host: LanHost, name: string, words: readonly string[] = []): Promise<BoxProcess> {
    const box = await BoxProcess.start({ name, folder: this.boxFolder(host, name), words }, host);
    this.#boxes.push(box);
    return box;
  }

  /** As {@link box}, run by a user who is nobody and has no rights but these capabilities (capabilities(7)). */
  async boxOfNobody(
    host: LanHost,
    name: string,
    capabilities: readonly string[],
    words: readonly string[],
  ): Promise<BoxProcess> {
    const folder = this.boxFolder(host, name);
    for (const disk of disksOf(folder)) mkdirSync(disk, { recursive: true });
    await thisMachine.run('chown', ['-R', nobody, folder]);
    const kept = ['-all', ...capabilities.map((one) => `+${one}`)].join(',');
    const rights = [`--inh-caps=${kept}`, `--ambient-caps=${kept}`, `--bounding-set=${kept}`];
    const asNobody = [`--reuid=${nobody}`, `--regid=${nobody}`, '--clear-groups', ...rights];
    // Folders for temporary files are closed to others, who here have to pass them.
    for (const above of [this.#folder, dirname(this.#folder)]) chmodSync(above, 0o711);
    const place: Place = {
      name: host.name,
      run: (command, args, options) => host.run('setpriv', [...asNobody, command, ...args], options),
      start: (command, args, options) => host.start('setpriv', [...asNobody, command, ...args], options),
      argv: (command, args) => host.argv('setpriv', [...asNobody, command, ...args]),
    };
    const box = await BoxProcess.start({ name, folder, words }, place);
    this.#boxes.push(box);
    return box;
  }

  boxFolder(host: LanHost, name: string): string {
    return join(this.#folder, `${host.name}-${name}`);
  }

  async avahi(host: LanHost, hostName?: string): Promise<Avahi> {
    const avahi = await Avahi.start(host, hostName);
    this.#avahis.push(avahi);
    return avahi;
  }

  /** Stops everything, then looks whether any packet in any capture was malformed. */
  async close(): Promise<void> {
    for (const box of this.#boxes) if (box.program.running) await box.stop();
    for (const avahi of this.#avahis) await avahi.stop();
    for (const { program } of this.#captures) await program.stop();
    for (const lan of this.#lans) lan.close();
    for (const { file } of this.#captures) await refuseMalformed(file);
  }

  /** Ends what still runs after a failure. */
  abandon(): void {
    for (const lan of this.#lans) lan.close();
  }
}

async function refuseMalformed(file: string): Promise<void> {
  const malformed = await read(file, '_ws.malformed', ['frame.number', 'ip.src', '_ws.col.Info']);
  if (malformed.length > 0) throw new Error(`malformed packets:\n${malformed.join('\n')}`);
}

/** Fields, separated by tabs, of the packets in a capture that fit a display filter of tshark's. */
export async function read(
  file: string,
  filter: string,
  fields: readonly string[],
): Promise<readonly string[]> {
  const words = ['-r', file, '-Y', filter, '-T', 'fields', ...fields.flatMap((field) => ['-e', field])];
  const { stdout } = await thisMachine.run('tshark', words, { mayFail: true });
  return stdout.split('\n').filter((line) => line !== '');
}

/** Looks until `find` gives something, for at most `limitMs`. */
export async function until<T>(
  what: string,
  limitMs: number,
  find: () => Promise<T | undefined> | T | undefined,
): Promise<T> {
  const startedMs = performance.now();
  for (;;) {
    const found = await find();
    if (found !== undefined && found !== false) return found;
    if (performance.now() - startedMs > limitMs) throw new Error(`not within ${limitMs} ms: ${what}`);
    await delay(50);
  }
}

export function check(holds: boolean, what: string): asserts holds {
  if (!holds) throw new Error(what);
}

/** IPv4 addresses that are on an interface now. */
export async function addressesOf(host: LanHost, interfaceName = 'eth0'): Promise<readonly string[]> {
  const { stdout } = await host.run('ip', ['-4', '-o', 'addr', 'show', 'dev', interfaceName]);
  return [...stdout.matchAll(/inet (\d+\.\d+\.\d+\.\d+)/g)].map(([, address]) => address!);
}

/** The address of 169.254/16 of a host, once it has one. */
export function linkLocalOf(host: LanHost, limitMs = 20_000): Promise<string> {
  return until(`${host.name} has a link-local address`, limitMs, async () =>
    (await addressesOf(host)).find((address) => address.startsWith('169.254.')),
  );
}

/** Runs one of this folder's scapy programs. */
export function scapy(host: LanHost, program: string, words: readonly string[]): Program {
  const file = join(repositoryRoot, 'scripts', 'lan', 'zeroconf', program);
  return host.start('/usr/bin/python3', ['-u', file, ...words]);
}
