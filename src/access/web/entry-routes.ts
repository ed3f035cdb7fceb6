import { AetherError, hasCode } from '../../base/errors.ts';
import { httpHeadersTimeoutMs, webLoginsPerMinuteMax } from '../../base/face-limits.ts';
import { type BucketSize, fullBucket, type TokenBucket, takeToken } from '../../base/token-bucket.ts';
import { version } from '../../base/version.ts';
import type { ApplianceControl } from '../../control/appliance-control.ts';
import { type Clock, sleep } from '../../ports/clock.ts';
import type { HttpRequest, HttpResponse } from '../../ports/http-server.ts';
import { htmlAnswer, seeOther } from './answers.ts';
import { checkToken, foreign, isFromHere, readForm, webError } from './forms.ts';
import { claimBody, loginBody, wordsBody } from './pages/enter.ts';
import { page } from './pages/layout.ts';
import type { Session, Sessions } from './sessions.ts';

/** How people get in by the page: the box's pairing, as it concerns the page. */
export interface PageEntry {
  /** Whether the box belongs to a pool. */
  readonly claimed: boolean;
  /** Proves a code that is in force; a login code is used up. Errors: `PAIRING_…`. */
  prove(code: string): Promise<void>;
  /** A pool that is to be made of this box alone; nothing has happened before `finish`. */
  newPool(): NewPagePool;
}

export interface NewPagePool {
  /** 24 of them. */
  readonly words: readonly string[];
  /** Makes it; durable on return. Errors: `ALREADY_CLAIMED`. */
  finish(): Promise<void>;
}

const loginRate: BucketSize = { perSecond: webLoginsPerMinuteMax / 60, burst: webLoginsPerMinuteMax };

/** A pool that a session was shown the words of. */
interface ShownPool {
  readonly pool: NewPagePool;
  /** While it is being made. */
  finishing?: Promise<void> | undefined;
}

/** Claiming the box, logging in and out. */
export class EntryRoutes {
  readonly #control: ApplianceControl;
  readonly #entry: PageEntry;
  readonly #sessions: Sessions;
  readonly #clock: Clock;
  #bucket: TokenBucket;
  readonly #newPools = new WeakMap<Session, ShownPool>();

  constructor(
    options: { readonly control: ApplianceControl; readonly entry: PageEntry; readonly sessions: Sessions },
    { clock }: { readonly clock: Clock },
  ) {
    this.#control = options.control;
    this.#entry = options.entry;
    this.#sessions = options.sessions;
    this.#clock = clock;
    this.#bucket = fullBucket(loginRate, clock.monotonicMs());
  }

  /** The page for somebody who is not logged in. */
  door(problem?: AetherError): HttpResponse {
    const boxName = this.#control.status().box.name;
    const enter = { boxName, problem: problem === undefined ? undefined : wordsOf(problem) };
    const claimed = this.#entry.claimed;
    const body = claimed ? loginBody(enter, { hasPin: this.#control.hasPin }) : claimBody(enter);
    const title = claimed ? 'Log in' : 'First claim';
    const status =
      problem === undefined ? (claimed ? 401 : 200) : problem.code === 'LOGINS_TOO_MANY' ? 429 : 403;
    return htmlAnswer(page({ boxName, title, version }, body), { status });
  }

  /** `POST /claim`: the words, for who has proved the claim code. */
  async claim(request: HttpRequest): Promise<HttpResponse> {
    return this.#attempt(request, async (code) => {
      if (this.#entry.claimed) return seeOther('/');
      await this.#entry.prove(code);
      const pool = this.#entry.newPool();
      const { session, cookie } = this.#sessions.begin();
      this.#newPools.set(session, { pool });
      const boxName = this.#control.status().box.name;
      const html = page({ boxName, title: 'Recovery words', version }, wordsBody(pool.words, session));
      return htmlAnswer(html, { headers: { 'set-cookie': cookie } });
    });
  }

  /** `POST /claim/finish`: they are on paper. Who clicks twice waits for the one pool. */
  async finishClaim(request: HttpRequest, session: Session): Promise<HttpResponse> {
    checkToken(session, (await readForm(request)).get('token'));
    const shown = this.#newPools.get(session);
    if (shown === undefined) return seeOther('/');
    shown.finishing ??= this.#finish(shown, session);
    await shown.finishing;
    return seeOther('/');
  }

  async #finish(shown: ShownPool, session: Session): Promise<void> {
    try {
      await shown.pool.finish();
    } catch (error) {
      shown.finishing = undefined;
      throw error;
    }
    this.#newPools.delete(session);
    session.notice =
      'This box is yours, and the first box of a new pool. Claim another one, so that files are kept twice.';
  }

  /** Whether all that this session may do is to finish its claim: if somebody else was faster it never may more. */
  isOnlyClaiming(session: Session): boolean {
    return this.#newPools.has(session);
  }

  /** `POST /login`. */
  async logIn(request: HttpRequest): Promise<HttpResponse> {
    return this.#attempt(request, async (code) => {
      await this.#proveEither(code);
      const { cookie } = this.#sessions.begin();
      return seeOther('/', { 'set-cookie': cookie });
    });
  }

  /** The PIN, or a code. Where the PIN is locked by somebody's wrong ones, a code still opens. */
  async #proveEither(text: string): Promise<void> {
    const { hasPin } = this.#control;
    const locked = await this.#isPin(text, hasPin);
    if (locked === true) return;
    try {
      await this.#entry.prove(text);
    } catch (error) {
      throw locked instanceof AetherError && hasCode(error, 'PAIRING_NO_CODE') ? locked : error;
    }
  }

  /** True: it is. Else whether it could be tried at all. */
  async #isPin(text: string, hasPin: boolean): Promise<boolean | AetherError> {
    if (!hasPin) return false;
    try {
      return await this.#control.checkPin(text);
    } catch (error) {
      if (hasCode(error, 'PIN_LOCKED')) return error;
      throw error;
    }
  }

  /** `POST /logout`. */
  async logOut(request: HttpRequest, session: Session): Promise<HttpResponse> {
    checkToken(session, (await readForm(request)).get('token'));
    return seeOther('/', { 'set-cookie': this.#sessions.end(session) });
  }

  /** One try with a code; what is wrong with it is said on the page it came from. */
  async #attempt(
    request: HttpRequest,
    enter: (code: string) => Promise<HttpResponse>,
  ): Promise<HttpResponse> {
    try {
      if (!isFromHere(request)) throw foreign();
      this.#count();
      const code = (await this.#formOfStranger(request)).get('code') ?? '';
      return await enter(code.trim());
    } catch (error) {
      if (!(error instanceof AetherError)) throw error;
      return this.door(error);
    }
  }

  /** In the time that headers have: somebody who sends a byte a minute would keep a connection for days. */
  async #formOfStranger(request: HttpRequest): Promise<URLSearchParams> {
    const read = new AbortController();
    const late = sleep(this.#clock, httpHeadersTimeoutMs, read.signal).then(() => {
      throw webError('FORM_INVALID', 'the code did not come in time', 'Try again.');
    });
    try {
      return await Promise.race([readForm(request), late]);
    } finally {
      late.catch(() => {});
      read.abort();
    }
  }

  #count(): void {
    const next = takeToken(this.#bucket, loginRate, this.#clock.monotonicMs());
    if (next === undefined) throw webError('LOGINS_TOO_MANY', 'too many codes were tried', 'Wait a minute.');
    this.#bucket = next;
  }
}

/** One sentence, and what to do. */
export function wordsOf({ message, help }: AetherError): string {
  const sentence = `${message.charAt(0).toUpperCase()}${message.slice(1)}.`;
  return help === '' ? sentence : `${sentence} ${help}`;
}
