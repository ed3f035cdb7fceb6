import { type Bytes, utf8 } from '../base/bytes.ts';
import { CborFields, encodeCbor } from '../base/cbor.ts';
import { gateCrashFreeMs, stickLookMs } from '../base/face-limits.ts';
import { silentLog } from '../base/log.ts';
import { releasedMs } from '../base/version.ts';
import { ApplianceUpdates, type UpdatedBox } from '../box-updates.ts';
import { methods } from '../pool/transfer/methods.ts';
import type { RequestHandler } from '../pool/transfer/peer-dispatcher.ts';
import type { HttpServer } from '../ports/http-server.ts';
import { foldStatus } from '../status/appliance-status.ts';
import { healthyFacts, peerFacts } from './appliance-facts.ts';
import { FakeBootSlots } from './fake-boot-slots.ts';
import { FakeClock, settle } from './fake-clock.ts';
import { MemoryDisk } from './memory-disk.ts';
import { SeededEntropy } from './seeded-entropy.ts';

export const bundle = new SeededEntropy(9).bytes(5000);
export const facts = (version: string) => ({ compatible: 'aetherstore-arm64', version, dataFormat: 1 });

/** Boxes of one pool, as far as updates need them; they ask each other by name, which is a member id: hexadecimal. */
export class UpdatingPool {
  readonly clock = new FakeClock(releasedMs);
  readonly boxes = new Map<string, UpdatingBox>();

  async add(name: string, version: string): Promise<UpdatingBox> {
    const box = new UpdatingBox(this, name, version);
    this.boxes.set(name, box);
    await box.open();
    return box;
  }

  /** A box that runs `version`, has found it good, and has its bundle. */
  async addGiver(name: string, version: string): Promise<UpdatingBox> {
    const box = new UpdatingBox(this, name, version);
    await box.keepBundle('bundle.raucb', version);
    this.boxes.set(name, box);
    await box.open();
    await this.clock.run(gateCrashFreeMs + stickLookMs);
    return box;
  }
}

export class UpdatingBox implements UpdatedBox {
  readonly slots = new FakeBootSlots();
  readonly disk = new MemoryDisk({ entropy: new SeededEntropy(1) });
  readonly disks = { store: { unreadable: () => Promise.resolve([]) } };
  updates!: ApplianceUpdates;
  readonly #pool: UpdatingPool;
  readonly #name: string;
  readonly #version: string;
  readonly #handlers = new Map<number, RequestHandler>();

  constructor(pool: UpdatingPool, name: string, version: string) {
    this.#pool = pool;
    this.#name = name;
    this.#version = version;
  }

  async open(): Promise<void> {
    // What is at a URL of this computer is another box's bundle.
    const server: HttpServer = {
      listen: async (_address, _certificate, handler) => {
        this.slots.streamed = handler;
        return { port: 1, close: () => Promise.resolve() };
      },
    };
    this.updates = await ApplianceUpdates.open(
      { folder: '/updates', version: this.#version, alone: false, restartMachine: () => Promise.resolve() },
      {
        slots: this.slots,
        updatesDisk: this.disk,
        stateDisk: new MemoryDisk({ entropy: new SeededEntropy(2) }),
        server,
        clock: this.#pool.clock,
        entropy: new SeededEntropy(4),
        log: silentLog,
      },
    );
    this.updates.attach(this);
    await settle();
  }

  handle(method: number, handler: RequestHandler): void {
    this.#handlers.set(method, handler);
  }

  status() {
    const others = [...this.#pool.boxes.keys()].filter((name) => name !== this.#name);
    return foldStatus({ ...healthyFacts, peers: others.map((name) => peerFacts(name, { memberId: name })) });
  }

  ask(memberId: string, method: number, payload: Bytes): Promise<Bytes> {
    return this.#pool.boxes.get(memberId)!.answer(method, payload);
  }

  async answer(method: number, payload: Bytes): Promise<Bytes> {
    return (await this.#handlers.get(method)!(payload, undefined as never)) as Bytes;
  }

  /** Sends a bundle as a desktop does. */
  async send(part = 2000, atMs?: number): Promise<string> {
    for (let offset = 0; offset < bundle.length; offset += part) await this.put(offset, part);
    return this.stage(atMs);
  }

  put(offset: number, part: number): Promise<Bytes> {
    const bytes = bundle.subarray(offset, offset + part);
    return this.answer(methods.updatePut, encodeCbor({ offset, totalBytes: bundle.length, bytes }));
  }

  async stage(atMs?: number): Promise<string> {
    const answer = await this.answer(
      methods.updateStage,
      encodeCbor({ older: false, ...(atMs === undefined ? {} : { atMs }) }),
    );
    return CborFields.decode(answer).text('version');
  }

  /** The version that it offers others. */
  async offer(): Promise<string | undefined> {
    const offer = CborFields.decode(await this.answer(methods.updateOffer, new Uint8Array(0)));
    return offer.has('version') ? offer.text('version') : undefined;
  }

  /** A bundle is at `path` of its folder for updates. */
  async keepBundle(path: string, version: string): Promise<void> {
    const files = [[path, bundle] as const];
    if (path === 'bundle.raucb') files.push(['bundle.version', utf8(version)]);
    for (const [name, bytes] of files) {
      const file = await this.disk.open(name, 'create');
      await file.write([bytes], 0);
      await file.close();
    }
    this.slots.bundles.set(`/updates/${path}`, facts(version));
  }
}
