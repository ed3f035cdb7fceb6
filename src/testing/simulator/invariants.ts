import { createHash } from 'node:crypto';
import { type Bytes, equalBytes, fromHex, toHex } from '../../base/bytes.ts';
import { decodeCbor, encodeCbor } from '../../base/cbor.ts';
import { describeError, hasCode } from '../../base/errors.ts';
import { entryToCbor, type RemoteEntry } from '../../files/tree/remote-entry.ts';
import { methods } from '../../pool/transfer/methods.ts';
import { chunkIdOf } from '../../store/seal.ts';
import type { Faults } from './faults.ts';
import type { SimulatedBox } from './simulated-box.ts';
import type { SimulatedDesktop } from './simulated-desktop.ts';
import { isSame, nameOf, type Workload, type WrittenFile } from './workload.ts';
import type { World } from './world.ts';

export interface Parts {
  readonly world: World;
  readonly boxes: readonly SimulatedBox[];
  readonly desktop: SimulatedDesktop;
  readonly workload: Workload;
  readonly faults: Faults;
}

/** What has to hold when all boxes are up again, the network is whole and some time has passed. Returns files read. */
export async function checkInvariants(parts: Parts): Promise<number> {
  const { world, workload } = parts;
  const boxes = parts.boxes.filter((box) => box !== parts.faults.lost);
  for (const box of boxes) if (box.box === undefined) world.violate(`${box.name} does not come up`);
  if (world.violations.length > 0) return 0;
  const trees = await Promise.all(boxes.map((box) => treeOf(parts.desktop, box)));
  checkConverged(world, boxes, trees);
  await checkVectors(parts, boxes);
  let verified = 0;
  for (const file of workload.files) verified += await checkFile(parts, file, trees[0]!);
  for (const id of workload.holders.keys()) await checkServed(parts, boxes, fromHex(id)!);
  return verified;
}

/** Every entry of a box's tree by its path. */
async function treeOf(desktop: SimulatedDesktop, box: SimulatedBox): Promise<Map<string, RemoteEntry>> {
  const tree = new Map<string, RemoteEntry>();
  const walk = async (path: readonly string[]): Promise<void> => {
    for (const entry of await desktop.list(box.identity.memberId, path)) {
      const below = [...path, entry.name];
      tree.set(`/${below.join('/')}`, entry);
      if (entry.kind === 'directory') await walk(below);
    }
  };
  await walk([]);
  return tree;
}

function checkConverged(
  world: World,
  boxes: readonly SimulatedBox[],
  trees: readonly Map<string, RemoteEntry>[],
): void {
  const digests = trees.map((tree) => {
    const hash = createHash('sha256');
    for (const [path, entry] of tree) hash.update(path).update(encodeCbor(entryToCbor(entry)));
    return hash.digest('hex').slice(0, 8);
  });
  if (new Set(digests).size === 1) return;
  const sizes = trees.map((tree, index) => `${boxes[index]!.name} ${tree.size} entries ${digests[index]}`);
  world.violate(`the trees differ: ${sizes.join(', ')}`);
}

async function checkVectors({ world, desktop }: Parts, boxes: readonly SimulatedBox[]): Promise<void> {
  const vectors = [];
  for (const { identity } of boxes) {
    const vector = decodeCbor(await desktop.ask(identity.memberId, methods.logVector, new Uint8Array(0)));
    vectors.push(JSON.stringify(vector));
  }
  if (new Set(vectors).size > 1) world.violate(`the logs differ: ${vectors.join(' ')}`);
}

async function checkFile(parts: Parts, file: WrittenFile, tree: Map<string, RemoteEntry>): Promise<number> {
  const { world, workload } = parts;
  const shown = placesOf(file, tree);
  const known = shown.flatMap(({ content }) =>
    file.versions.filter(({ change }) => isSame(change.content, content)),
  );
  if (known.length < shown.length) world.violate(`${nameOf(file)} is shown with contents nobody wrote`);
  if (shown.length === 0) {
    if (isPromised(parts, file) && !file.removed)
      world.violate(`${nameOf(file)} was acknowledged and is gone`);
    return 0;
  }
  for (const version of known) {
    try {
      await workload.verify(file, version);
    } catch (error) {
      const safe = version.chunkIds.every((id) => isSafe(parts, id));
      if (safe) world.violate(`${nameOf(file)} cannot be read: ${describeError(error)}`);
      else world.trace.event('simulator', 'lost with its only copy', nameOf(file));
      return 0;
    }
  }
  return 1;
}

/** Whether a box that is still there has said that it is written, or has been said to have a copy of that. */
function isPromised({ faults }: Parts, { acknowledgements }: WrittenFile): boolean {
  const { memberId } = faults.unlucky.identity;
  return acknowledgements.some(
    ({ copies, box }) => copies > 1 || faults.lost === undefined || !equalBytes(box, memberId),
  );
}

/** Where the file is: at its path, or beside it where boxes that were cut off made two of one name. */
function placesOf({ path }: WrittenFile, tree: Map<string, RemoteEntry>): readonly RemoteEntry[] {
  const found: RemoteEntry[] = [];
  for (const [place, entry] of tree) {
    if (entry.kind === 'file' && place.replaceAll(/~[0-9a-f]{8,}/g, '') === `/${path.join('/')}`)
      found.push(entry);
  }
  return found;
}

/** Whether a box that has lost nothing acknowledged the chunk. */
function isSafe({ workload, faults }: Parts, id: Bytes): boolean {
  const unlucky = toHex(faults.unlucky.identity.memberId);
  const holders = [...(workload.holders.get(toHex(id)) ?? [])];
  return !faults.damaged || holders.some((holder) => holder !== unlucky);
}

/** No box answers with other bytes than the id names, and one that has lost nothing has what it acknowledged. */
async function checkServed(
  { world, desktop, workload, faults }: Parts,
  boxes: readonly SimulatedBox[],
  id: Bytes,
): Promise<void> {
  for (const box of boxes) {
    const { memberId } = box.identity;
    try {
      const body = await desktop.ask(memberId, methods.chunkGet, id);
      if (!equalBytes(chunkIdOf(body), id))
        world.violate(`${box.name} serves bytes that are not the chunk's`);
    } catch (error) {
      const lost = hasCode(error, 'CHUNK_NOT_FOUND') || hasCode(error, 'CHUNK_CORRUPT');
      const promised = workload.holders.get(toHex(id))!.has(toHex(memberId));
      const mayLose = faults.damaged && box === faults.unlucky;
      if (!lost || (promised && !mayLose)) {
        world.violate(`${box.name} does not have a chunk that it acknowledged: ${describeError(error)}`);
      }
    }
  }
}
