import { WebFace } from '../../src/access/web/web-face.ts';
import { silentLog } from '../../src/base/log.ts';
import { NodeClock } from '../../src/platform/node-clock.ts';
import { nodeEntropy } from '../../src/platform/node-entropy.ts';
import { NodeHttpServer } from '../../src/platform/node-http-server.ts';
import { prometheusText } from '../../src/platform/prometheus.ts';
import { readWebAssets } from '../../src/platform/web-assets.ts';
import { loadOrCreateWebCertificate } from '../../src/pool/web-certificate.ts';
import { foldStatus } from '../../src/status/appliance-status.ts';
import { conditionsOf } from '../../src/status/conditions.ts';
import { type ApplianceFacts, noUpdate } from '../../src/status/facts.ts';
import { emptyHistory, stepHistory } from '../../src/status/history.ts';
import {
  boxFacts,
  diskFacts,
  healthyFacts,
  peerFacts,
  unclaimedFacts,
  volumeFacts,
} from '../../src/testing/appliance-facts.ts';
import { MemoryDisk } from '../../src/testing/memory-disk.ts';
import { NotingControl } from '../../src/testing/noting-control.ts';
import { SeededEntropy } from '../../src/testing/seeded-entropy.ts';

const gibibyte = 1024 ** 3;

/** The states of a box that its page is shown in. */
export const pageStates: Readonly<Record<string, ApplianceFacts>> = {
  healthy: healthyFacts,
  unclaimed: unclaimedFacts,
  degraded: {
    ...healthyFacts,
    volumes: [
      volumeFacts('disk1', { state: 'missing', capacityBytes: 0, usedBytes: 0 }),
      volumeFacts('disk2'),
    ],
    disks: [
      diskFacts('sdb', { volume: 'disk2' }),
      diskFacts('sdc', { role: 'blank', content: null, serial: null }),
    ],
    peers: [
      peerFacts('aether-7b10', { reachable: false, address: '192.0.2.7:4000', lastSeenAgoMs: 3_700_000 }),
      peerFacts('aether-c4e9', { address: '192.0.2.9:4000' }),
    ],
    copies: { missing: 1204, copying: true },
    work: [
      {
        kind: 'retire',
        subject: 'disk2',
        doneBytes: 220 * gibibyte,
        totalBytes: 512 * gibibyte,
        sinceMs: 1_500_000,
      },
    ],
  },
  updating: {
    ...healthyFacts,
    box: boxFacts({ phase: 'updating' }),
    update: { ...noUpdate, state: 'installing', version: '0.2.0', progressPercent: 43 },
  },
};

/** A page whose box is in whatever state a test sets. */
export class StatePage {
  readonly control: NotingControl;
  readonly port: number;
  readonly code = '4821-9930';
  readonly #close: () => Promise<void>;

  private constructor(control: NotingControl, port: number, close: () => Promise<void>) {
    this.control = control;
    this.port = port;
    this.#close = close;
  }

  static async start(facts: ApplianceFacts): Promise<StatePage> {
    const ports = { clock: new NodeClock(), entropy: nodeEntropy, log: silentLog };
    const control = new NotingControl();
    control.set(facts);
    control.pin = '4821-9930';
    control.events = historyOf(facts);
    const entry = { claimed: facts.pool !== null, prove: refuse, newPool: refuseNow };
    const face = new WebFace(
      {
        control,
        entry,
        files: () => undefined,
        assets: await readWebAssets(),
        metrics: prometheusText,
        metricsToken: () => undefined,
      },
      ports,
    );
    const disk = new MemoryDisk({ entropy: new SeededEntropy(1) });
    const certificate = await loadOrCreateWebCertificate('aether-3f2a.local', { ...ports, disk });
    const listener = await new NodeHttpServer(ports).listen(
      { host: '127.0.0.1', port: 0 },
      certificate,
      (request) => face.handle(request),
    );
    return new StatePage(control, listener.port, () => listener.close());
  }

  get url(): string {
    return `https://127.0.0.1:${this.port}/`;
  }

  close(): Promise<void> {
    return this.#close();
  }
}

/** As if the state had begun at eight in the morning, after a disk had once been nearly full. */
function historyOf(facts: ApplianceFacts) {
  const startMs = Date.UTC(2026, 10, 24, 8);
  const full = [volumeFacts('disk1', { usedBytes: 900 * gibibyte })];
  const before = stepHistory(
    emptyHistory,
    conditionsOf({ ...healthyFacts, volumes: full }),
    startMs - 86_400_000,
  );
  const after = stepHistory(before, [], startMs - 80_000_000);
  return stepHistory(after, foldStatus(facts).conditions, startMs).events;
}

function refuse(): Promise<never> {
  return Promise.reject(new Error('this page has no box behind it'));
}

function refuseNow(): never {
  throw new Error('this page has no box behind it');
}
