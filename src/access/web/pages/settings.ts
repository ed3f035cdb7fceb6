import type { PairingCode } from '../../../control/appliance-control.ts';
import type { ApplianceStatus } from '../../../status/appliance-status.ts';
import { type Html, html } from '../html.ts';
import type { Session } from '../sessions.ts';
import { timeOf, tokenField } from './layout.ts';

export interface Settings {
  readonly status: ApplianceStatus;
  readonly session: Session;
  readonly hasPin: boolean;
  /** A code that was just asked for. */
  readonly code?: PairingCode | undefined;
  readonly problem?: string | undefined;
}

export function settingsBody(settings: Settings): Html {
  const { problem } = settings;
  return html`<div class="health"><h1>Settings</h1></div>
${problem === undefined ? null : html`<p class="note bad" role="alert">${problem}</p>`}
<div class="columns">${pairingCard(settings)}${pinCard(settings)}${updateCard(settings)}${powerCard(settings)}</div>`;
}

function pairingCard({ status, session, code }: Settings): Html {
  const { box } = status;
  return html`<section class="card"><h2>Let another desktop in</h2>
${
  code === undefined
    ? html`<p>A code lets one more desktop, or one more browser, into the pool.</p>`
    : html`<p class="code">${code.code}</p><p>Good until ${timeOf(code.expiresAtMs ?? 0)}, once.
On a desktop, run: <code>aether login ${box.name}</code></p>`
}
<form method="post" action="/pair">${tokenField(session)}<button>Make a code</button></form></section>`;
}

function pinCard({ session, hasPin }: Settings): Html {
  return html`<section class="card"><h2>Maintenance PIN</h2>
<p>${
    hasPin
      ? 'A PIN is set: this page and the console of the box ask for it.'
      : 'None is set: who stands at the console of the box can maintain it, and this page asks for a code.'
  }</p>
<form class="stack" method="post" action="/pin">${tokenField(session)}
<label for="pin">${hasPin ? 'New PIN' : 'PIN'}</label>
<input type="password" id="pin" name="pin" minlength="4" maxlength="64" required autocomplete="new-password">
<button>Set it</button></form>
${
  hasPin
    ? html`<form method="post" action="/pin/clear">${tokenField(session)}<button>Take it off</button></form>`
    : null
}</section>`;
}

/** The overview shows what comes of it. */
function updateCard({ status, session }: Settings): Html {
  return html`<section class="card"><h2>Update</h2>
<p>This box runs version ${status.box.version}. A newer one comes as a signed file, <code>aetherstore-…raucb</code>.</p>
<form><label for="bundle">Update on this computer</label>
<input type="file" id="bundle" accept=".raucb" data-token="${session.token}" data-then="/#update">
<p id="bundle-said" role="status"></p><progress id="bundle-progress" hidden aria-label="Sending"></progress></form></section>`;
}

/** These stop the box: its name is asked for, since several pages may be open. */
function powerCard({ status, session }: Settings): Html {
  const { name } = status.box;
  return html`<section class="card"><h2>Restart and shut down</h2>
<form class="stack" method="post" action="/power">${tokenField(session)}
<label for="name">Name of this box, to be sure: ${name}</label>
<input type="text" id="name" name="name" required autocomplete="off" spellcheck="false">
<div><button name="deed" value="restart">Restart</button>
<button class="danger" name="deed" value="shutdown">Shut down safely</button></div></form></section>`;
}
