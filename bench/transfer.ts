import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cpuSecondsOf, type Program, thisMachine } from '../scripts/lan/processes.ts';
import { silentLog } from '../src/base/log.ts';
import { NodeClock } from '../src/platform/node-clock.ts';
import { nodeEntropy } from '../src/platform/node-entropy.ts';
import { TlsTransport } from '../src/platform/tls-transport.ts';
import { createIdentity } from '../src/pool/identity.ts';
import { dial } from '../src/pool/transfer/dial.ts';
import { methods } from '../src/pool/transfer/methods.ts';
import type { PeerConnection } from '../src/pool/transfer/peer-connection.ts';
import { chunkIdOf } from '../src/store/seal.ts';
import {
  type BenchContext,
  type Benchmark,
  comparisonRow,
  measure,
  type Row,
  type Sample,
} from './harness.ts';
import { startNginx } from './nginx.ts';
import { openDispatcher, transferChunk } from './transfer-parts.ts';

/** One size of chunk: how many different ones there are, and how they are asked for. */
interface Load {
  readonly name: string;
  readonly size: number;
  readonly chunks: number;
  readonly requests: number;
  /** Requests that wait for their answer at once: ours on one connection, nginx's on four. */
  readonly inFlight: number;
}

const loads: readonly Load[] = [
  { name: '256 KiB', size: 256 * 1024, chunks: 64, requests: 4096, inFlight: 16 },
  { name: '4 KiB', size: 4096, chunks: 1024, requests: 60_000, inFlight: 64 },
];

const nginxConnections = 4;

interface Run {
  readonly server: Sample;
  readonly client: Sample;
}

/**
 * Chunks read over TLS 1.3 on this machine from memory (tmpfs): our frames, one connection, against nginx with a C
 * client that does the least a client can. Server and client are processes of their own, measured apart; what is
 * asked for is what the server moves per second of its processor time.
 */
export const transferBenchmark: Benchmark = {
  name: 'transfer',
  about: 'chunks over TLS against nginx: per CPU-second of the server, of the client, and per second',
  async run(context: BenchContext): Promise<readonly Row[]> {
    const folder = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'aether-bench-'));
    const programs: Program[] = [];
    try {
      const ours = await startOurs(folder);
      programs.push(ours.program);
      const nginx = await startNginxWithChunks(folder);
      programs.push(nginx.program);
      const rows: Row[] = [];
      for (const load of loads) {
        const { ours: own, theirs } = await context.runPairs(`transfer ${load.name}`, 5, {
          runOurs: () => runOurs(ours, load),
          runPeer: () => runNginx(context, nginx, load),
        });
        rows.push(...rowsOf(load, own, theirs));
      }
      ours.connection.close();
      return rows;
    } finally {
      for (const program of programs) await program.stop();
      rmSync(folder, { recursive: true, force: true });
    }
  },
};

function rowsOf(load: Load, ours: readonly Run[], theirs: readonly Run[]): readonly Row[] {
  const common = { rounds: ours.length, unit: load.size > 65_536 ? 'bytes' : 'requests' } as const;
  const row = (
    what: string,
    peer: string,
    pick: (run: Run) => Sample,
    view: { per: 'second' | 'CPU-second'; target?: number },
  ) =>
    comparisonRow(
      { name: `transfer ${load.name}${what}`, peer, ...common, ...view },
      ours.map(pick),
      theirs.map(pick),
    );
  return [
    row('', 'nginx over TLS 1.3', (run) => run.server, { per: 'CPU-second', target: 1 }),
    row(', client', 'C client of nginx', (run) => run.client, { per: 'CPU-second' }),
    row(', by the wall', 'nginx and its client', (run) => run.client, { per: 'second' }),
  ];
}

async function startOurs(folder: string): Promise<{ program: Program; connection: PeerConnection }> {
  const shape = loads.flatMap((load) => [String(load.chunks), String(load.size)]);
  const script = join(import.meta.dirname, 'transfer-server.ts');
  const program = thisMachine.start(process.execPath, [script, join(folder, 'volume'), ...shape]);
  const { port } = await program.firstLine((line) => JSON.parse(line) as { port: number }, 60_000);
  const clock = new NodeClock();
  const identity = await createIdentity(clock, nodeEntropy);
  const options = {
    transport: new TlsTransport(identity),
    dispatcher: openDispatcher('desktop'),
    pool: () => undefined,
  };
  const ports = { clock, log: silentLog };
  return { program, connection: await dial({ host: '127.0.0.1', port }, undefined, options, ports) };
}

async function runOurs(
  { program, connection }: { program: Program; connection: PeerConnection },
  load: Load,
): Promise<Run> {
  const ids = Array.from({ length: load.chunks }, (_, number) => chunkIdOf(transferChunk(load.size, number)));
  let next = 0;
  let bytes = 0;
  const lane = async () => {
    while (next < load.requests) {
      const answer = await connection.request(methods.chunkGet, ids[next++ % ids.length]!);
      bytes += answer.length;
    }
  };
  const serverBefore = cpuSecondsOf(program.pid);
  const client = await measure(unitsOf(load), () => Promise.all(Array.from({ length: load.inFlight }, lane)));
  checkBytes(bytes, load);
  return { client, server: { ...client, cpuSeconds: cpuSecondsOf(program.pid) - serverBefore } };
}

async function startNginxWithChunks(folder: string): Promise<{ port: number; program: Program }> {
  const files = join(folder, 'nginx', 'files');
  mkdirSync(files, { recursive: true });
  for (const load of loads) {
    for (let number = 0; number < load.chunks; number++) {
      writeFileSync(join(files, `${load.size}-${number}`), transferChunk(load.size, number));
    }
  }
  return startNginx(join(folder, 'nginx'));
}

async function runNginx(
  context: BenchContext,
  { program, port }: { program: Program; port: number },
  load: Load,
): Promise<Run> {
  const serverBefore = cpuSecondsOf(program.pid);
  const depth = load.inFlight / nginxConnections;
  const answer = await context.runPeer(
    'https-get',
    [port, nginxConnections, depth, load.requests, load.chunks, `${load.size}-`],
    ['ssl', 'crypto', 'pthread'],
  );
  checkBytes(answer.units, load);
  const client = { ...answer, units: unitsOf(load) };
  return { client, server: { ...client, cpuSeconds: cpuSecondsOf(program.pid) - serverBefore } };
}

/** Bytes for large chunks, requests for small ones. */
function unitsOf(load: Load): number {
  return load.size > 65_536 ? load.requests * load.size : load.requests;
}

function checkBytes(bytes: number, load: Load): void {
  if (bytes !== load.requests * load.size)
    throw new Error(`${bytes} bytes came of ${load.requests * load.size}`);
}
