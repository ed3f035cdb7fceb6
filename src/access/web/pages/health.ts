import { unreachable } from '../../../base/assert.ts';
import { countOf } from '../../../base/format.ts';
import type { ApplianceStatus } from '../../../status/appliance-status.ts';
import { type Condition, conditionKey } from '../../../status/condition.ts';
import type { StatusChange, StatusEvent } from '../../../status/history.ts';
import type { LightState } from '../../../status/light-state.ts';
import { type Html, html } from '../html.ts';
import type { Session } from '../sessions.ts';
import { timeOf, tokenField } from './layout.ts';

/** The sentence that says how the box is, and its lights as they are on its front. */
export function healthPart({ headline, help, light }: ApplianceStatus): Html {
  return html`${lights(light)}<div><h1>${headline}</h1>${help === '' ? null : html`<p>${help}</p>`}</div>`;
}

/** The two lights; each state has the rhythm that the box itself shows. */
function lights(light: LightState): Html {
  const [green, amber] = classesOf(light);
  return html`<svg class="lights" viewBox="0 0 44 20" aria-hidden="true">
<circle class="green ${green}" cx="10" cy="10" r="9"/><circle class="amber ${amber}" cx="34" cy="10" r="9"/></svg>`;
}

function classesOf(light: LightState): readonly [string, string] {
  switch (light.kind) {
    case 'booting':
      return ['blink', ''];
    case 'healthy':
      return ['on', ''];
    case 'working':
      return ['on', 'blink slow'];
    case 'attention':
      return ['', 'on'];
    case 'unclaimed':
      return ['blink', 'blink late'];
    case 'updating':
      return ['blink fast', ''];
    case 'data-at-risk':
      return ['', 'blink fast'];
    case 'identify':
      return ['blink fast', 'blink fast'];
    case 'off':
      return ['', ''];
    default:
      return unreachable(light);
  }
}

/** Everything that is to be said of the box, the worst first. */
export function conditionsPart({ conditions }: ApplianceStatus, session: Session): Html {
  if (conditions.length === 0) return html`<h2>What there is to do</h2><p class="quiet">Nothing.</p>`;
  return html`<h2>What there is to do</h2>
<ul class="conditions">${conditions.map((each) => conditionItem(each, session))}</ul>`;
}

const words = { ok: 'Well', notice: 'Notice', warning: 'Warning', critical: 'Data at risk' } as const;

function conditionItem(condition: Condition, session: Session): Html {
  const { severity, message, help, acknowledged } = condition;
  const key = conditionKey(condition);
  return html`<li class="${severity}"><span class="severity">${words[severity]}</span>
<p>${message}</p><p class="quiet">${help}</p>
${
  acknowledged
    ? html`<p class="quiet">Seen.</p>`
    : html`<form method="post" action="/acknowledge">${tokenField(session)}
<input type="hidden" name="key" value="${key}">
<button data-key="ack ${key}">I have seen it<span class="unseen">: ${message}</span></button></form>`
}</li>`;
}

/** Of the events that are shown at once; the others are below. */
const newestShown = 8;

/** What became of the conditions, the newest first. */
export function eventsPart(events: readonly StatusEvent[]): Html {
  const newest = [...events].reverse();
  if (newest.length === 0) return html`<h2>What happened</h2><p class="quiet">Nothing yet.</p>`;
  const rest = newest.slice(newestShown);
  return html`<h2>What happened</h2><ul class="events">${newest.slice(0, newestShown).map(eventItem)}</ul>
${
  rest.length === 0
    ? null
    : html`<details data-key="events"><summary>${countOf(rest.length, 'earlier event')}</summary>
<ul class="events">${rest.map(eventItem)}</ul></details>`
}`;
}

const changes: Readonly<Record<StatusChange, string>> = {
  raised: '',
  worse: 'Worse now: ',
  better: 'Better now: ',
  cleared: 'Over: ',
  acknowledged: 'Seen: ',
};

function eventItem({ atMs, change, message, times }: StatusEvent): Html {
  const often = times > 1 ? ` (${times} times)` : '';
  return html`<li><span class="quiet">${timeOf(atMs)}</span> ${changes[change]}${message}${often}</li>`;
}
