import { type Bytes, equalBytes, toHex } from '../../base/bytes.ts';
import { describeError, hasCode } from '../../base/errors.ts';
import type { Content } from '../../files/contents/content.ts';
import { readContent } from '../../files/contents/content-reader.ts';
import type { PutChange } from '../../files/tree/change.ts';
import { sleep } from '../../ports/clock.ts';
import type { SealedChunk } from '../../store/seal.ts';
import type { SeededEntropy } from '../seeded-entropy.ts';
import type { SimulatedBox } from './simulated-box.ts';
import { type Committed, isGone, type SimulatedDesktop } from './simulated-desktop.ts';
import type { World } from './world.ts';

/** One version of a file that the desktop asked to have written. */
export interface WrittenVersion {
  readonly bytes: Bytes;
  readonly change: PutChange;
  readonly chunkIds: readonly Bytes[];
}

/** What the desktop knows of one path. */
export interface WrittenFile {
  readonly path: readonly string[];
  readonly versions: WrittenVersion[];
  /** Of each version that was acknowledged. */
  readonly acknowledgements: Committed[];
  /** A removal was asked for: it may be gone. */
  removed: boolean;
}

/** Errors a person may get while parts of the pool are down. */
const expectedCodes = [
  'POOL_UNREACHABLE',
  'POOL_FULL',
  'STORE_FULL',
  'STORE_NO_VOLUME',
  'STORE_CLOSED',
  'DISK_FULL',
  'LOG_FAILED',
  'LOG_GAP',
  'LOG_CORRUPT',
  'INTERNAL',
  'NOT_A_MEMBER',
] as const;

/** Boxes must be left in peace for this long before all of them are expected to answer each other. */
const settledMs = 45_000;

/** A person at the desktop who writes, overwrites, removes and reads files, and remembers what was promised. */
export class Workload {
  readonly files: WrittenFile[] = [];
  /** Boxes that ever acknowledged a chunk, by chunk id; both in hexadecimal. */
  readonly holders = new Map<string, Set<string>>();
  acknowledged = 0;
  readBack = 0;
  readonly #world: World;
  readonly #boxes: readonly SimulatedBox[];
  readonly #desktop: SimulatedDesktop;
  readonly #entropy: SeededEntropy;
  #stopped = false;
  #working: Promise<unknown> = Promise.resolve();

  constructor(world: World, boxes: readonly SimulatedBox[], desktop: SimulatedDesktop) {
    this.#world = world;
    this.#boxes = boxes;
    this.#desktop = desktop;
    this.#entropy = world.stream('workload');
  }

  /** Starts `workers` that work at the same time. */
  start(workers: number): void {
    this.#working = Promise.all(Array.from({ length: workers }, () => this.#work()));
  }

  /** Resolves when the last answer came. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#working;
  }

  async #work(): Promise<void> {
    while (!this.#stopped) {
      await sleep(this.#world.clock, 50 + this.#entropy.below(4000));
      try {
        await this.#act();
      } catch (error) {
        const known = isGone(error) || expectedCodes.some((code) => hasCode(error, code));
        if (!known) this.#world.violate(`the desktop got ${describeError(error)}`);
        this.#world.trace.event('desktop', 'refused', describeError(error));
      }
    }
  }

  async #act(): Promise<void> {
    const draw = this.#entropy.below(100);
    const old = this.files[this.#entropy.below(Math.max(1, this.files.length))];
    if (draw < 55 || old === undefined) {
      const count = 1 + this.#entropy.below(3);
      return this.#write(Array.from({ length: count }, () => this.#newFile()));
    }
    // Most files are written once, so that what must be there is exactly known.
    const mayChange = /^[0-2]-/.test(old.path.at(-1)!);
    if (draw < 63 && mayChange) return this.#write([old]);
    if (draw < 66 && mayChange) return this.#remove(old);
    return this.#read(old);
  }

  #newFile(): WrittenFile {
    const number = this.files.length;
    const folders = [`d${this.#entropy.below(3)}`, `e${this.#entropy.below(3)}`];
    const path = [...folders.slice(0, this.#entropy.below(3)), `${this.#entropy.below(10)}-${number}.bin`];
    const file: WrittenFile = { path, versions: [], acknowledgements: [], removed: false };
    this.files.push(file);
    return file;
  }

  async #write(files: readonly WrittenFile[]): Promise<void> {
    const { trace } = this.#world;
    const before = this.#world.disturbances;
    const all = this.#everybodyAnswers();
    const versions = files.map((file) => this.#version(file));
    for (const { chunks } of versions) {
      const results = await this.#desktop.putChunks(chunks);
      results.forEach(({ copies, holders }, index) => {
        this.#noteHolders(chunks[index]!.id, holders);
        if (all && before === this.#world.disturbances && copies < 2) {
          this.#world.violate(`a chunk was acknowledged with ${copies} copy while all boxes answered`);
        }
      });
    }
    files.forEach((file, index) => {
      file.versions.push(versions[index]!);
    });
    const changes = versions.map(({ change }) => change);
    const lengths = this.#boxes.map((one) => one.logBytes(one.identity.memberId));
    const committed = await this.#desktop.commit(changes);
    this.#checkCopies(committed, lengths);
    const { box, copies, dangling } = committed;
    for (const file of files) file.acknowledgements.push(committed);
    this.acknowledged += files.length;
    trace.event('desktop', 'acknowledged', `${files.map(nameOf)} copies=${copies} tries=${dangling + 1}`);
    if (all && before === this.#world.disturbances && copies < 2) {
      this.#world.violate(`a commit was acknowledged with ${copies} copy while all boxes answered`);
    }
    await this.#readOwnWrite(box, files, versions);
  }

  /** That as many boxes have the new record on their disk as the answer says. */
  #checkCopies({ box, copies, dangling }: Committed, lengths: readonly number[]): void {
    // An earlier try may have written it already.
    if (dangling > 0) return;
    const index = this.#boxes.findIndex(({ identity }) => equalBytes(identity.memberId, box));
    const holders = this.#boxes.filter((one) => one.logBytes(box) > lengths[index]!).length;
    if (holders < copies) {
      this.#world.violate(`a commit was acknowledged with ${copies} copies, but ${holders} boxes have it`);
    }
  }

  async #remove(file: WrittenFile): Promise<void> {
    file.removed = true;
    try {
      await this.#desktop.commit([{ op: 'remove', path: file.path, recursive: false }]);
      this.#world.trace.event('desktop', 'removed', nameOf(file));
    } catch (error) {
      // The box that was asked has not heard of it yet, or no longer has it.
      if (!hasCode(error, 'PATH_NOT_FOUND')) throw error;
    }
  }

  /** The box that acknowledged shows it at once, unless another worker, or an older try, came between. */
  async #readOwnWrite(
    box: Bytes,
    files: readonly WrittenFile[],
    versions: readonly WrittenVersion[],
  ): Promise<void> {
    for (const [index, file] of files.entries()) {
      const content = await this.#shown(box, file);
      // Two boxes that were asked at once may both have made the folder, and one of the two goes by another name.
      if (file.removed || file.versions.length > 1 || (content === undefined && file.path.length > 1))
        continue;
      if (!isSame(content, versions[index]!.change.content)) {
        this.#world.violate(`${nameOf(file)} is not what its box has just acknowledged`);
      }
    }
  }

  async #shown(box: Bytes, { path }: WrittenFile): Promise<Content | undefined> {
    try {
      return (await this.#desktop.stat(box, path)).content;
    } catch (error) {
      if (hasCode(error, 'PATH_NOT_FOUND')) return undefined;
      throw error;
    }
  }

  async #read(file: WrittenFile): Promise<void> {
    const boxes = this.#desktop.reachable();
    const box = boxes[this.#entropy.below(Math.max(1, boxes.length))];
    if (box === undefined) return;
    try {
      const { content } = await this.#desktop.stat(box, file.path);
      const version = file.versions.find(({ change }) => isSame(change.content, content));
      if (version === undefined) {
        return this.#world.violate(`${nameOf(file)} is shown with contents nobody wrote`);
      }
      await this.verify(file, version);
      this.readBack++;
      this.#world.trace.event('desktop', 'read', nameOf(file));
    } catch (error) {
      const away = ['PATH_NOT_FOUND', 'CHUNK_NOT_FOUND', 'CHUNK_CORRUPT'] as const;
      // While boxes are down; at the end, everything has to be there.
      if (!away.some((code) => hasCode(error, code))) throw error;
    }
  }

  /** Reads a version through the pool and compares it byte for byte. Errors: those of the chunks. */
  async verify(file: WrittenFile, version: WrittenVersion): Promise<void> {
    let offset = 0;
    for await (const part of readContent(version.change.content!, this.#desktop.replicator)) {
      if (!equalBytes(part, version.bytes.subarray(offset, offset + part.length))) {
        return this.#world.violate(`${nameOf(file)} has other bytes than were written at ${offset}`);
      }
      offset += part.length;
    }
    if (offset !== version.bytes.length) this.#world.violate(`${nameOf(file)} is cut at ${offset} bytes`);
  }

  #version(file: WrittenFile): WrittenVersion & { readonly chunks: readonly SealedChunk[] } {
    const large = this.#entropy.chance(0.5);
    const bytes = this.#entropy.bytes(this.#entropy.below(large ? 400_000 : 5000));
    const { size, content, chunks } = this.#desktop.seal(bytes);
    const mtimeMs = Math.floor(this.#world.clock.wallMs());
    const change: PutChange = {
      op: 'put',
      path: file.path,
      kind: 'file',
      mode: 0o644,
      mtimeMs,
      size,
      content,
    };
    return { bytes, change, chunks, chunkIds: chunks.map(({ id }) => id) };
  }

  #noteHolders(id: Bytes, holders: readonly Bytes[]): void {
    const name = toHex(id);
    const known = this.holders.get(name) ?? new Set();
    for (const holder of holders) known.add(toHex(holder));
    this.holders.set(name, known);
  }

  #everybodyAnswers(): boolean {
    return this.#world.isCalm && this.#world.calmMs >= settledMs && this.#desktop.reachable().length >= 2;
  }
}

export function nameOf({ path }: WrittenFile): string {
  return `/${path.join('/')}`;
}

export function isSame(a: Content | undefined, b: Content | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  if ('inline' in a || 'inline' in b) return 'inline' in a && 'inline' in b && equalBytes(a.inline, b.inline);
  return a.depth === b.depth && equalBytes(a.chunks, b.chunks);
}
