import type { ApplianceStatus } from '../../../status/appliance-status.ts';
import type { StatusEvent } from '../../../status/history.ts';
import { type Html, html } from '../html.ts';
import type { Session } from '../sessions.ts';
import { conditionsPart, eventsPart, healthPart } from './health.ts';
import { timeOf, tokenField } from './layout.ts';
import { boxesPart, capacityPart, disksPart, workPart } from './storage.ts';

export interface Overview {
  readonly status: ApplianceStatus;
  readonly events: readonly StatusEvent[];
  readonly session: Session;
}

type Part = (overview: Overview) => Html;

/** The parts of the overview that change by themselves, by the id of their element, in their order. */
export const parts: Readonly<Record<string, Part>> = {
  health: ({ status }) => healthPart(status),
  work: ({ status }) => workPart(status),
  conditions: ({ status, session }) => conditionsPart(status, session),
  update: ({ status, session }) => updatePart(status, session),
  capacity: ({ status }) => capacityPart(status),
  boxes: ({ status, session }) => boxesPart(status, session),
  disks: ({ status, session }) => disksPart(status, session),
  events: ({ events }) => eventsPart(events),
};

const columns = [
  ['conditions', 'boxes', 'events'],
  ['update', 'capacity', 'disks'],
];

export function overviewBody(overview: Overview): Html {
  const rendered = Object.fromEntries(Object.entries(parts).map(([id, part]) => [id, part(overview)]));
  const card = (id: string) =>
    html`<section class="card" id="${id}"${rendered[id]!.text === '' ? html` hidden` : null}>${rendered[id]!}</section>`;
  return html`<div class="health" id="health" aria-live="polite">${rendered.health!}</div>
${card('work')}<div class="columns">${columns.map((ids) => html`<div>${ids.map(card)}</div>`)}</div>`;
}

function updatePart({ update }: ApplianceStatus, session: Session): Html {
  const { state, version, progressPercent, reason, atMs } = update;
  const heading = html`<h2>Update</h2>`;
  switch (state) {
    case 'none':
      return reason === null ? html`` : html`${heading}<p>This box cannot be updated: ${reason}.</p>`;
    case 'staged':
      return html`${heading}<p>Version ${version ?? ''} is ready. It is signed, and its signature was found good.${
        reason === null ? null : html` It was not installed: ${reason}.`
      }${atMs === null ? null : html` It is installed at ${timeOf(atMs)}.`}</p>
<form method="post" action="/update">${tokenField(session)}<button class="main" data-key="update">Install it now</button></form>`;
    case 'installing':
      return html`${heading}<p>Version ${version ?? ''} is being installed: do not unplug the box.</p>
<progress max="100" value="${progressPercent ?? 0}" aria-label="Installing"></progress>`;
    case 'restart-due':
      return html`${heading}<p>Version ${version ?? ''} is installed and runs from the next start on.</p>`;
    case 'trial':
      return html`${heading}<p>Version ${version ?? ''} runs, and is being watched: if it does not work, the version before
comes back.</p>`;
    case 'rolled-back':
      return html`${heading}<p>Version ${version ?? ''} did not work${reason === null ? null : html`: ${reason}`}.
The version before runs again.</p>`;
  }
}
