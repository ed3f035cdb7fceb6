import { timingSafeEqual } from 'node:crypto';
import { type Bytes, toHex, utf8 } from '../../base/bytes.ts';
import { describeError } from '../../base/errors.ts';
import { loginCodeLifetimeMs } from '../../base/limits.ts';
import type { Log } from '../../base/log.ts';
import type { Clock, Timer } from '../../ports/clock.ts';
import type { Disk } from '../../ports/disk.ts';
import type { Entropy } from '../../ports/entropy.ts';
import { newCode, parseCode } from './claim-code.ts';
import { loadCode, removeCode, saveCode } from './code-file.ts';
import type { BoxEnrolment } from './enrolment.ts';
import { messageInvalid, pairingError, refusalError } from './errors.ts';
import { type BoxExchange, type CodeRegistration, loadOpaque, type Opaque } from './opaque.ts';
import {
  type CodePurpose,
  nextDeadlineMs,
  type PairingAction,
  type PairingEvent,
  type PairingRefusal,
  pairingAtStart,
  stepPairing,
  triesLeftOf,
} from './pairing-policy.ts';
import { openMessage, sealMessage } from './sealed-message.ts';
import { decodeFinish, decodeStart, encodeFinishAnswer, encodeStartAnswer, exchangeIdBytes } from './wire.ts';

/** What the console and the page show of pairing. Never logged. */
export interface PairingView {
  /** Absent while nobody can pair. */
  readonly code?: string;
  readonly purpose?: CodePurpose;
  readonly triesLeft: number;
  /** How long the code still holds, where it ends. */
  readonly expiresInMs?: number;
  readonly lockedForMs?: number;
}

export interface PairingHostOptions {
  /** The box's state folder. */
  readonly disk: Disk;
  readonly enrolment: BoxEnrolment;
  /** The claim code of a box that is new; undefined: a fresh one. */
  readonly firstCode?: string | undefined;
}

export interface PairingHostPorts {
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly log: Log;
}

/** The code in force. Its registration is made when the first desktop comes. */
interface CurrentCode {
  readonly code: string;
  registration?: CodeRegistration;
}

/**
 * Pairing as the box does it: keeps the code, answers `pair.start` and `pair.finish`, and hands what a desktop that
 * proved the code asks for to its {@link BoxEnrolment}. An unclaimed box always has a claim code; a claimed one has a
 * login code for ten minutes after somebody asked for it on the console.
 */
export class PairingHost {
  readonly #disk: Disk;
  readonly #enrolment: BoxEnrolment;
  readonly #ports: PairingHostPorts;
  readonly #listeners = new Set<() => void>();
  readonly #exchanges = new Map<string, BoxExchange>();
  #state = pairingAtStart;
  #code: CurrentCode | undefined;
  #opaque: Promise<Opaque> | undefined;
  #timer: Timer | undefined;
  /** Whether the file on the disk is out of date. */
  #unkept = false;
  #keeping: Promise<void> = Promise.resolve();

  private constructor({ disk, enrolment }: PairingHostOptions, ports: PairingHostPorts) {
    this.#disk = disk;
    this.#enrolment = enrolment;
    this.#ports = ports;
  }

  /** The box's pairing, its claim code as before a restart, durable on return. Errors: those of the disk. */
  static async open(options: PairingHostOptions, ports: PairingHostPorts): Promise<PairingHost> {
    const host = new PairingHost(options, ports);
    if (options.enrolment.enrolled !== undefined) {
      await removeCode(options.disk);
      return host;
    }
    const kept = await loadCode(options.disk, ports);
    host.#code = { code: kept?.code ?? options.firstCode ?? newCode(ports.entropy) };
    host.#unkept = kept === undefined;
    if (kept?.locked) host.#step({ type: 'lock' });
    host.#step({ type: 'code made', purpose: 'claim', failed: kept?.failed ?? 0 });
    await host.#keep();
    return host;
  }

  /** Answers `pair.start`. Errors: `PAIRING_MESSAGE_INVALID` and every code of {@link PairingRefusal}. */
  async start(payload: Bytes, peerMemberId: Bytes): Promise<Bytes> {
    const message = decodeStart(payload);
    const opaque = await this.#loadOpaque();
    const exchange = this.#ports.entropy.bytes(exchangeIdBytes);
    const key = toHex(exchange);
    const refusal = this.#step({ type: 'start', exchange: key, peer: toHex(peerMemberId) });
    if (refusal !== undefined) throw refusalError(refusal);
    const code = this.#code!;
    const { boxMemberId } = this.#enrolment;
    code.registration ??= opaque.register(code.code, boxMemberId);
    const answer = opaque.answer(code.registration, boxMemberId, message);
    // The try stays spent: who sends rubbish is no desktop of ours.
    if (answer === undefined) throw messageInvalid();
    this.#exchanges.set(key, answer);
    return encodeStartAnswer({ exchange, message: answer.answer });
  }

  /**
   * Answers `pair.finish`: once the code is proved, what the enrolment answers. That a try was spent is durable
   * before anybody hears of it. Errors: as {@link start}, and those of {@link BoxEnrolment.answer}.
   */
  async finish(payload: Bytes, peerMemberId: Bytes): Promise<Bytes> {
    const { exchange, proven } = decodeFinish(payload);
    const key = toHex(exchange);
    const ends = { desktopMemberId: peerMemberId, boxMemberId: this.#enrolment.boxMemberId };
    const sessionKey = proven && this.#exchanges.get(key)?.finish(proven.message);
    const message = sessionKey && openMessage(sessionKey, 'to box', ends, proven.sealed);
    const event = { type: 'finish', exchange: key, peer: toHex(peerMemberId), proven: message !== undefined };
    const refusal = this.#step(event as PairingEvent);
    if (refusal?.code !== 'PAIRING_EXCHANGE_UNKNOWN') this.#exchanges.delete(key);
    await this.#keep();
    if (refusal !== undefined) throw refusalError(refusal);
    const answer = await this.#enrolment.answer(message!, peerMemberId);
    if (this.#enrolment.enrolled !== undefined) await this.#dropClaimCode();
    return encodeFinishAnswer(sealMessage(sessionKey!, 'to desktop', ends, answer));
  }

  /**
   * Makes a code by which one more desktop can log in, once, within ten minutes; it takes the place of the one
   * before. Errors: `NOT_CLAIMED`, `PAIRING_LOCKED`.
   */
  requestLoginCode(): string {
    if (this.#enrolment.enrolled === undefined) {
      throw pairingError('NOT_CLAIMED', 'the box belongs to no pool yet', 'Claim it with its claim code.');
    }
    this.#step({ type: 'tick' });
    const { lockedForMs } = this.view();
    if (lockedForMs !== undefined) throw refusalError({ code: 'PAIRING_LOCKED', lockedForMs });
    const code = newCode(this.#ports.entropy);
    this.#code = { code };
    this.#step({ type: 'code made', purpose: 'login', lifetimeMs: loginCodeLifetimeMs });
    return code;
  }

  /**
   * Whether `code`, typed on a page of this box itself, is the one in force; that a try was spent is durable first. A
   * login code is used up. Errors: every code of {@link PairingRefusal}.
   */
  async prove(code: string): Promise<void> {
    const exchange = toHex(this.#ports.entropy.bytes(exchangeIdBytes));
    const peer = 'page';
    const barred = this.#step({ type: 'start', exchange, peer });
    if (barred !== undefined) throw refusalError(barred);
    const proven = isSameCode(parseCode(code), this.#code?.code);
    const refusal = this.#step({ type: 'finish', exchange, peer, proven });
    await this.#keep();
    if (refusal !== undefined) throw refusalError(refusal);
  }

  /** Makes this box the first of a pool, as `message` says, for somebody who proved the claim code. Errors: as {@link finish}. */
  async claimHere(message: Bytes): Promise<void> {
    await this.#enrolment.answer(message, this.#enrolment.boxMemberId);
    await this.#dropClaimCode();
  }

  view(): PairingView {
    const now = this.#ports.clock.monotonicMs();
    const { purpose, expiresAtMs, lockedUntilMs } = this.#state;
    return {
      triesLeft: triesLeftOf(this.#state),
      ...(purpose !== undefined && { purpose, code: this.#code!.code }),
      ...(expiresAtMs !== undefined && { expiresInMs: expiresAtMs - now }),
      ...(lockedUntilMs !== undefined && { lockedForMs: lockedUntilMs - now }),
    };
  }

  /** Calls `listener` whenever {@link view} may be different; the function it returns ends that. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Resolves when nothing is being written any more. */
  async close(): Promise<void> {
    this.#timer?.cancel();
    this.#listeners.clear();
    await this.#keeping;
  }

  /** Carries one event through the policy; the refusal, if that is the answer. */
  #step(event: PairingEvent): PairingRefusal | undefined {
    const now = this.#ports.clock.monotonicMs();
    const { state, actions } = stepPairing(this.#state, event, now);
    this.#state = state;
    let refusal: PairingRefusal | undefined;
    for (const action of actions) {
      if (action.type === 'refuse') refusal = action.refusal;
      else this.#act(action);
    }
    this.#schedule(now);
    for (const listener of this.#listeners) listener();
    return refusal;
  }

  #act(action: Exclude<PairingAction, { type: 'refuse' }>): void {
    switch (action.type) {
      case 'accept':
        return;
      case 'forget':
        for (const exchange of action.exchanges) this.#exchanges.delete(exchange);
        return;
      case 'void':
        this.#code = undefined;
        return;
      case 'renew':
        this.#ports.log.warn('pairing locked after wrong codes, new claim code made');
        this.#code = { code: newCode(this.#ports.entropy) };
        this.#step({ type: 'code made', purpose: 'claim' });
        this.#keepSoon();
        return;
      case 'keep':
        this.#keepSoon();
        return;
    }
  }

  #schedule(now: number): void {
    this.#timer?.cancel();
    const deadlineMs = nextDeadlineMs(this.#state);
    if (deadlineMs === undefined) return;
    this.#timer = this.#ports.clock.after(deadlineMs - now, () => void this.#step({ type: 'tick' }));
  }

  /** Writes what must outlive a restart; resolves when it is durable. Writes take turns, each of the newest state. */
  #keep(): Promise<void> {
    const turn = this.#keeping.then(async () => {
      const { purpose, failed, lockedUntilMs } = this.#state;
      if (!this.#unkept || purpose !== 'claim') return;
      this.#unkept = false;
      const kept = { code: this.#code!.code, failed, locked: lockedUntilMs !== undefined };
      await saveCode(this.#disk, kept).catch((error: unknown) => {
        this.#unkept = true;
        throw error;
      });
    });
    this.#keeping = turn.catch(() => {});
    return turn;
  }

  #keepSoon(): void {
    this.#unkept = true;
    this.#keep().catch((error: unknown) => {
      this.#ports.log.error('claim code cannot be kept', { error: describeError(error) });
    });
  }

  /** The box is claimed: its claim code opens nothing any more. */
  async #dropClaimCode(): Promise<void> {
    if (this.#state.purpose !== 'claim') return;
    this.#step({ type: 'code dropped' });
    this.#code = undefined;
    await this.#keeping;
    await removeCode(this.#disk).catch((error: unknown) => {
      this.#ports.log.warn('claim code file left behind', { error: describeError(error) });
    });
  }

  #loadOpaque(): Promise<Opaque> {
    this.#opaque ??= loadOpaque();
    return this.#opaque;
  }
}

function isSameCode(typed: string | undefined, code: string | undefined): boolean {
  if (typed === undefined || code === undefined) return false;
  const [a, b] = [utf8(typed), utf8(code)];
  return a.length === b.length && timingSafeEqual(a, b);
}
