import type { Bytes } from '../../base/bytes.ts';
import { AetherError } from '../../base/errors.ts';
import { webStreamsMax } from '../../base/face-limits.ts';
import type { Log } from '../../base/log.ts';
import { version } from '../../base/version.ts';
import type { ApplianceControl } from '../../control/appliance-control.ts';
import type { PoolFiles } from '../../files/pool-files.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Entropy } from '../../ports/entropy.ts';
import type { HttpRequest, HttpResponse } from '../../ports/http-server.ts';
import type { MetricsFormat } from '../../ports/metrics.ts';
import { metricsOf } from '../metrics/box-metrics.ts';
import { assetAnswer, commonHeaders, htmlAnswer, seeOther, textAnswer } from './answers.ts';
import { DeedRoutes } from './deed-routes.ts';
import { EntryRoutes, type PageEntry, wordsOf } from './entry-routes.ts';
import { FileRoutes } from './file-routes.ts';
import { foreign, isFromHere, isSameText } from './forms.ts';
import { type Html, html } from './html.ts';
import { news } from './news.ts';
import { page } from './pages/layout.ts';
import { overviewBody } from './pages/overview.ts';
import { type Session, Sessions } from './sessions.ts';

/** Files of the page itself, by name. */
export type WebAssets = Readonly<Record<'page.css' | 'page.js' | 'icon.svg', Bytes>>;

export interface WebFaceOptions {
  readonly control: ApplianceControl;
  readonly entry: PageEntry;
  /** Undefined while the box belongs to no pool. */
  readonly files: () => PoolFiles | undefined;
  readonly assets: WebAssets;
  readonly metrics: MetricsFormat;
  /** What a program shows to read the metrics; undefined while the box belongs to no pool. */
  readonly metricsToken: () => string | undefined;
}

export interface WebFacePorts {
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly log: Log;
}

const assetTypes: Readonly<Record<string, string>> = {
  css: 'text/css; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  svg: 'image/svg+xml',
};

/** The page of the box: answers the requests of browsers. Who has not shown a code or the PIN sees the door only. */
export class WebFace {
  readonly #options: WebFaceOptions;
  readonly #ports: WebFacePorts;
  readonly #sessions: Sessions;
  readonly #entry: EntryRoutes;
  readonly #files: FileRoutes;
  readonly #deeds: DeedRoutes;
  #streams = 0;

  constructor(options: WebFaceOptions, ports: WebFacePorts) {
    this.#options = options;
    this.#ports = ports;
    const { control, entry } = options;
    this.#sessions = new Sessions({ ...ports, control });
    this.#entry = new EntryRoutes({ control, entry, sessions: this.#sessions }, ports);
    this.#files = new FileRoutes(options.files, (title, body, session) =>
      this.#page(title, body, session, 'files'),
    );
    this.#deeds = new DeedRoutes(control, {
      log: ports.log,
      sessions: this.#sessions,
      settings: (body, session) => this.#page('Settings', body, session, 'settings'),
    });
  }

  /** Answers one request. Never rejects for what a stranger sends. */
  async handle(request: HttpRequest): Promise<HttpResponse> {
    const session = this.#sessions.find(request.headers.cookie);
    try {
      return await this.#route(request, session);
    } catch (error) {
      if (!(error instanceof AetherError)) throw error;
      return this.#trouble(error, session);
    }
  }

  async #route(request: HttpRequest, session: Session | undefined): Promise<HttpResponse> {
    const { method, path } = request;
    const [first = '', second = ''] = path;
    if (first === 'assets' && (method === 'GET' || method === 'HEAD')) return this.#asset(second);
    if (first === 'metrics' && method === 'GET') return this.#metrics(request, session);
    if (method !== 'GET' && method !== 'HEAD' && !isFromHere(request)) throw foreign();
    if (method === 'POST' && first === 'login') return this.#entry.logIn(request);
    if (method === 'POST' && first === 'claim' && path.length === 1) return this.#entry.claim(request);
    if (session === undefined) return this.#stranger(request);
    if (method === 'POST' && first === 'claim') return this.#entry.finishClaim(request, session);
    if (!this.#options.entry.claimed) return this.#entry.door();
    if (this.#entry.isOnlyClaiming(session)) return this.#stranger(request);
    return this.#member(request, session);
  }

  /** A page asks to log in; what a script asks for is just refused. */
  #stranger({ method, path }: HttpRequest): HttpResponse {
    if (path[0] === 'news' || method === 'PUT') return textAnswer(401, 'Log in first.');
    if (method === 'GET' && path.length === 0) return this.#entry.door();
    return seeOther('/');
  }

  async #member(request: HttpRequest, session: Session): Promise<HttpResponse> {
    const { method, path } = request;
    const [first, ...rest] = path;
    if (first === 'files') {
      if (method === 'GET' || method === 'HEAD') return this.#files.get(request, rest, session);
      if (method === 'PUT') return this.#files.put(request, rest, session);
    }
    if (method === 'PUT' && first === 'update') return this.#deeds.putUpdate(request, session);
    if (method === 'GET' && first === undefined) return this.#overview(session);
    if (method === 'GET' && first === 'news') return this.#news(request, session);
    if (method === 'GET' && first === 'settings') return this.#deeds.settings(session);
    if (method !== 'POST') return this.#unknown(session);
    switch (path.join('/')) {
      case 'logout':
        return this.#entry.logOut(request, session);
      case 'files-deeds/folder':
        return this.#files.makeFolder(request, session);
      case 'files-deeds/remove':
        return this.#files.remove(request, session);
      default:
        return (await this.#deeds.post(path.join('/'), request, session)) ?? this.#unknown(session);
    }
  }

  #overview(session: Session): HttpResponse {
    const { control } = this.#options;
    const body = overviewBody({ status: control.status(), events: control.history(), session });
    return this.#page('Overview', body, session, 'overview');
  }

  #news({ signal }: HttpRequest, session: Session): HttpResponse {
    if (this.#streams >= webStreamsMax) return textAnswer(503, 'Too many pages are open.');
    this.#streams++;
    signal.addEventListener('abort', () => this.#streams--, { once: true });
    const until = { signal, isLive: () => this.#sessions.isLive(session) };
    return {
      status: 200,
      headers: { ...commonHeaders, 'content-type': 'text/event-stream' },
      body: news(this.#options.control, session, until, this.#ports.clock),
    };
  }

  /** For members: somebody who is logged in, or a program that a member gave the token. */
  async #metrics({ headers }: HttpRequest, session: Session | undefined): Promise<HttpResponse> {
    const { control, metrics, metricsToken } = this.#options;
    const [, shown] = /^Bearer ([0-9a-f]{64})$/.exec(headers.authorization ?? '') ?? [];
    if (session === undefined && !isSameText(shown, metricsToken())) {
      return textAnswer(401, 'aether metrics tells how to get in.', { 'www-authenticate': 'Bearer' });
    }
    const text = await metrics.render(metricsOf(control.status()));
    return textAnswer(200, text, { 'content-type': metrics.contentType });
  }

  #asset(name: string): HttpResponse {
    const assets: Readonly<Record<string, Bytes>> = this.#options.assets;
    const body = Object.hasOwn(assets, name) ? assets[name] : undefined;
    if (body === undefined) return textAnswer(404, 'There is no such page.');
    return assetAnswer(assetTypes[name.split('.').at(-1)!]!, body);
  }

  #page(
    title: string,
    body: Html,
    session: Session,
    current: 'overview' | 'files' | 'settings',
  ): HttpResponse {
    const boxName = this.#options.control.status().box.name;
    const live = current === 'overview';
    const answer = htmlAnswer(page({ boxName, title, version, session, current, live }, body));
    session.notice = undefined;
    return answer;
  }

  #unknown(session: Session): HttpResponse {
    const body = html`<div class="health"><h1>There is no such page.</h1></div>`;
    return { ...this.#page('Not found', body, session, 'settings'), status: 404 };
  }

  /** What went wrong, in words, on a page of its own. */
  #trouble(error: AetherError, session: Session | undefined): HttpResponse {
    this.#ports.log.info('page refused', { code: error.code });
    const boxName = this.#options.control.status().box.name;
    const body = html`<div class="health"><div><h1>That did not work.</h1><p role="alert">${wordsOf(error)}</p>
<p><a href="/">To the overview</a></p></div></div>`;
    const status = error.code === 'PATH_NOT_FOUND' ? 404 : error.code === 'FORM_FOREIGN' ? 403 : 409;
    return htmlAnswer(page({ boxName, title: 'That did not work', version, session }, body), { status });
  }
}
