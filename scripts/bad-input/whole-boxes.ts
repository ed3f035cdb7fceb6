// What the tests of this folder share: real boxes and a real desktop on the loopback of this machine, without root.
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { after } from 'node:test';
import { SeededEntropy } from '../../src/testing/seeded-entropy.ts';
import {
  Aether,
  type BoxReady,
  type JsonObject,
  parseJsonLines,
  repositoryRoot,
} from '../lan/box-process.ts';
import { type Outcome, type Program, thisMachine } from '../lan/processes.ts';
import { temporaryFolder } from '../lan/temporary-folder.ts';

const boxProgram = join(repositoryRoot, 'src', 'main.ts');

export function boxArguments(folder: string, more: readonly string[] = []): readonly string[] {
  const fixed = ['--dir', folder, '--listen', ':0', '--console', 'none', '--json-ready'];
  return ['--disable-warning=ExperimentalWarning', boxProgram, ...fixed, ...more];
}

const started = new Set<Program>();

/** Stops the pool after the tests of a file, and whatever a test that failed has left: it would keep all waiting. */
export function stopAtEnd(pool: () => WholePool | undefined = () => undefined): void {
  const killAll = () => {
    for (const program of started) program.kill('SIGKILL');
  };
  process.once('exit', killAll);
  after(async () => {
    try {
      await pool()?.stop();
    } finally {
      killAll();
    }
  });
}

/** One box program that listens. */
export class WholeBox {
  readonly folder: string;
  readonly ready: BoxReady;
  readonly program: Program;

  private constructor(folder: string, ready: BoxReady, program: Program) {
    this.folder = folder;
    this.ready = ready;
    this.program = program;
  }

  static async start(folder: string, more: readonly string[] = []): Promise<WholeBox> {
    mkdirSync(folder, { recursive: true });
    const logFile = `${folder}.log`;
    const program = thisMachine.start(process.execPath, boxArguments(folder, more), { logFile });
    started.add(program);
    void program.exited.then(() => started.delete(program));
    const accept = (line: string) =>
      line.startsWith('{"ready":true') ? (JSON.parse(line) as BoxReady) : undefined;
    return new WholeBox(folder, await program.firstLine(accept, 30_000), program);
  }

  get address(): string {
    return `127.0.0.1:${this.ready.port}`;
  }

  get log(): string {
    return readFileSync(`${this.folder}.log`, 'utf8');
  }

  async kill(): Promise<void> {
    this.program.kill('SIGKILL');
    await this.program.exited;
  }

  async stop(): Promise<void> {
    assert.equal(await this.program.stop(), 0, 'a box stops cleanly');
  }
}

/** Writes a box.json with these disks. */
export function setDisks(folder: string, paths: readonly string[]): void {
  writeFileSync(join(folder, 'box.json'), JSON.stringify({ volumes: paths.map((path) => ({ path })) }));
}

/** An error that a program told, as a script reads it. */
export interface Told {
  readonly exitCode: number;
  readonly code: string;
  readonly message: string;
  readonly help: string;
}

/** Asserts that `told` is a clear error: this code and exit status, a message, and what to do about it. */
export function assertTold(told: Told, code: string, exitCode: number, help: RegExp): void {
  assert.equal(told.code, code, JSON.stringify(told));
  assert.equal(told.exitCode, exitCode, JSON.stringify(told));
  assert.match(told.help, help);
  assert.ok(told.message.length > 0 && !told.message.includes('\n'), told.message);
}

/** Starts a box that cannot start, and returns what it says. `uid`: not as root, but as this user. */
export async function runRefusedBox(
  folder: string,
  more: readonly string[] = [],
  prefix: readonly string[] = [],
): Promise<Told> {
  const [program = '', ...words] = [...prefix, process.execPath, ...boxArguments(folder, more)];
  const { exitCode, stderr } = await thisMachine.run(program, words, { mayFail: true, timeoutMs: 20_000 });
  return toldOf(exitCode, stderr);
}

/** Reads `aetherstore: message (CODE)` and the indented help below it. */
export function toldOf(exitCode: number, stderr: string): Told {
  const match = /^aether(?:store)?: (.*) \(([A-Z_]+)\)(?:\n {2}(.*))?\n$/m.exec(stderr);
  assert.ok(match, `no clear error: ${stderr}`);
  return { exitCode, message: match[1]!, code: match[2]!, help: match[3] ?? '' };
}

/** A desktop, the boxes it claimed, and every file that was acknowledged to it. */
export class WholePool {
  readonly folder: string;
  readonly aether: Aether;
  readonly homePath: string;
  readonly boxes: WholeBox[] = [];
  readonly #kept = new Map<string, Uint8Array>();
  readonly #entropy = new SeededEntropy(1);

  private constructor(folder: string) {
    this.folder = folder;
    this.homePath = join(folder, 'desktop');
    this.aether = new Aether(thisMachine, this.homePath);
  }

  /** Starts and claims `count` boxes with `disks` disks each. */
  static async start(purpose: string, count: number, disks = 1): Promise<WholePool> {
    const pool = new WholePool(temporaryFolder(purpose));
    for (let index = 0; index < count; index++) await pool.addBox(`box${index}`, disks);
    // Boxes learn of each other by their desktop; from then on everything is kept twice.
    if (count > 1) await pool.until(async () => (await pool.keep()) === 2);
    return pool;
  }

  /** Starts and claims one more box, with so many disks or with these. */
  async addBox(name: string, disks: number | readonly string[] = 1): Promise<WholeBox> {
    const folder = join(this.folder, name);
    const paths =
      typeof disks === 'number'
        ? Array.from({ length: disks }, (_, index) => join(folder, `disk${index + 1}`))
        : disks;
    for (const path of [folder, ...paths]) mkdirSync(path, { recursive: true });
    setDisks(folder, paths);
    const box = await WholeBox.start(folder, ['--name', name]);
    await this.aether.run(['claim', box.address, '--code', box.ready.claimCode!]);
    this.boxes.push(box);
    return box;
  }

  /** Starts a box again where it was. */
  async restart(index: number, more: readonly string[] = []): Promise<WholeBox> {
    const { folder, ready } = this.boxes[index]!;
    const box = await WholeBox.start(folder, ['--name', ready.name, '--listen', `:${ready.port}`, ...more]);
    this.boxes[index] = box;
    return box;
  }

  bytes(count: number): Uint8Array {
    return this.#entropy.bytes(count);
  }

  /** Writes files into a fresh local folder. */
  write(name: string, files: Readonly<Record<string, Uint8Array | string>>): string {
    for (const [path, bytes] of Object.entries(files)) {
      const whole = join(this.folder, 'sources', name, path);
      mkdirSync(dirname(whole), { recursive: true });
      writeFileSync(whole, bytes);
    }
    return join(this.folder, 'sources', name);
  }

  /** Stores one more small and one more chunked file, which must be there ever after; returns their copies. */
  async keep(): Promise<number> {
    const name = `kept-${this.#kept.size}`;
    const files = { small: this.bytes(100), large: this.bytes(300_000) };
    const [result] = (await this.aether.json(['put', this.write(name, files)])).slice(-1);
    for (const [file, bytes] of Object.entries(files)) this.acknowledged(`${name}/${file}`, bytes);
    return result?.copies as number;
  }

  /** Notes that the pool has promised to keep these bytes at this path. */
  acknowledged(path: string, bytes: Uint8Array): void {
    this.#kept.set(path, bytes);
  }

  /** Fetches everything, by box `name` where given: all that was acknowledged is there, byte for byte. */
  async verify(name?: string): Promise<void> {
    const back = join(this.folder, 'back');
    rmSync(back, { recursive: true, force: true });
    await this.aether.run(['get', '/', back, ...(name === undefined ? [] : ['--box', name])]);
    for (const [path, bytes] of this.#kept) {
      assert.ok(readFileSync(join(back, path)).equals(bytes), `${path} is as it was acknowledged`);
    }
  }

  /** The boxes go on: something new can be stored, and everything is still there. */
  async verifyServing(): Promise<void> {
    await this.keep();
    await this.verify();
  }

  /** Runs `aether` to its error. */
  async refused(words: readonly string[]): Promise<Told> {
    const { exitCode, stdout } = await this.aether.run([...words, '--json'], { mayFail: true });
    const last = parseJsonLines(stdout).at(-1) ?? {};
    assert.ok('error' in last, `an error was expected: ${stdout}`);
    return { exitCode, code: String(last.error), message: String(last.message), help: String(last.help) };
  }

  /** What box `name` says of its own health. */
  async status(name: string): Promise<JsonObject> {
    const [answer] = await this.aether.json(['status']);
    const boxes = answer?.boxes as JsonObject[] | undefined;
    const box = boxes?.find((each) => each.name === name);
    assert.ok(box?.answers, `${name} answers`);
    return box.status as JsonObject;
  }

  async until(condition: () => Promise<boolean>, limitMs = 20_000): Promise<void> {
    const startedMs = performance.now();
    while (!(await condition())) {
      assert.ok(performance.now() - startedMs < limitMs, 'it came in time');
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }

  async stop(): Promise<void> {
    for (const box of this.boxes) if (box.program.running) await box.stop();
  }
}

/** Conditions of a status, by code. */
export function conditionCodesOf(status: JsonObject): readonly string[] {
  return (status.conditions as JsonObject[]).map(({ code }) => String(code));
}

export function runOutcome(pool: WholePool, words: readonly string[]): Promise<Outcome> {
  return pool.aether.run(words, { mayFail: true, timeoutMs: 60_000 });
}
