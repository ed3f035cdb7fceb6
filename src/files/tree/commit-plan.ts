import { type Bytes, toHex } from '../../base/bytes.ts';
import { encodeCbor } from '../../base/cbor.ts';
import { logOperationsMax } from '../../base/limits.ts';
import { filesError } from '../files-error.ts';
import type { HybridTime } from '../log/hybrid-clock.ts';
import { type Operation, type Stamp, type Version, versionToCbor } from '../log/operations.ts';
import { nodeIdAt, rootNode, trashNode } from '../node-id.ts';
import type { RemotePath } from '../remote-path.ts';
import { atChange, type Change, type PutChange, type RemoveChange } from './change.ts';
import { notADirectory, type TreeView } from './tree-view.ts';

export interface PlanPorts {
  readonly tick: () => HybridTime;
  /** What the ids of new nodes derive from, see `newNodeSeed`. */
  readonly seed: Bytes;
  /** Member id of this box. */
  readonly author: Bytes;
}

/** What a path leads to while the plan is made: as the tree has it, with the changes before it. */
interface Planned {
  readonly id: Bytes;
  /** Of its newest version; undefined while it has none. */
  readonly stamp: Stamp | undefined;
  readonly version: Version;
}

const newDirectoryMode = 0o755;

/**
 * The operations that carry out `changes` by path, in order, each seeing those before it. None at all when
 * everything already is as wanted. Errors, with the field `change`: `PATH_NOT_FOUND`, `NOT_A_DIRECTORY`,
 * `IS_A_DIRECTORY`, `NOT_EMPTY`, `COMMIT_INVALID`; `COMMIT_TOO_LARGE`.
 */
export function planCommit(
  view: TreeView,
  changes: readonly Change[],
  ports: PlanPorts,
): readonly Operation[] {
  const plan = new Plan(view, ports);
  changes.forEach((change, index) => {
    atChange(index, () => (change.op === 'put' ? plan.put(change) : plan.remove(change)));
  });
  if (plan.operations.length > logOperationsMax) {
    throw filesError('COMMIT_TOO_LARGE', 'the changes need too many operations', {
      fields: { operations: plan.operations.length },
    });
  }
  return plan.operations;
}

class Plan {
  readonly operations: Operation[] = [];
  readonly #view: TreeView;
  /** Ids of the nodes made so far, hexadecimal. */
  readonly #made = new Set<string>();
  readonly #ports: PlanPorts;
  /** Children looked up or changed so far, by parent id and name; undefined: there is none. */
  readonly #children = new Map<string, Map<string, Planned | undefined>>();

  constructor(view: TreeView, ports: PlanPorts) {
    this.#view = view;
    this.#ports = ports;
  }

  put(change: PutChange): void {
    const { path } = change;
    const name = path[path.length - 1];
    if (name === undefined) {
      if (change.kind !== 'directory') throw filesError('IS_A_DIRECTORY', 'the root is a directory');
      return;
    }
    const parent = this.#directory(path.slice(0, -1), change.mtimeMs);
    const found = this.#child(parent, name);
    if (found === undefined) {
      this.#create(parent, path, change);
      return;
    }
    const isDirectory = found.version.kind === 'directory';
    if (isDirectory && change.kind !== 'directory')
      throw filesError('IS_A_DIRECTORY', 'a directory is there');
    if (!isDirectory && change.kind === 'directory') throw notADirectory(path.length - 1);
    if (!sameVersion(found.version, change)) this.#version(parent, name, found, change);
  }

  remove(change: RemoveChange): void {
    const { path } = change;
    const name = path[path.length - 1];
    if (name === undefined) throw filesError('COMMIT_INVALID', 'the root cannot be removed');
    let parent = rootNode;
    for (const [depth, part] of path.slice(0, -1).entries()) {
      const next = this.#child(parent, part);
      if (next === undefined) throw notFound(depth);
      if (next.version.kind !== 'directory') throw notADirectory(depth);
      parent = next.id;
    }
    const found = this.#child(parent, name);
    if (found === undefined) throw notFound(path.length - 1);
    if (found.version.kind === 'directory' && !change.recursive && !this.#isEmpty(found.id)) {
      throw filesError('NOT_EMPTY', 'the directory is not empty');
    }
    this.#place(found.id, trashNode, name);
    this.#known(parent).set(name, undefined);
  }

  /** The directory at `path`, made with its parents where missing. */
  #directory(path: RemotePath, mtimeMs: number): Bytes {
    let id = rootNode;
    for (const [depth, name] of path.entries()) {
      const found = this.#child(id, name);
      if (found !== undefined && found.version.kind !== 'directory') throw notADirectory(depth);
      id =
        found?.id ??
        this.#create(id, path.slice(0, depth + 1), {
          kind: 'directory',
          mode: newDirectoryMode,
          mtimeMs,
          size: 0,
        });
    }
    return id;
  }

  #create(parent: Bytes, path: RemotePath, version: Version): Bytes {
    const clock = this.#ports.tick();
    const id = this.#newId(path);
    const name = path[path.length - 1]!;
    this.operations.push({ op: 'place', clock, node: id, parent, name });
    this.#version(parent, name, { id, stamp: undefined, version }, version);
    return id;
  }

  #newId(path: RemotePath): Bytes {
    for (let generation = 0; ; generation++) {
      const id = nodeIdAt(path, this.#ports.seed, generation);
      const name = toHex(id);
      if (this.#made.has(name) || this.#view.isKnown(id)) continue;
      this.#made.add(name);
      return id;
    }
  }

  #version(parent: Bytes, name: string, node: Planned, version: Version): void {
    const basis = node.stamp === undefined ? [] : [node.stamp];
    const fields = versionOf(version);
    const clock = this.#ports.tick();
    this.operations.push({ op: 'content', clock, node: node.id, ...fields, basis });
    const stamp = { clock, author: this.#ports.author };
    this.#known(parent).set(name, { id: node.id, stamp, version: fields });
  }

  #place(node: Bytes, parent: Bytes, name: string): void {
    this.operations.push({ op: 'place', clock: this.#ports.tick(), node, parent, name });
  }

  #child(parent: Bytes, name: string): Planned | undefined {
    const known = this.#known(parent);
    // Of a node that this plan makes, all children are known.
    if (known.has(name) || this.#made.has(toHex(parent))) return known.get(name);
    const node = this.#view.child(parent, name);
    const child =
      node === undefined ? undefined : { id: node.id, stamp: node.version.stamp, version: node.version };
    known.set(name, child);
    return child;
  }

  #isEmpty(directory: Bytes): boolean {
    const known = this.#known(directory);
    for (const child of known.values()) if (child !== undefined) return false;
    return this.#view.list(directory).every(([name]) => known.has(name));
  }

  #known(parent: Bytes): Map<string, Planned | undefined> {
    const key = toHex(parent);
    const known = this.#children.get(key) ?? new Map<string, Planned | undefined>();
    this.#children.set(key, known);
    return known;
  }
}

function versionOf({ kind, mode, mtimeMs, size, content, target }: Version): Version {
  return {
    kind,
    mode,
    mtimeMs,
    size,
    ...(content === undefined ? {} : { content }),
    ...(target === undefined ? {} : { target }),
  };
}

function sameVersion(a: Version, b: Version): boolean {
  if (a.kind !== b.kind || a.mode !== b.mode || a.mtimeMs !== b.mtimeMs || a.size !== b.size) return false;
  return toHex(encodeCbor(versionToCbor(a))) === toHex(encodeCbor(versionToCbor(b)));
}

function notFound(component: number) {
  return filesError('PATH_NOT_FOUND', `component ${component + 1} of the path is not there`, {
    fields: { component },
  });
}
