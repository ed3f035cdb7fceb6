import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Bytes, toHex, utf8 } from '../base/bytes.ts';
import { InlineTaskPool } from '../testing/inline-task-pool.ts';
import { logFixture, openTreeBox, type TreeBox } from '../testing/log-fixture.ts';
import { MemoryLocalFiles } from '../testing/memory-local-files.ts';
import { SeededEntropy } from '../testing/seeded-entropy.ts';
import type { SealSecrets } from './contents/content-sealer.ts';
import { type DownloadEvent, getPath } from './download/download.ts';
import type { PoolTree } from './pool-tree.ts';
import type { RemoteEntry } from './tree/remote-entry.ts';
import { FileSealer, type SealTask } from './upload/seal-task.ts';
import { putPaths, type UploadEvent, type UploadPorts } from './upload/upload.ts';

const random = new SeededEntropy(3);
const secrets: SealSecrets = {
  chunkKeySecret: new Uint8Array(32).fill(4),
  gearTable: new Uint32Array(random.bytes(1024).buffer),
  suite: 'chacha20-poly1305',
  parameters: { minBytes: 512, averageBytes: 1024, maxBytes: 4096 },
};

class MemoryChunks {
  readonly chunks = new Map<string, Bytes>();
  sent = 0;
  chunksMax = Number.POSITIVE_INFINITY;

  async putMany(chunks: readonly { id: Bytes; body: Bytes }[]) {
    for (const { id, body } of chunks) {
      if (this.chunks.size >= this.chunksMax) throw Object.assign(new Error('full'), { code: 'POOL_FULL' });
      this.chunks.set(toHex(id), new Uint8Array(body));
      this.sent++;
    }
    return chunks.map(() => ({ copies: 2 }));
  }

  async get(id: Bytes): Promise<Bytes> {
    const found = this.chunks.get(toHex(id));
    if (found === undefined) throw Object.assign(new Error('gone'), { code: 'CHUNK_NOT_FOUND' });
    return found;
  }
}

interface World {
  readonly box: TreeBox;
  readonly chunks: MemoryChunks;
  readonly files: MemoryLocalFiles;
  readonly sealers: InlineTaskPool;
  readonly tree: PoolTree;
  readonly events: UploadEvent[];
  put(sources: readonly string[], remote?: readonly string[]): ReturnType<typeof putPaths>;
  get(remote: readonly string[], to: string, files?: MemoryLocalFiles): ReturnType<typeof getPath>;
  readonly fetched: DownloadEvent[];
}

function treeOf({ service }: TreeBox): PoolTree {
  return {
    commit: (changes) => service.commit(changes),
    stat: (path) => service.stat(path),
    async *list(path) {
      for (let after: string | undefined; ; ) {
        const { entries, more } = await service.list(path, after, 7);
        yield* entries;
        after = entries.at(-1)?.name;
        if (!more) return;
      }
    },
  };
}

async function newWorld(): Promise<World> {
  const box = await openTreeBox(logFixture(1));
  const files = new MemoryLocalFiles();
  const chunks = new MemoryChunks();
  const sealer = new FileSealer(secrets, files.blocking);
  const sealers = new InlineTaskPool((task: SealTask, { post }) => sealer.run(task, post));
  const events: UploadEvent[] = [];
  const fetched: DownloadEvent[] = [];
  const tree = treeOf(box);
  const ports: UploadPorts = { files, sealers, chunks, tree, clock: box.fixture.clock };
  return {
    box,
    chunks,
    files,
    sealers,
    tree,
    events,
    fetched,
    put: (sources, remote = []) => putPaths(sources, remote, ports, (event) => events.push(event)),
    get: (remote, to, into = files) =>
      getPath(remote, to, { files: into, chunks, tree, entropy: random }, (event) => fetched.push(event)),
  };
}

function fill(files: MemoryLocalFiles): void {
  files
    .directory('/src', 0o750, 111_000)
    .file('/src/empty', new Uint8Array(0))
    .file('/src/small', utf8('small'), 0o600, 222_000)
    .file('/src/edge', random.bytes(4096))
    .file('/src/sub/deep/large', random.bytes(150_000), 0o755, -5000)
    // More than one batch of chunks, and more than the window of the chunker takes at once.
    .file('/src/sub/larger', random.bytes(2_500_000))
    .directory('/src/nothing in it', 0o700, 333_000)
    .link('/src/link', '../elsewhere')
    .link('/src/sub/dangling', '/nowhere')
    .file('/src/FAQ', utf8('upper'))
    .file('/src/faq', utf8('lower'))
    .file('/src/back\\slash: "x"\n', utf8('odd'));
  for (let index = 0; index < 300; index++) files.file(`/src/many/f${index}`, random.bytes(index * 40));
}

function warnings(events: readonly (UploadEvent | DownloadEvent)[]): Record<string, string> {
  return Object.fromEntries(
    events.flatMap((event) => (event.kind === 'warning' ? [[event.path, event.code] as const] : [])),
  );
}

test('a tree that is put and got again is the same: contents, modes, times, links, empty directories', async () => {
  const world = await newWorld();
  fill(world.files);
  const result = await world.put(['/src'], ['backup', 'today']);
  assert.deepEqual(warnings(world.events), {});
  assert.deepEqual([result.files, result.directories, result.links], [308, 5, 2]);
  assert.equal(result.copies, 1);
  const fetched = await world.get(['backup', 'today', 'src'], '/copy');
  assert.equal(fetched.failed, 0);
  assert.deepEqual(world.files.below('/copy'), world.files.below('/src'));
  assert.equal((await world.files.stat('/copy')).mode, 0o750);
  await world.get(['backup', 'today', 'src'], '/copy');
  assert.deepEqual(world.files.below('/copy/src'), world.files.below('/src'));
});

test('what is put again unchanged sends no chunk twice in a put, and writes no log record', async () => {
  const world = await newWorld();
  const same = random.bytes(50_000);
  world.files.file('/src/a', same).file('/src/b', same).file('/src/c', same);
  await world.put(['/src']);
  assert.equal(world.chunks.sent, world.chunks.chunks.size);
  const before = world.box.logs.vector();
  await world.put(['/src']);
  assert.deepEqual(world.box.logs.vector(), before);
});

test('every file is acknowledged once, after its chunks and its record are durable', async () => {
  const world = await newWorld();
  fill(world.files);
  let checked = 0;
  const { files, chunks, sealers, tree, box } = world;
  await putPaths(['/src'], [], { files, chunks, sealers, tree, clock: box.fixture.clock }, (event) => {
    if (event.kind !== 'acknowledged') return;
    checked++;
    assert.ok(box.logs.vector().size > 0);
  });
  assert.equal(checked, 308 + 5 + 2);
});

test('what cannot be read is told and left out; the rest goes on', async () => {
  const world = await newWorld();
  world.files.file('/src/good', utf8('x')).file('/src/secret', utf8('y')).other('/src/socket');
  world.files.file('/src/odd\ufffd', utf8('z')).file('/src/locked/inside', utf8('z'));
  world.files.denied.add('/src/secret').add('/src/locked');
  const result = await world.put(['/src', '/missing']);
  assert.deepEqual(warnings(world.events), {
    '/src/secret': 'LOCAL_DENIED',
    '/src/socket': 'SOURCE_UNSUPPORTED',
    '/src/odd\ufffd': 'PATH_INVALID',
    '/src/locked': 'LOCAL_DENIED',
    '/missing': 'LOCAL_NOT_FOUND',
  });
  assert.deepEqual([result.files, result.skipped], [1, 5]);
  assert.equal((await world.tree.stat(['src', 'good'])).size, 1);
});

test('a change that the pool refuses leaves out that entry alone', async () => {
  const world = await newWorld();
  world.files.file('/first/x/y', utf8('1')).file('/second/x', utf8('2')).file('/second/z', utf8('3'));
  await world.put(['/first/x'], ['d']);
  const result = await world.put(['/second/x', '/second/z'], ['d']);
  assert.deepEqual(warnings(world.events), { '/second/x': 'IS_A_DIRECTORY' });
  assert.equal(result.files, 1);
});

test('a file that changes while it is read is read again; one that goes on changing is told', async () => {
  const world = await newWorld();
  world.files.file('/src/once', random.bytes(9000)).file('/src/always', random.bytes(9000));
  const touched = new Map<string, number>();
  world.files.onRead = (path) => {
    const count = (touched.get(path) ?? 0) + 1;
    touched.set(path, count);
    if (path.endsWith('once') && count > 1) return;
    (world.files.entries.get(path) as { mtimeMs: number }).mtimeMs += 10;
  };
  const result = await world.put(['/src']);
  assert.deepEqual(warnings(world.events), { '/src/always': 'SOURCE_CHANGED' });
  assert.deepEqual([result.files, result.skipped], [2, 0]);
  await world.get(['src', 'once'], '/once');
  assert.deepEqual(
    (world.files.entries.get('/once') as { bytes: Bytes }).bytes,
    (world.files.entries.get('/src/once') as { bytes: Bytes }).bytes,
  );
});

test('when the pool is full the put fails, and what was acknowledged before is whole', async () => {
  const world = await newWorld();
  for (let index = 0; index < 40; index++) world.files.file(`/src/f${index}`, random.bytes(500_000));
  world.chunks.chunksMax = 4000;
  await assert.rejects(world.put(['/src']), { code: 'POOL_FULL' });
  const acknowledged = world.events.flatMap((event) =>
    event.kind === 'acknowledged' && event.file ? [event.path] : [],
  );
  for (const path of acknowledged) {
    await world.get(path.slice(1).split('/'), '/back');
    assert.deepEqual(
      (world.files.entries.get('/back') as { bytes: Bytes }).bytes,
      (world.files.entries.get(path) as { bytes: Bytes }).bytes,
    );
  }
});

test('files of a thread that dies are left out, and told', async () => {
  const world = await newWorld();
  world.files.file('/src/a', random.bytes(9000)).link('/src/b', 'x');
  world.sealers.crashing = true;
  const result = await world.put(['/src']);
  assert.deepEqual(warnings(world.events), { '/src/a': 'TASK_CRASHED' });
  assert.equal(result.links, 1);
});

test('a file is fetched over a file, a link is replaced and never written through', async () => {
  const world = await newWorld();
  world.files.file('/new/x', utf8('new')).file('/new/l', utf8('in the place of a link'));
  await world.put(['/new']);
  world.files
    .file('/person/new/x', utf8('old'))
    .link('/person/new/l', '/person/victim')
    .file('/person/victim', utf8('v'));
  await world.get(['new'], '/person');
  assert.equal((world.files.entries.get('/person/new/x') as { bytes: Bytes }).bytes.length, 3);
  assert.deepEqual((world.files.entries.get('/person/victim') as { bytes: Bytes }).bytes, utf8('v'));
  assert.equal(world.files.entries.get('/person/new/l')?.kind, 'file');
});

/** A pool whose tree is what `entries` says, whatever that is. */
function lyingTree(entries: Readonly<Record<string, readonly Partial<RemoteEntry>[]>>): PoolTree {
  const whole = (entry: Partial<RemoteEntry>): RemoteEntry => ({
    name: '',
    node: new Uint8Array(16),
    kind: 'directory',
    mode: 0o755,
    mtimeMs: 0,
    size: 0,
    ...entry,
  });
  return {
    commit: async () => ({ copies: 1 }),
    stat: async (path) => whole({ name: path.at(-1) ?? '' }),
    async *list(path) {
      yield* (entries[path.join('/')] ?? []).map(whole);
    },
  };
}

test('entries of a hostile pool never reach outside the destination', async () => {
  const world = await newWorld();
  const evil = (name: string): Partial<RemoteEntry> => ({
    name,
    kind: 'file',
    size: 1,
    content: { depth: 0, inline: utf8('!') },
  });
  const tree = lyingTree({
    root: [
      evil('..'),
      evil('../up'),
      evil('/etc/passwd'),
      evil(''),
      evil('a\0b'),
      { name: 'trap', kind: 'symlink', target: '/outside' },
      { name: 'trap', kind: 'directory' },
      { name: 'old', kind: 'directory' },
      evil('good'),
    ],
    'root/trap': [evil('through')],
    'root/old': [evil('through')],
  });
  world.files.directory('/outside').directory('/dest/root').link('/dest/root/old', '/outside');
  const events: DownloadEvent[] = [];
  const ports = { files: world.files, chunks: world.chunks, tree, entropy: random };
  const result = await getPath(['root'], '/dest', ports, (event) => events.push(event));
  assert.equal(result.failed, 7);
  assert.deepEqual(Object.keys(world.files.below('/outside')), []);
  assert.deepEqual(Object.keys(world.files.below('/dest')), ['root', 'root/good', 'root/old', 'root/trap']);
});

test('on a system that folds names, two that it takes for one are both fetched', async () => {
  const world = await newWorld();
  world.files.file('/src/FAQ', utf8('1')).file('/src/faq', utf8('2'));
  await world.put(['/src']);
  const mac = new MemoryLocalFiles({ foldsNames: true });
  await world.get(['src'], '/copy', mac);
  const names = Object.keys(mac.below('/copy'));
  assert.equal(names.length, 2);
  assert.ok(names.includes('FAQ') && names.some((name) => /^faq~[0-9a-f]{8}$/.test(name)), names.join());
});

test('a chunk that is lost or changed fails its file, leaves no part of it, and the rest goes on', async () => {
  const world = await newWorld();
  world.files
    .file('/src/a', random.bytes(20_000))
    .file('/src/b', random.bytes(20_000))
    .file('/src/c', utf8('c'));
  await world.put(['/src/a']);
  const [lost, changed] = [...world.chunks.chunks.keys()];
  await world.put(['/src/b', '/src/c']);
  world.chunks.chunks.delete(lost!);
  const ofB = [...world.chunks.chunks.keys()].at(-1)!;
  world.chunks.chunks.get(ofB)![12]! ^= 1;
  const result = await world.get([], '/copy');
  assert.ok(changed !== undefined);
  assert.deepEqual(warnings(world.fetched), { '/copy/a': 'CHUNK_NOT_FOUND', '/copy/b': 'CHUNK_CORRUPT' });
  assert.deepEqual([result.files, result.failed], [1, 2]);
  assert.deepEqual(Object.keys(world.files.below('/copy')), ['c']);
});

test('a chunk that only a box which is off may have costs its file; a pool that is away ends the download', async () => {
  const silence = (silent: number) =>
    Object.assign(new Error('away'), { code: 'POOL_UNREACHABLE', fields: { boxes: 2, silent } });
  for (const [silent, ends] of [
    [1, false],
    [2, true],
  ] as const) {
    const world = await newWorld();
    world.files.file('/src/large', random.bytes(20_000)).file('/src/small', utf8('inline'));
    await world.put(['/src']);
    world.chunks.get = async () => Promise.reject(silence(silent));
    const got = world.get(['src'], '/back');
    if (ends) await assert.rejects(got, { code: 'POOL_UNREACHABLE' });
    else assert.equal((await got).failed, 1);
  }
});

test('a full local disk ends the download with its error', async () => {
  const world = await newWorld();
  world.files.file('/src/a', random.bytes(20_000)).file('/src/b', random.bytes(20_000));
  await world.put(['/src']);
  world.files.freeBytes = 5000;
  await assert.rejects(world.get(['src'], '/copy'), { code: 'LOCAL_FULL' });
  await assert.rejects(world.get(['nothing'], '/copy'), { code: 'PATH_NOT_FOUND' });
});

test('a file of the pool that is called like the unfinished copy of another does not get into its place', async () => {
  const world = await newWorld();
  world.files.file('/src/x', utf8('wanted')).file('/src/.x.aether-part', utf8('left by an interrupted get'));
  await world.put(['/src']);
  const result = await world.get(['src'], '/back');
  assert.deepEqual([result.files, result.failed], [2, 0]);
  const { x } = world.files.below('/back') as Record<string, { readonly bytes?: Bytes }>;
  assert.deepEqual(x?.bytes, utf8('wanted'));
});
