import { AetherError, describeError } from '../../base/errors.ts';
import type { Log } from '../../base/log.ts';
import type { ApplianceControl, PairingCode } from '../../control/appliance-control.ts';
import type { HttpRequest, HttpResponse } from '../../ports/http-server.ts';
import { diskUnknown } from '../../ports/machine.ts';
import { seeOther, textAnswer } from './answers.ts';
import { wordsOf } from './entry-routes.ts';
import { checkToken, readForm } from './forms.ts';
import type { Html } from './html.ts';
import { settingsBody } from './pages/settings.ts';
import type { Session, Sessions } from './sessions.ts';

export interface DeedRoutesOptions {
  readonly log: Log;
  readonly sessions: Sessions;
  readonly settings: (body: Html, session: Session) => HttpResponse;
}

/** How an update that was not taken is answered, where that is not 409: no room, and try again in a while. */
const uploadStatus: Readonly<Record<string, number>> = { UPDATE_NO_ROOM: 507, UPDATER_UNAVAILABLE: 503 };

type Deed = (form: URLSearchParams, session: Session) => Promise<HttpResponse> | HttpResponse;

/** What a person asks the box to do, each a form that is posted. */
export class DeedRoutes {
  readonly #control: ApplianceControl;
  readonly #options: DeedRoutesOptions;
  readonly #deeds: Readonly<Record<string, Deed>>;

  constructor(control: ApplianceControl, options: DeedRoutesOptions) {
    this.#control = control;
    this.#options = options;
    this.#deeds = {
      acknowledge: async (form) => {
        await control.acknowledge(form.get('key') ?? '');
        return seeOther('/#conditions');
      },
      identify: (form) => {
        control.identify(form.get('on') === 'yes');
        return seeOther('/#boxes');
      },
      'disks/locate': async (form) => {
        await control.disks.locate(form.get('device') ?? '', form.get('on') === 'yes');
        return seeOther('/#disks');
      },
      'disks/adopt': (form, session) => this.#adopt(form.get('device') ?? '', session),
      'disks/retire': (form, session) => this.#retire(form.get('volume') ?? '', session),
      'disks/forget': async (form) => {
        await control.disks.forget(form.get('volume') ?? '');
        return seeOther('/#disks');
      },
      update: async () => {
        await control.installUpdate();
        return seeOther('/');
      },
      pair: (_form, session) => this.settings(session, control.pair()),
      pin: (form, session) => this.#setPin(form.get('pin') ?? '', session),
      'pin/clear': (_form, session) => this.#setPin(null, session),
      power: (form, session) => this.#power(form, session),
    };
  }

  /** `GET /settings`; with a code that was just made, or with what went wrong. */
  settings(session: Session, code?: PairingCode, problem?: AetherError): HttpResponse {
    const { hasPin } = this.#control;
    const said = problem === undefined ? undefined : wordsOf(problem);
    const status = this.#control.status();
    return this.#options.settings(settingsBody({ status, session, hasPin, code, problem: said }), session);
  }

  /** Undefined: there is no deed of this name. Errors: those of the deed, `FORM_FOREIGN`, `FORM_INVALID`. */
  async post(name: string, request: HttpRequest, session: Session): Promise<HttpResponse | undefined> {
    const deed = Object.hasOwn(this.#deeds, name) ? this.#deeds[name] : undefined;
    if (deed === undefined) return undefined;
    const form = await readForm(request);
    checkToken(session, form.get('token'));
    for (const [device, { state }] of session.adoptions)
      if (state !== 'running') session.adoptions.delete(device);
    return deed(form, session);
  }

  /** `PUT /update`: takes a bundle and stages it; 201 with its version once it was found good. */
  async putUpdate(request: HttpRequest, session: Session): Promise<HttpResponse> {
    try {
      checkToken(session, request.headers['x-aether-token']);
      const totalBytes = Number(request.headers['content-length']);
      if (!Number.isSafeInteger(totalBytes)) return textAnswer(411, 'How long it is must be said first.');
      const version = await this.#control.receiveUpdate(totalBytes, request.body);
      return textAnswer(201, `Version ${version} is ready.`);
    } catch (error) {
      if (!(error instanceof AetherError)) throw error;
      return textAnswer(uploadStatus[error.code] ?? 409, wordsOf(error));
    }
  }

  /** Formatting takes minutes: the overview says that it goes on, and what came of it. */
  #adopt(device: string, { adoptions }: Session): HttpResponse {
    if (!this.#control.status().disks.some((disk) => disk.device === device)) throw diskUnknown(device);
    if (adoptions.has(device)) return seeOther('/#disks');
    const adopting = this.#control.disks.adopt(device);
    const words = `Disk ${device} is being taken into use. This can take some minutes.`;
    adoptions.set(device, { state: 'running', words });
    adopting.then(
      () => adoptions.set(device, { state: 'done', words: `Disk ${device} is in use now.` }),
      (error: unknown) => {
        this.#options.log.warn('disk not taken into use', { device, reason: describeError(error) });
        const known = error instanceof AetherError;
        const failed = known ? wordsOf(error) : `Disk ${device} was not taken into use: the log says why.`;
        adoptions.set(device, { state: 'failed', words: failed });
      },
    );
    return seeOther('/#disks');
  }

  /** It takes long, and its end shows on the overview; what can be said at once is. */
  #retire(volume: string, session: Session): HttpResponse {
    this.#control.disks.retire(volume).catch((error: unknown) => {
      this.#options.log.warn('disk not retired', { volume, reason: describeError(error) });
    });
    session.notice = `Disk ${volume} is being emptied. It may be pulled when this page says so.`;
    return seeOther('/#disks');
  }

  async #setPin(pin: string | null, session: Session): Promise<HttpResponse> {
    try {
      await this.#control.setPin(pin);
    } catch (error) {
      if (!(error instanceof AetherError)) throw error;
      return this.settings(session, undefined, error);
    }
    this.#options.sessions.keep(session);
    const what = pin === null ? 'The PIN is taken off.' : 'The PIN is set.';
    session.notice = `${what} All other browsers have to log in again.`;
    return seeOther('/settings');
  }

  #power(form: URLSearchParams, session: Session): HttpResponse {
    const { name } = this.#control.status().box;
    if (form.get('name')?.trim() !== name) {
      const problem = new AetherError('NAME_WRONG', 'that is not the name of this box', {
        help: 'Nothing was done.',
      });
      return this.settings(session, undefined, problem);
    }
    const restart = form.get('deed') === 'restart';
    const deed = restart ? this.#control.restart() : this.#control.shutdown();
    deed.catch((error: unknown) => {
      this.#options.log.error('the box does not stop', { reason: describeError(error) });
    });
    session.notice = restart
      ? 'The box restarts.'
      : 'The box is stopping: do not unplug it before its lights are off.';
    return seeOther('/');
  }
}
