import { type Bytes, equalBytes } from '../../base/bytes.ts';
import type { Log } from '../../base/log.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Disk } from '../../ports/disk.ts';
import { replaceFile } from '../../ports/replace-file.ts';
import { loadPoolSecrets, type PoolSecrets, savePoolSecrets } from '../authority.ts';
import { type Identity, memberIdOf } from '../identity.ts';
import { MemberSet } from '../membership/member-set.ts';
import { admit, isMemberName, timeAfter } from '../membership/record.ts';
import { encodeRoster, Roster, rosterPath } from '../membership/roster.ts';
import {
  type ClaimRequest,
  decodeEnrolmentRequest,
  encodeEnrolmentAnswer,
  enrolmentInvalid,
  type LoginRequest,
} from './enrolment-message.ts';
import { pairingError } from './errors.ts';

/** What a box that belongs to a pool has of it. */
export interface Enrolled {
  readonly secrets: PoolSecrets;
  readonly roster: Roster;
}

export interface BoxEnrolmentOptions {
  /** The box's state folder. */
  readonly disk: Disk;
  readonly identity: Identity;
}

/**
 * Whether the box belongs to a pool, and what it does for a desktop that has proved a code: an unclaimed box accepts
 * a claim, once; a claimed box admits a desktop. The decisions take turns, so that of two claims one is too late.
 */
export class BoxEnrolment {
  readonly #disk: Disk;
  readonly #identity: Identity;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #listeners = new Set<(enrolled: Enrolled) => void>();
  #enrolled: Enrolled | undefined;
  #turn: Promise<unknown> = Promise.resolve();

  private constructor({ disk, identity }: BoxEnrolmentOptions, clock: Clock, log: Log) {
    this.#disk = disk;
    this.#identity = identity;
    this.#clock = clock;
    this.#log = log;
  }

  /** Reads the state folder. Errors: those of {@link loadPoolSecrets} and {@link Roster.open}. */
  static async open(
    options: BoxEnrolmentOptions,
    { clock, log }: { readonly clock: Clock; readonly log: Log },
  ): Promise<BoxEnrolment> {
    const enrolment = new BoxEnrolment(options, clock, log);
    const secrets = await loadPoolSecrets(options.disk);
    if (secrets !== undefined) enrolment.#enrolled = await enrolment.#enrol(secrets);
    return enrolment;
  }

  /** The pool, or undefined while the box is unclaimed. Once there it stays. */
  get enrolled(): Enrolled | undefined {
    return this.#enrolled;
  }

  get boxMemberId(): Bytes {
    return this.#identity.memberId;
  }

  /** Calls `listener` once the box is claimed and that is durable; the function it returns ends that. */
  onClaimed(listener: (enrolled: Enrolled) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /**
   * Does what the desktop `peerMemberId` asks for in `message`, and returns the answer; what the answer says is
   * durable. Errors: `ENROLMENT_INVALID`, `ALREADY_CLAIMED`, `NOT_CLAIMED`, those of the disk.
   */
  answer(message: Bytes, peerMemberId: Bytes): Promise<Bytes> {
    const turn = this.#turn.then(async () => {
      const request = decodeEnrolmentRequest(message);
      const enrolled =
        request.want === 'claim' ? await this.#claim(request) : await this.#login(request, peerMemberId);
      return encodeEnrolmentAnswer({ secrets: enrolled.secrets, records: enrolled.roster.records() });
    });
    this.#turn = turn.catch(() => {});
    return turn;
  }

  async #claim({ secrets, records }: ClaimRequest): Promise<Enrolled> {
    if (this.#enrolled !== undefined) {
      const help = 'Log in with a code from its console, or reset the box to take it into another pool.';
      throw pairingError('ALREADY_CLAIMED', 'the box belongs to a pool already', help);
    }
    const set = new MemberSet(secrets.pool, secrets.authorityPublicKey);
    const { refused } = set.add(records);
    if (refused.length > 0) throw enrolmentInvalid(`a record was refused: ${refused[0]!.code}`);
    if (set.get(this.#identity.memberId)?.role !== 'box') throw enrolmentInvalid('no record admits this box');
    // The secrets are written last: their being there is what makes the box a claimed one.
    await replaceFile(this.#disk, rosterPath, encodeRoster(secrets.pool, set.records()));
    await savePoolSecrets(this.#disk, secrets);
    this.#enrolled = await this.#enrol(secrets);
    this.#log.info('box claimed', { members: set.members().length });
    for (const listener of this.#listeners) listener(this.#enrolled);
    return this.#enrolled;
  }

  async #login({ publicKey, name }: LoginRequest, peerMemberId: Bytes): Promise<Enrolled> {
    const enrolled = this.#enrolled;
    if (enrolled === undefined) {
      const help = 'Claim the box first.';
      throw pairingError('NOT_CLAIMED', 'the box belongs to no pool yet', help);
    }
    if (!equalBytes(memberIdOf(publicKey), peerMemberId)) throw enrolmentInvalid('the key is not the peer’s');
    if (!isMemberName(name))
      throw enrolmentInvalid('the name must be 1 to 63 bytes without control characters');
    const known = enrolled.roster.get(peerMemberId);
    if (known?.role === 'box') throw enrolmentInvalid('a box of the pool is no desktop');
    if (known?.name === name) return enrolled;
    const { pool } = enrolled.secrets;
    const atMs = timeAfter(known?.at, this.#clock.wallMs());
    const subject = { pool, publicKey, role: 'desktop', name, atMs } as const;
    const { refused } = await enrolled.roster.add([admit(this.#identity, subject)]);
    if (refused.length > 0) throw enrolmentInvalid(`the desktop cannot be admitted: ${refused[0]!.code}`);
    this.#log.info('desktop admitted', { members: enrolled.roster.members().length });
    return enrolled;
  }

  async #enrol(secrets: PoolSecrets): Promise<Enrolled> {
    const { pool, authorityPublicKey } = secrets;
    const roster = await Roster.open({ disk: this.#disk, pool, authorityPublicKey }, { log: this.#log });
    return { secrets, roster };
  }
}
