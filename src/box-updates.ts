import type { Bytes } from './base/bytes.ts';
import { CborFields, encodeCbor } from './base/cbor.ts';
import { AetherError, describeError, hasCode, messageOf } from './base/errors.ts';
import {
  bundlePartBytes,
  stickLookMs,
  updateOfferPeriodMs,
  updaterRetryMs,
  updaterTriesQuiet,
} from './base/face-limits.ts';
import type { Log } from './base/log.ts';
import { dataFormat } from './base/version.ts';
import type { Box } from './box.ts';
import type { BoxControlPorts, BoxUpdates } from './box-control.ts';
import { BundleShelf, bundlePath, incomingPath } from './device/update/bundle-shelf.ts';
import { PeerBundle } from './device/update/peer-bundle.ts';
import { compareVersions } from './device/update/update-policy.ts';
import { type BundleSource, type Candidate, Updater } from './device/update/updater.ts';
import { methods } from './pool/transfer/methods.ts';
import type { BootSlots } from './ports/boot-slots.ts';
import { type Clock, every, sleep, type Timer } from './ports/clock.ts';
import type { Disk } from './ports/disk.ts';
import type { HttpServer } from './ports/http-server.ts';
import type { UpdateFacts } from './status/facts.ts';

export interface BoxUpdatesOptions {
  /** Where bundles are kept: the folder as the installer knows it. */
  readonly folder: string;
  readonly restartMachine: () => Promise<void>;
  /** Of the system that runs. */
  readonly version: string;
  /** Nothing else of the box runs (safe mode), and no box is attached. */
  readonly alone: boolean;
}

export interface BoxUpdatesPorts extends BoxControlPorts {
  readonly slots: BootSlots;
  /** The same folder as a disk. */
  readonly updatesDisk: Disk;
  readonly server: HttpServer;
}

/** What updates need of a box. */
export type UpdatedBox = Pick<Box, 'handle' | 'ask' | 'status'> & {
  readonly disks: { readonly store: Pick<Box['disks']['store'], 'unreadable'> };
};

type Wanted = Pick<Candidate, 'atMs' | 'older' | 'unasked'>;

/** A version that a box of the pool runs, and can give. */
interface Offer {
  readonly version: string;
  readonly totalBytes: number;
}

/**
 * Updates of an appliance: bundles that desktops and browsers send, that memory sticks bring, and that other boxes of the
 * pool have. A box offers others only what it runs itself and has found good (docs/updates.md).
 */
export class ApplianceUpdates implements BoxUpdates {
  readonly #options: BoxUpdatesOptions;
  readonly #ports: BoxUpdatesPorts;
  readonly #shelf: BundleShelf;
  readonly #timers: Timer[] = [];
  readonly #listeners = new Set<() => void>();
  #updater: Updater | undefined;
  #box: UpdatedBox | undefined;
  /** `edition`: that of the bundle on the shelf. */
  #offered: (Offer & { readonly edition: number }) | undefined;
  /** Why what a memory stick brought last was not taken. */
  #stickProblem: string | null = null;

  private constructor(options: BoxUpdatesOptions, ports: BoxUpdatesPorts, shelf: BundleShelf) {
    this.#options = options;
    this.#ports = ports;
    this.#shelf = shelf;
  }

  /** Finds out how the last update went. Errors: `UPDATER_UNAVAILABLE`. */
  static async open(options: BoxUpdatesOptions, ports: BoxUpdatesPorts): Promise<ApplianceUpdates> {
    const { slots, updatesDisk } = ports;
    const { compatible } = await slots.state();
    const log = ports.log.part('update');
    const shelf = await BundleShelf.open(updatesDisk, log, () => updates.#ownUpdater);
    const updates = new ApplianceUpdates(options, ports, shelf);
    const { version, alone, restartMachine } = options;
    updates.#updater = await Updater.open(
      {
        running: { compatible, version, dataFormat },
        alone,
        source: (from) => updates.#source(from),
        restartMachine,
      },
      { ...ports, disk: updatesDisk, log },
    );
    updates.#updater.onChange(() => updates.#changed());
    return updates;
  }

  /** Begins to look after `box`, whose health tells whether the system that runs works, and to answer its pool. */
  attach(box: UpdatedBox): void {
    const { clock } = this.#ports;
    this.#box = box;
    box.handle(methods.updateOffer, () => this.#answerOffer());
    box.handle(methods.updateRead, (payload) => this.#answerRead(CborFields.decode(payload)));
    box.handle(methods.updatePut, (payload) => this.#answerPut(CborFields.decode(payload)));
    box.handle(methods.updateStage, (payload) => this.#answerStage(CborFields.decode(payload)));
    box.handle(methods.updateInstall, async () => {
      await this.install();
      return encodeCbor({});
    });
    this.#timers.push(every(clock, updateOfferPeriodMs, () => this.#askOthers()));
    this.start();
    this.#ownUpdater.attach({
      status: () => box.status(),
      unreadable: () => box.disks.store.unreadable(),
    });
    void this.#offerOwn();
  }

  /** Looks for memory sticks, and at the hour that was set. */
  start(): void {
    this.#timers.push(every(this.#ports.clock, stickLookMs, () => this.#lookAtSticks()));
    this.#ownUpdater.start();
  }

  facts(): UpdateFacts {
    return { ...this.#ownUpdater.facts(), stickProblem: this.#stickProblem };
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  install(): Promise<void> {
    return this.#ownUpdater.install();
  }

  /** Takes a bundle that a browser sends, and stages it. Errors: those of the shelf and of `Updater.stage`. */
  async receive(totalBytes: number, body: AsyncIterable<Bytes>): Promise<string> {
    await this.#shelf.receive(totalBytes, body);
    return this.#stageIncoming({});
  }

  async close(): Promise<void> {
    for (const timer of this.#timers) timer.cancel();
    await this.#updater?.close();
    await this.#shelf.close();
  }

  get #ownUpdater(): Updater {
    if (this.#updater === undefined) throw new Error('updates are opened before they are used');
    return this.#updater;
  }

  #opened(): UpdatedBox {
    if (this.#box === undefined) throw new AetherError('BOX_STARTING', 'the box is still starting');
    return this.#box;
  }

  /** A file of the shelf becomes the bundle that is kept, when it is good; else it goes. */
  async #stageFile(path: string, wanted: Wanted, complete = () => Promise.resolve()): Promise<string> {
    try {
      const bundle = await this.#ownUpdater.stage({
        ...wanted,
        from: null,
        open: async () => {
          await complete();
          return this.#file(path);
        },
        keep: (version) => this.#shelf.keep(path, version),
      });
      this.#tellOfStick(null);
      return bundle.version;
    } catch (error) {
      // Somebody else's may be looked into at this moment; and a stick's is looked into again when the updater answers.
      const isKept =
        hasCode(error, 'UPDATE_BUSY') || (path !== incomingPath && hasCode(error, 'UPDATER_UNAVAILABLE'));
      if (!isKept) await this.#shelf.drop(path);
      throw error;
    }
  }

  /** What was sent is whole, and is looked into before anybody can send something else. */
  #stageIncoming(wanted: Wanted): Promise<string> {
    return this.#stageFile(incomingPath, wanted, () => this.#shelf.complete());
  }

  async #source(from: string | null): Promise<BundleSource> {
    if (from === null) return this.#file(bundlePath);
    const offer = await this.#offerOf(from);
    if (offer === undefined) {
      throw new AetherError('UPDATE_GONE', 'the box that had the update has it no longer', {
        help: 'Send the update to this box itself.',
      });
    }
    return this.#peerBundle(from, offer);
  }

  #file(path: string): BundleSource {
    return { place: `${this.#options.folder}/${path}`, close: () => Promise.resolve() };
  }

  #peerBundle(from: string, { totalBytes }: Offer): Promise<BundleSource> {
    const log = this.#ports.log.part('update');
    return PeerBundle.open(
      {
        totalBytes,
        read: async (offset, bytes) => {
          const answer = await this.#opened().ask(from, methods.updateRead, encodeCbor({ offset, bytes }));
          if (answer.length === bytes) return answer;
          throw new AetherError('UPDATE_GONE', 'the other box has another update now');
        },
      },
      { ...this.#ports, log },
    );
  }

  /** What this box runs is offered to others once it is known to work. */
  async #offerOwn(): Promise<void> {
    try {
      const { edition } = this.#shelf;
      const totalBytes = await this.#shelf.sizeBytes();
      if (totalBytes === undefined) return;
      const { version } = this.#options;
      if ((await this.#shelf.version()) === version) this.#offered = { version, totalBytes, edition };
    } catch (error) {
      this.#ports.log.part('update').info('nothing to offer to others', { reason: describeError(error) });
    }
  }

  async #answerOffer(): Promise<Bytes> {
    const offered = this.#offered;
    if (!this.#ownUpdater.isProven || offered?.edition !== this.#shelf.edition) return encodeCbor({});
    return encodeCbor({ version: offered.version, totalBytes: offered.totalBytes });
  }

  async #answerRead(fields: CborFields): Promise<Bytes> {
    const bytes = Math.min(bundlePartBytes, fields.count('bytes'));
    const read = await this.#shelf.read(fields.count('offset'), bytes);
    if (read === undefined) throw new AetherError('UPDATE_GONE', 'this box keeps no update');
    return read;
  }

  async #answerPut(fields: CborFields): Promise<Bytes> {
    this.#ownUpdater.requireIdle();
    const received = await this.#shelf.put(
      fields.count('offset'),
      fields.count('totalBytes'),
      fields.bytes('bytes'),
    );
    return encodeCbor({ received });
  }

  async #answerStage(fields: CborFields): Promise<Bytes> {
    const staged = await this.#stageIncoming({
      older: fields.flag('older'),
      atMs: fields.has('atMs') ? fields.count('atMs') : null,
    });
    return encodeCbor({ version: staged });
  }

  async #lookAtSticks(): Promise<void> {
    try {
      const { bundles, problems } = await this.#shelf.fromSticks();
      for (const reason of problems) {
        this.#ports.log.part('update').warn('memory stick not taken', { reason });
        this.#tellOfStick(reason);
      }
      for (const path of bundles) {
        const refused = await this.#unlessKnown('a memory stick', async () => {
          await this.#stageFile(path, { unasked: true });
        });
        // One that was left in is older some day.
        if (refused !== undefined && !hasCode(refused, 'UPDATE_OLDER')) this.#tellOfStick(messageOf(refused));
      }
    } catch (error) {
      this.#ports.log.part('update').warn('memory sticks not looked at', { reason: describeError(error) });
    }
  }

  #tellOfStick(problem: string | null): void {
    if (problem === this.#stickProblem) return;
    this.#stickProblem = problem;
    this.#changed();
  }

  #changed(): void {
    for (const listener of this.#listeners) listener();
  }

  /** Looks for a newer version in the pool, unless one is here that a person has chosen, or is being installed. */
  async #askOthers(): Promise<void> {
    const { state, version } = this.facts();
    const { stagedFrom } = this.#ownUpdater;
    if (state !== 'none' && state !== 'rolled-back' && stagedFrom === undefined) return;
    const { peers } = this.#opened().status();
    const offers = new Map<string, Offer | undefined>();
    for (const { memberId, reachable } of peers) {
      if (!reachable) continue;
      await this.#unlessKnown('another box', async () => {
        offers.set(memberId, await this.#offerOf(memberId));
      });
    }
    // Boxes that do not answer take their time: meanwhile somebody may have sent one.
    if (this.facts().version !== version || this.#ownUpdater.stagedFrom !== stagedFrom) return;
    const isThere = stagedFrom !== undefined && offers.get(stagedFrom)?.version === version;
    const isMember = peers.some(({ memberId }) => memberId === stagedFrom);
    if (stagedFrom !== undefined && version !== null && !isThere && (offers.has(stagedFrom) || !isMember)) {
      await this.#unlessKnown('another box', () => this.#ownUpdater.lost({ from: stagedFrom, version }));
    }
    // One that waits is replaced by a newer one, or by itself on a box that answers; one that failed by a newer one only.
    const again = stagedFrom !== undefined && !isThere;
    const wanted = [...offers].filter(
      ([, offer]) =>
        offer !== undefined &&
        isNewer(offer.version, this.#options.version) &&
        (version === null || isNewer(offer.version, version) || (again && offer.version === version)),
    );
    for (const [memberId, offer] of wanted) {
      const open = () => this.#peerBundle(memberId, offer!);
      await this.#unlessKnown('another box', async () => {
        await this.#ownUpdater.stage({ from: memberId, open, unasked: true });
      });
      if (this.#ownUpdater.stagedFrom === memberId) return;
    }
  }

  /** What is not taken is told of and returned, but for what people have heard of, and what is tried again soon. */
  async #unlessKnown(of: string, action: () => Promise<void>): Promise<AetherError | undefined> {
    try {
      await action();
      return undefined;
    } catch (error) {
      if (!(error instanceof AetherError)) throw error;
      const quiet = ['METHOD_UNKNOWN', 'UPDATE_KNOWN', 'UPDATE_BUSY', 'UPDATER_UNAVAILABLE'];
      if (quiet.some((code) => hasCode(error, code))) return undefined;
      this.#ports.log.part('update').warn('update not taken', { of, reason: describeError(error) });
      return error;
    }
  }

  async #offerOf(memberId: string): Promise<Offer | undefined> {
    const fields = CborFields.decode(
      await this.#opened().ask(memberId, methods.updateOffer, new Uint8Array(0)),
    );
    if (!fields.has('version')) return undefined;
    return { version: fields.text('version'), totalBytes: fields.count('totalBytes') };
  }
}

function isNewer(version: string, than: string): boolean {
  return compareVersions(version, than) > 0;
}

/**
 * Opens the updates of a machine that is still starting: its installer may not be there yet. A box that cannot be updated
 * is a box all the same: after some tries `tell` hears why. Undefined when somebody `asked` it to end first.
 */
export async function openPatiently(
  open: () => Promise<ApplianceUpdates | undefined>,
  asked: Promise<void>,
  { clock, log }: { readonly clock: Clock; readonly log: Log },
  tell: (reason: string) => void,
): Promise<ApplianceUpdates | undefined> {
  let ended = false;
  void asked.then(() => {
    ended = true;
  });
  for (let tries = 0; !ended; tries++) {
    try {
      const opening = open();
      const opened = await Promise.race([opening, asked.then(() => undefined)]);
      // Whoever asks is not let wait for an installer that does not answer.
      if (ended)
        opening.then(
          (late) => late?.close(),
          () => {},
        );
      return opened;
    } catch (error) {
      if (!(error instanceof AetherError)) throw error;
      if (tries === updaterTriesQuiet) {
        log.error('this box cannot be updated', { reason: describeError(error) });
        tell(messageOf(error));
      }
      await Promise.race([sleep(clock, updaterRetryMs), asked]);
    }
  }
  return undefined;
}
