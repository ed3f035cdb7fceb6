import assert from 'node:assert/strict';
import type { Bytes } from '../base/bytes.ts';
import { AetherError } from '../base/errors.ts';
import { createLog, type LogEntry } from '../base/log.ts';
import { createIdentity, type Identity } from '../pool/identity.ts';
import { startPool } from '../pool/pairing/desktop-enrolment.ts';
import { BoxEnrolment } from '../pool/pairing/enrolment.ts';
import { decodeEnrolmentAnswer } from '../pool/pairing/enrolment-message.ts';
import { type PairingRequest, pairWithBox } from '../pool/pairing/pairing-desktop.ts';
import { PairingHost } from '../pool/pairing/pairing-host.ts';
import { FakeClock } from './fake-clock.ts';
import { MemoryDisk } from './memory-disk.ts';
import { SeededEntropy } from './seeded-entropy.ts';

export const entropy = new SeededEntropy(11);
const identityOf = (seed: number) => createIdentity(new FakeClock(), new SeededEntropy(seed));

/** Two desktops and two boxes. */
export const anna = await identityOf(1);
export const ben = await identityOf(2);
export const boxA = await identityOf(3);
export const boxB = await identityOf(4);

/** One box: its state folder, and the parts that run on it until `restart`. */
export class TestBox {
  readonly identity: Identity;
  readonly clock = new FakeClock();
  readonly disk = new MemoryDisk({ entropy: new SeededEntropy(5) });
  readonly logged: LogEntry[] = [];
  readonly #log = createLog(
    'pool',
    () => 0,
    (entry) => this.logged.push(entry),
  );
  enrolment!: BoxEnrolment;
  host!: PairingHost;

  constructor(identity: Identity) {
    this.identity = identity;
  }

  static async start(identity: Identity): Promise<TestBox> {
    const box = new TestBox(identity);
    await box.open();
    return box;
  }

  async open(): Promise<void> {
    const ports = { clock: this.clock, entropy, log: this.#log };
    this.enrolment = await BoxEnrolment.open({ disk: this.disk, identity: this.identity }, ports);
    this.host = await PairingHost.open({ disk: this.disk, enrolment: this.enrolment }, ports);
  }

  async restart(): Promise<void> {
    await this.host.close();
    this.disk.crash();
    await this.open();
  }

  /** The box's ear for one desktop. */
  request(peer: Identity): PairingRequest {
    return (method, payload) => this.host[method](payload, peer.memberId);
  }

  get code(): string {
    return this.host.view().code!;
  }
}

export const newPool = (clock: FakeClock, box: Identity = boxA) =>
  startPool(
    { desktop: { publicKey: anna.publicKey, name: 'Anna' }, box: { publicKey: box.publicKey, name: 'box' } },
    { clock, entropy },
  );

export const pair = (box: TestBox, peer: Identity, code: string, message: Bytes) =>
  pairWithBox({ code, identity: peer, boxMemberId: box.identity.memberId, message }, box.request(peer));

export async function claimedBox() {
  const box = await TestBox.start(boxA);
  const pool = newPool(box.clock);
  const answer = decodeEnrolmentAnswer(await pair(box, anna, box.code, pool.message));
  return { box, pool, answer };
}

/** A code that is certainly another. */
export const wrong = (code: string) => (code.startsWith('0') ? `1${code.slice(1)}` : `0${code.slice(1)}`);

export async function tryWrongCodes(box: TestBox, count: number): Promise<AetherError> {
  let last: unknown;
  for (let tried = 0; tried < count; tried++) {
    last = await pair(box, anna, wrong(box.code), new Uint8Array(1)).catch((error: unknown) => error);
  }
  assert.ok(last instanceof AetherError);
  return last;
}
