import { type Bytes, fromHex } from '../base/bytes.ts';
import { CborFields, type CborValue, decodeCbor, encodeCbor } from '../base/cbor.ts';
import { describeError } from '../base/errors.ts';
import { listEntriesMax, listPageBytesMax, logRecordBytesMax } from '../base/limits.ts';
import type { Log } from '../base/log.ts';
import type { Entropy } from '../ports/entropy.ts';
import { filesError } from './files-error.ts';
import { bodiesFromCbor, encodeVector, type LogShipping } from './log/log-shipping.ts';
import type { LogStore, OpenedRecord } from './log/log-store.ts';
import { newNodeSeed, nodeIdBytes } from './node-id.ts';
import { type Change, changesFromCbor, pathFromCbor } from './tree/change.ts';
import { planCommit } from './tree/commit-plan.ts';
import { entryToCbor, type RemoteEntry } from './tree/remote-entry.ts';
import type { TreeStore } from './tree/tree-store.ts';
import { TreeView, type VisibleNode } from './tree/tree-view.ts';

export interface TreeServicePorts {
  readonly logs: LogStore;
  readonly tree: TreeStore;
  readonly shipping: Pick<LogShipping, 'copies' | 'copiesOfAll'>;
  readonly entropy: Entropy;
  readonly log: Log;
}

export interface ListPage {
  readonly entries: readonly RemoteEntry[];
  /** Whether more come after the last of them. */
  readonly more: boolean;
}

/** The tree of one box, as others ask for it: methods 64–66 and 80–82 of formats.md §6. */
export class TreeService {
  readonly #ports: TreeServicePorts;
  readonly #view: TreeView;
  /** The tree lacks records of the logs: until they are replayed, what comes is not folded and nothing answered. */
  #behind = false;
  /** A record came, or was lost, since the replay last looked at the logs. */
  #missed = false;
  #catchingUp: Promise<void> | undefined;
  /** The last replay failed, which is logged once. */
  #failing = false;

  private constructor(ports: TreeServicePorts) {
    this.#ports = ports;
    this.#view = new TreeView(ports.tree);
  }

  /** Replays what the tree lacks, then follows the logs. Errors: `LOG_CORRUPT`, `EPOCH_UNKNOWN`, `DiskErrorCode`. */
  static async open(ports: TreeServicePorts): Promise<TreeService> {
    const service = new TreeService(ports);
    const { logs, tree } = ports;
    logs.expectOwn(tree.position(logs.self));
    await service.#replay();
    logs.onRecord((record) => service.#follow(record));
    logs.onFailure(() => service.#startOver());
    return service;
  }

  /**
   * Carries out `changes`, all or none; the ids of nodes that it makes derive from `seed`. When it resolves they are durable in this box's log, and in `copies` boxes
   * altogether: two as soon as another one answers. Errors: those of `planCommit`, `LogStore.append` and the disk.
   */
  async commit(
    changes: readonly Change[],
    seed = newNodeSeed(this.#ports.logs.tick().ms, this.#ports.entropy),
  ): Promise<{ readonly copies: number }> {
    const { logs, shipping } = this.#ports;
    return this.#onWholeTree(async () => {
      const operations = planCommit(this.#view, changes, {
        tick: () => logs.tick(),
        seed,
        author: logs.self,
      });
      // What is there already may still be on its way to the disk, or to the others.
      if (operations.length === 0) {
        await logs.settled();
        return { copies: await shipping.copiesOfAll() };
      }
      const { seq, durable } = logs.append(operations);
      await durable;
      return { copies: await shipping.copies(seq + 1) };
    });
  }

  /** Errors: `PATH_NOT_FOUND`, `NOT_A_DIRECTORY`. */
  async stat(path: readonly string[]): Promise<RemoteEntry> {
    return this.#onWholeTree(() => entryOf(path[path.length - 1] ?? '', this.#view.resolve(path)));
  }

  /**
   * Children of the directory at `path`, sorted by shown name (UTF-16 code units), after the name `after`; as many
   * as fit one page. Errors: `PATH_NOT_FOUND`, `NOT_A_DIRECTORY`.
   */
  async list(path: readonly string[], after?: string, limit = listEntriesMax): Promise<ListPage> {
    return this.#onWholeTree(() => this.#page(path, after, limit));
  }

  /** Method 80. */
  async handleCommit(payload: Bytes): Promise<Bytes> {
    if (payload.length > logRecordBytesMax) throw filesError('COMMIT_TOO_LARGE', 'the commit is too long');
    const fields = CborFields.decode(payload);
    const changes = changesFromCbor(fields.list('changes'));
    const { copies } = await this.commit(changes, fields.bytes('seed', nodeIdBytes));
    return encodeCbor({ copies });
  }

  /** Method 81. */
  async handleStat(payload: Bytes): Promise<Bytes> {
    const names = decodeCbor(payload);
    if (!Array.isArray(names)) throw filesError('PATH_INVALID', 'a path is a list of names');
    return encodeCbor(entryToCbor(await this.stat(pathFromCbor(names as readonly CborValue[]))));
  }

  /** Method 82. */
  async handleList(payload: Bytes): Promise<Bytes> {
    const fields = CborFields.decode(payload);
    const path = pathFromCbor(fields.list('path'));
    const after = fields.has('after') ? fields.text('after') : undefined;
    const limit = fields.has('limit') ? Math.max(1, fields.count('limit')) : listEntriesMax;
    const { entries, more } = await this.list(path, after, limit);
    return encodeCbor({ entries: entries.map(entryToCbor), more });
  }

  /** Method 64. */
  async handleLogAppend(payload: Bytes): Promise<Bytes> {
    await this.#onWholeTree(() => {});
    await this.#ports.logs.receive(bodiesFromCbor(decodeCbor(payload)));
    return encodeVector(this.#ports.logs.vector());
  }

  /** Method 65. */
  async handleLogVector(): Promise<Bytes> {
    return encodeVector(this.#ports.logs.vector());
  }

  /** Method 66. */
  async handleLogRead(payload: Bytes): Promise<Bytes> {
    const fields = CborFields.decode(payload);
    const bodies = await this.#ports.logs.read(
      fields.bytes('author', 32),
      fields.count('from'),
      listPageBytesMax,
    );
    return encodeCbor(bodies);
  }

  async close(): Promise<void> {
    await this.#catchingUp?.catch(() => {});
    await this.#ports.tree.close();
    await this.#ports.logs.close();
  }

  #page(path: readonly string[], after: string | undefined, limit: number): ListPage {
    const directory = this.#view.resolve(path);
    if (directory.version.kind !== 'directory') {
      throw filesError('NOT_A_DIRECTORY', 'only a directory can be listed');
    }
    const sorted = this.#view.list(directory.id);
    let index = after === undefined ? 0 : firstAfter(sorted, after);
    const entries: RemoteEntry[] = [];
    let bytes = 0;
    for (; index < sorted.length && entries.length < Math.min(limit, listEntriesMax); index++) {
      const [name, id] = sorted[index]!;
      const node = this.#view.visible(id);
      if (node === undefined) continue;
      if (bytes > listPageBytesMax) break;
      const entry = entryOf(name, node);
      bytes += 400 + 3 * (name.length + (entry.target?.length ?? 0)) + contentBytes(entry);
      entries.push(entry);
    }
    return { entries, more: index < sorted.length };
  }

  #follow(record: OpenedRecord): void {
    if (this.#behind) this.#missed = true;
    else this.#ports.tree.fold(record);
  }

  /** Records that the tree has folded did not become durable: it goes back to what is on disk. */
  #startOver(): void {
    this.#missed = true;
    // A tree that is behind has folded durable records only: nothing in it is void.
    if (this.#behind) return;
    this.#behind = true;
    this.#catchingUp = this.#catchUp(this.#ports.tree.reset());
    this.#catchingUp.catch(() => {});
  }

  /** Rejects when the logs could not be replayed: whoever needs the tree next goes on from where it got to. */
  async #catchUp(forgotten?: Promise<void>): Promise<void> {
    const { logs, log } = this.#ports;
    try {
      await forgotten;
      do {
        this.#missed = false;
        await logs.settled().catch(() => {
          // Others may still be on their way.
          this.#missed = true;
        });
        await this.#replay();
      } while (this.#missed);
      this.#behind = false;
      if (this.#failing) log.info('logs replayed after all');
      this.#failing = false;
    } catch (error) {
      if (!this.#failing) log.error('logs not replayed', { reason: describeError(error) });
      this.#failing = true;
      throw error;
    } finally {
      // In the same step as the last look at `missed`: no record falls between.
      this.#catchingUp = undefined;
    }
  }

  async #replay(): Promise<void> {
    const { logs, tree } = this.#ports;
    for (const name of logs.vector().keys()) {
      const author = fromHex(name)!;
      for await (const record of logs.replay(author, tree.position(author))) {
        await tree.room();
        tree.fold(record);
      }
    }
  }

  /** Calls `act` when the tree has all that the logs told of, in the step that saw it: a step later it may not. */
  async #onWholeTree<T>(act: () => T | Promise<T>): Promise<T> {
    do {
      if (this.#behind) this.#catchingUp ??= this.#catchUp();
      await this.#catchingUp;
      await this.#ports.tree.room();
    } while (this.#behind);
    return act();
  }
}

function entryOf(name: string, node: VisibleNode): RemoteEntry {
  const { kind, mode, mtimeMs, size, content, target } = node.version;
  return {
    name,
    node: node.id,
    kind,
    mode,
    mtimeMs,
    size,
    ...(content === undefined ? {} : { content }),
    ...(target === undefined ? {} : { target }),
  };
}

function contentBytes({ content }: RemoteEntry): number {
  if (content === undefined) return 0;
  return 'inline' in content ? content.inline.length : content.chunks.length;
}

/** Index of the first entry whose name sorts after `name`. */
function firstAfter(sorted: readonly [string, Bytes][], name: string): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (sorted[middle]![0] <= name) low = middle + 1;
    else high = middle;
  }
  return low;
}
