import { LogRing } from '../base/log.ts';
import type { ConsoleContext } from '../device/console/command.ts';
import { filesError } from '../files/files-error.ts';
import type { RemoteEntry } from '../files/tree/remote-entry.ts';
import { conditionsOf } from '../status/conditions.ts';
import { type ApplianceFacts, noUpdate } from '../status/facts.ts';
import { emptyHistory, stepHistory } from '../status/history.ts';
import { diskFacts, healthyFacts, peerFacts, unclaimedFacts, volumeFacts } from './appliance-facts.ts';
import { NotingControl } from './noting-control.ts';

/** Boxes as consoles are tried with. */
export const consoleBoxes: Readonly<Record<string, ApplianceFacts>> = {
  healthy: healthyFacts,
  unclaimed: unclaimedFacts,
  'bare-cable': {
    ...unclaimedFacts,
    network: {
      ...healthyFacts.network,
      interfaces: [
        {
          name: 'eth0',
          addresses: [
            { address: '169.254.7.9', origin: 'link-local' },
            { address: 'fe80::3f2a', origin: 'link-local' },
          ],
          linkLocal: { phase: 'held', address: '169.254.7.9', reason: null, conflicts: 2 },
        },
        {
          name: 'eth1',
          addresses: [],
          linkLocal: { phase: 'waiting', address: null, reason: null, conflicts: 0 },
        },
      ],
      conflicts: { count: 1, lastAgoMs: 190_000, lastFrom: '169.254.7.10' },
      refused: { malformed: 12, offLink: 3, arp: 1 },
      heard: [],
      sharesPortWith: ['avahi-daemon'],
    },
  },
  troubled: {
    ...healthyFacts,
    volumes: [
      volumeFacts('disk1', { state: 'failed', error: 'input/output error' }),
      volumeFacts('disk2', { usedBytes: 920 * 1024 ** 3, corruptRecords: 2 }),
    ],
    disks: [
      diskFacts('sda', {
        volume: 'disk1',
        errorsPerHour: 7,
        smart: { passed: false, warnings: [], temperatureCelsius: 61, powerOnHours: 40_100 },
      }),
      diskFacts('sdb', { volume: 'disk2' }),
      diskFacts('sdc', { role: 'blank', content: null, model: 'WD Elements 2620', smart: null }),
      diskFacts('sdd', { role: 'foreign', content: 'ext4 file system "photos"', model: null, smart: null }),
    ],
    peers: [
      peerFacts('aether-7b10', { reachable: false, address: '192.0.2.7:4000', lastSeenAgoMs: 3_700_000 }),
      peerFacts('aether-c4e9', { address: '192.0.2.9:4000' }),
    ],
    copies: { missing: 1204, copying: true },
    update: { ...noUpdate, state: 'staged', version: '0.2.0' },
  },
  scheduled: {
    ...healthyFacts,
    update: { ...noUpdate, state: 'staged', version: '0.2.0', atMs: Date.UTC(2026, 0, 2, 3, 30) },
  },
  'not-updated': {
    ...healthyFacts,
    update: { ...noUpdate, state: 'staged', version: '0.2.0', reason: 'the card is full' },
  },
  'not-to-be-updated': { ...healthyFacts, update: { ...noUpdate, reason: 'the updater does not answer' } },
};

/** When transcripts were written: where a fake clock begins. */
export const consoleWallMs = Date.UTC(2026, 0, 1);

/** A console's box, with files in it and a broker beside it, that notes what it was asked for. */
export class ConsoleFixture {
  readonly control = new NotingControl();
  readonly log = new LogRing(100);
  readonly context: ConsoleContext;
  #approved: string | null = null;

  /** `wallMs`: when it is; the box has been like this for an hour, and a login code was just made. */
  constructor(facts: ApplianceFacts = healthyFacts, wallMs = consoleWallMs) {
    this.control.set(facts);
    this.control.events = stepHistory(emptyHistory, conditionsOf(facts), wallMs - 3_600_000).events;
    this.control.code = { code: '4821-9930', expiresAtMs: facts.pool === null ? null : wallMs + 600_000 };
    this.context = {
      control: this.control,
      log: this.log,
      files: () => (facts.pool === null ? undefined : { list: async (path) => listing(path) }),
      broker: {
        state: () => ({
          phase: this.#approved === null ? 'off' : 'connected',
          broker: this.#approved,
          error: null,
        }),
        found: () => [
          { instance: 'mosquitto on nas', host: 'nas.local', port: 1883, approved: this.#approved !== null },
        ],
        approve: async () => {
          this.#approved = 'mqtt://nas.local:1883';
        },
        forget: async () => {
          this.#approved = null;
        },
      },
    };
  }
}

function listing(path: readonly string[]) {
  if (path.length > 0) throw filesError('PATH_NOT_FOUND', 'there is nothing there');
  return { entries: [entry('photos', 'directory', 0), entry('harbour.jpg', 'file', 4_800_000)], more: false };
}

function entry(name: string, kind: RemoteEntry['kind'], size: number): RemoteEntry {
  const mtimeMs = Date.UTC(2026, 10, 23, 15, 41);
  return { name, kind, size, mtimeMs, mode: 0o644, node: new Uint8Array(16) };
}
