import { lstatSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cp, mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Avahi, type SeenService, whyNoAvahi } from './avahi.ts';
import { Aether, BoxProcess, type JsonObject, repositoryRoot } from './box-process.ts';
import { countTree, differentAttributes, differentContents, pathsBelow } from './compare-trees.ts';
import { distinctBytesMin, findLeaks, type LeakSearch, runBytes } from './leak-search.ts';
import { Lan, whyNoLan } from './network.ts';
import { makeRealTree } from './real-tree.ts';

/** One thing that has to hold. `run` resolves with a remark for the report, and rejects when it does not hold. */
export interface Step {
  readonly name: string;
  readonly run: () => Promise<string>;
}

/** Why the story cannot be told on this machine, or undefined. */
export function whyNoStory(): string | undefined {
  return whyNoLan() ?? whyNoAvahi();
}

const boxNames = ['alder', 'birch', 'cedar'];

/**
 * The main job on a LAN, from three new boxes to a tree that is read back after the box that took it is gone. Each
 * step builds on those before it; after one that failed the rest mean nothing. Everything is in `folder`.
 */
export class LanStory {
  readonly #folder: string;
  readonly #tree: string;
  readonly #lan: Lan;
  readonly #aether: Aether;
  readonly #boxes = new Map<string, BoxProcess>();
  #avahi: Avahi | undefined;
  #takerName = '';

  constructor(folder: string) {
    this.#folder = folder;
    this.#tree = join(folder, 'tree');
    this.#lan = Lan.create([...boxNames, 'desktop']);
    this.#aether = new Aether(this.#lan.host('desktop'), join(folder, 'desktop'));
  }

  readonly steps: readonly Step[] = [
    { name: 'three boxes start, each on a host of its own', run: () => this.#start() },
    { name: 'avahi-browse sees each of them with its TXT', run: () => this.#seeAll('unclaimed') },
    { name: 'aether scan lists the same', run: () => this.#scan() },
    { name: 'the first claim makes the pool, the others join it', run: () => this.#claim() },
    { name: 'avahi-browse sees three members of one pool', run: () => this.#seeAll('claimed') },
    { name: 'a real tree is put', run: () => this.#put() },
    { name: `a planted run of ${runBytes} bytes is found, so the search works`, run: () => this.#plant() },
    { name: 'no such run of any source is in any box, on disks or in state', run: () => this.#search() },
    {
      name: 'the box that took the write is killed, its disks and state deleted',
      run: () => this.#destroy(),
    },
    { name: 'aether get brings everything back: diff -r finds nothing', run: () => this.#get() },
    { name: 'modes and times are the same', run: () => this.#compareAttributes() },
    { name: 'the other boxes stop cleanly', run: () => this.#stop() },
  ];

  /** Ends whatever still runs. */
  async close(): Promise<void> {
    await this.#avahi?.stop();
    this.#lan.close();
  }

  async #start(): Promise<string> {
    const starts = boxNames.map((name) =>
      BoxProcess.start({ name, folder: this.#boxFolder(name) }, this.#lan.host(name)),
    );
    for (const start of starts) {
      const box = await start;
      this.#boxes.set(box.options.name, box);
    }
    this.#avahi = await Avahi.start(this.#lan.host('desktop'));
    return boxNames.map((name) => `${name} ${this.#lan.host(name).address}`).join(', ');
  }

  /** Waits, since announcing takes its time, but not for long. */
  async #seeAll(state: 'claimed' | 'unclaimed'): Promise<string> {
    const startedMs = performance.now();
    let seen: readonly SeenService[] = [];
    const isRight = ({ txt }: SeenService) => (state === 'unclaimed') === (txt.pool === '');
    while (performance.now() - startedMs < 10_000) {
      seen = (await this.#avahi!.browse('_aetherstore._tcp')).filter(isRight);
      if (boxNames.every((name) => seen.some((service) => service.instance === name))) break;
    }
    for (const name of boxNames) {
      const { ready } = this.#box(name);
      const services = seen.filter(({ instance }) => instance === name);
      if (services.length === 0) throw new Error(`${name} is not seen, or its TXT does not say ${state}`);
      for (const { port, address, txt } of services) {
        check(port === ready.port, `${name}: SRV says port ${port}, it listens on ${ready.port}`);
        check(
          !address.includes('.') || address === this.#lan.host(name).address,
          `${name}: address ${address}`,
        );
        check(
          txt.txtvers === '1' && txt.v !== undefined && txt.free !== undefined,
          `${name}: TXT ${JSON.stringify(txt)}`,
        );
        check(
          ready.member.startsWith(txt.box ?? '-'),
          `${name}: TXT says box ${txt.box}, it is ${ready.member}`,
        );
      }
    }
    const pools = new Set(seen.map(({ txt }) => txt.pool));
    check(pools.size === 1, `the boxes say different pools: ${[...pools].join(', ')}`);
    const sample = seen.find(({ instance }) => instance === boxNames[0])!;
    return Object.entries(sample.txt)
      .map(([key, value]) => `${key}=${value.slice(0, 12)}`)
      .join(' ');
  }

  async #scan(): Promise<string> {
    const outcome = await this.#aether.run(['scan', '--json']);
    for (const name of boxNames)
      check(outcome.stdout.includes(`"${name}"`), `aether scan does not list ${name}`);
    return `${outcome.seconds.toFixed(2)} s (2 s are asked for on an idle machine)`;
  }

  async #claim(): Promise<string> {
    for (const [index, name] of boxNames.entries()) {
      const code = this.#box(name).ready.claimCode;
      check(code !== null, `${name} has no claim code`);
      const answer = (await this.#aether.json(['claim', name, '--code', code!])).at(-1);
      const words = String(answer?.recoveryWords ?? '').split(' ').length;
      check(words === (index === 0 ? 24 : 1), `claiming ${name} says ${words} recovery words`);
    }
    const { stdout } = await this.#aether.run(['status', '--json']);
    for (const name of boxNames) check(stdout.includes(name), `aether status does not know ${name}`);
    return 'recovery words once, three boxes in the pool';
  }

  async #put(): Promise<string> {
    // What the boxes hold before is no plaintext of the tree: names of fields, certificates.
    for (const name of boxNames)
      await cp(this.#boxFolder(name), join(this.#folder, 'before', name), {
        recursive: true,
        filter: (path) => !lstatSync(path).isSocket(),
      });
    await makeRealTree(this.#tree);
    const count = countTree(this.#tree);
    const startedMs = performance.now();
    const results = await this.#aether.json(['put', this.#tree, '/']);
    const seconds = (performance.now() - startedMs) / 1000;
    this.#takerName = takerOf(results);
    check(
      this.#boxes.has(this.#takerName),
      `aether put does not say which box took it: ${JSON.stringify(results.at(-1))}`,
    );
    const { copies } = results.at(-1)!;
    check(copies === 2, `only ${String(copies)} box has all that was put: ${JSON.stringify(results.at(-1))}`);
    const megabytes = count.bytes / 1e6;
    return (
      `${count.files} files, ${count.directories} folders, ${count.symlinks} links, ${megabytes.toFixed(0)} MB ` +
      `in ${seconds.toFixed(1)} s (${(megabytes / seconds).toFixed(0)} MB/s), taken by ${this.#takerName}`
    );
  }

  /** A run from the middle of one of the sources, hidden in bytes that are none of theirs. */
  async #plant(): Promise<string> {
    const source = join(this.#tree, 'odd', 'sizes', '5000000');
    const hay = Buffer.from(
      Array.from({ length: 100_000 }, (_, index) => (index * index * 31 + (index >> 3)) & 0xff),
    );
    const target = join(this.#folder, 'planted');
    const run = readFileSync(source).subarray(1_234_567, 1_234_567 + runBytes);
    writeFileSync(target, hay);
    check(findLeaks([source], [target]).leaks.length === 0, 'a leak is found where none was planted');
    run.copy(hay, 54_321);
    writeFileSync(target, hay);
    const { leaks } = findLeaks([source], [target]);
    rmSync(target);
    check(
      leaks.length === 1 && leaks[0]!.targetOffset === 54_321,
      `${leaks.length} leaks are found, not the planted one`,
    );
    return `at offset 54321 of 100000 random bytes`;
  }

  /** Contents and names: a list of all paths is one more source. */
  async #search(): Promise<string> {
    const names = join(this.#folder, 'names');
    writeFileSync(names, pathsBelow(this.#tree).join('\n'));
    const targets = boxNames.map((name) => this.#boxFolder(name));
    // The sentences that a box says of itself and remembers are none of the tree either.
    const own = [join(this.#folder, 'before'), join(repositoryRoot, 'src')];
    const search = findLeaks([this.#tree, names], targets, own);
    check(search.leaks.length === 0, describeLeaks(search));
    return (
      `${megabytes(search.sourceBytes)} of sources and names against ${megabytes(search.targetBytes)} of the boxes in ` +
      `${search.seconds.toFixed(0)} s; runs with fewer than ${distinctBytesMin} distinct bytes not counted, ` +
      `${search.exempted} were there before the put, or are the program's own`
    );
  }

  async #destroy(): Promise<string> {
    await this.#box(this.#takerName).kill();
    await rm(this.#boxFolder(this.#takerName), { recursive: true });
    this.#boxes.delete(this.#takerName);
    return `${this.#takerName} is gone`;
  }

  async #get(): Promise<string> {
    const back = this.#backFolder;
    await mkdir(back, { recursive: true });
    const { seconds } = await this.#aether.run(['get', '/tree', back]);
    const differences = await differentContents(this.#tree, join(back, 'tree'));
    check(differences.length === 0, differences.join('\n'));
    const { bytes } = countTree(this.#tree);
    return `${seconds.toFixed(1)} s (${(bytes / 1e6 / seconds).toFixed(0)} MB/s)`;
  }

  async #compareAttributes(): Promise<string> {
    const differences = differentAttributes(this.#tree, join(this.#backFolder, 'tree'));
    check(differences.length === 0, differences.join('\n'));
    return 'permission bits, and times to the millisecond';
  }

  async #stop(): Promise<string> {
    for (const box of this.#boxes.values()) await box.stop();
    return 'exit code 0';
  }

  get #backFolder(): string {
    return join(this.#folder, 'back');
  }

  #boxFolder(name: string): string {
    return join(this.#folder, 'boxes', name);
  }

  #box(name: string): BoxProcess {
    return this.#boxes.get(name)!;
  }
}

/** The box that the tree's changes were committed to, as the last line of `aether put --json` says. */
function takerOf(results: readonly JsonObject[]): string {
  const box = results.findLast((line) => typeof line.box === 'string')?.box;
  return typeof box === 'string' ? box : '';
}

function describeLeaks({ leaks }: LeakSearch): string {
  const lines = leaks
    .slice(0, 10)
    .map(
      ({ run, source, target, targetOffset }) =>
        `${target} at ${targetOffset}: ${JSON.stringify(run.toString('latin1'))} of ${source}`,
    );
  return [`${leaks.length} runs are found:`, ...lines].join('\n');
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(0)} MB`;
}

function check(holds: boolean, otherwise: string): void {
  if (!holds) throw new Error(otherwise);
}
