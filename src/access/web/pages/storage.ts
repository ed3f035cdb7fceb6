import { countOf, formatAge, formatBytes, formatDuration, formatGibibytes } from '../../../base/format.ts';
import type { ApplianceStatus, WorkStatus } from '../../../status/appliance-status.ts';
import type { DiskFacts, PeerFacts, VolumeFacts } from '../../../status/facts.ts';
import { type Html, html } from '../html.ts';
import type { Session } from '../sessions.ts';
import { tokenField } from './layout.ts';

/** Room in the pool and on this box, in words and as a picture. */
export function capacityPart({ pool, capacity }: ApplianceStatus): Html {
  const { usedBytes, totalBytes, freeBytes } = capacity;
  const percent = totalBytes === 0 ? 0 : Math.min(100, (100 * usedBytes) / totalBytes);
  const label = `${formatGibibytes(usedBytes)} of ${formatGibibytes(totalBytes)} on this box are used`;
  const copies = pool === null ? 1 : Math.min(pool.replicas, pool.boxes);
  return html`<h2>Room</h2>
<svg class="bar" viewBox="0 0 100 6" preserveAspectRatio="none" role="img" aria-label="${label}">
<rect class="free" width="100" height="6"/><rect class="used" width="${percent.toFixed(2)}" height="6"/></svg>
<dl><dt>This box</dt><dd>${formatGibibytes(usedBytes)} used, ${formatGibibytes(freeBytes)} free</dd>
${
  pool === null
    ? null
    : html`<dt>Pool</dt><dd>room for ${formatGibibytes(pool.usableBytes)} of files,
${countOf(copies, 'copy', 'copies')} of each, on ${formatGibibytes(pool.rawBytes)} of disk</dd>`
}</dl>`;
}

/** The boxes of the pool, this one first. */
export function boxesPart({ box, peers }: ApplianceStatus, session: Session): Html {
  return html`<h2>Boxes</h2><div class="scroll"><table class="stack">
<thead><tr><th scope="col">Box</th><th scope="col">State</th><th scope="col">Address</th>
<th scope="col">Find it</th></tr></thead><tbody>
<tr><td class="name">${box.name}</td><td>this box, up ${formatDuration(box.uptimeMs)}</td><td></td>
<td>${identifyForm(box.identifying, session)}</td></tr>
${peers.map(peerRow)}</tbody></table></div>`;
}

function identifyForm(on: boolean, session: Session): Html {
  return html`<form method="post" action="/identify">${tokenField(session)}
<input type="hidden" name="on" value="${on ? 'no' : 'yes'}">
<button data-key="identify">${on ? 'Stop blinking' : 'Blink its lights'}</button></form>`;
}

function peerRow({ name, reachable, address, lastSeenAgoMs }: PeerFacts): Html {
  const seen = lastSeenAgoMs === null ? 'not heard yet' : `heard ${formatAge(lastSeenAgoMs)}`;
  return html`<tr><td class="name">${name}</td>
<td>${reachable ? 'answers' : html`<span class="gone">away</span>, ${seen}`}</td>
<td class="name">${address ?? ''}</td><td></td></tr>`;
}

/** Volumes of this box, and what else is attached to it. */
export function disksPart({ volumes, disks }: ApplianceStatus, session: Session): Html {
  const others = disks.filter(({ role }) => role === 'blank' || role === 'foreign');
  return html`<h2>Disks of this box</h2>
${
  volumes.length === 0
    ? html`<p>It has none.</p>`
    : html`<div class="scroll"><table class="stack">
<thead><tr><th scope="col">Disk</th><th scope="col">State</th><th scope="col" class="number">Used</th>
<th scope="col" class="number">Free</th><th scope="col">Deeds</th></tr></thead>
<tbody>${volumes.map((volume) => volumeRow(volume, disks, session))}</tbody></table></div>`
}
${
  others.length === 0
    ? null
    : html`<details data-key="others" open><summary>${countOf(others.length, 'other disk')} attached</summary>
<ul>${others.map((disk) => otherDisk(disk, session))}</ul></details>`
}`;
}

const stateWords: Readonly<Record<VolumeFacts['state'], string>> = {
  ok: 'works',
  full: 'full',
  failed: 'failed',
  missing: 'not attached',
  retiring: 'is being emptied',
  retired: 'empty, may be pulled',
};

function volumeRow(volume: VolumeFacts, disks: readonly DiskFacts[], session: Session): Html {
  const { name, state, usedBytes, freeBytes } = volume;
  const disk = disks.find((each) => each.volume === name);
  const bad = state === 'failed' || state === 'missing';
  return html`<tr><td class="name">${name}${disk === undefined ? null : html`<br><span class="quiet">${describe(disk)}</span>`}</td>
<td>${bad ? html`<span class="gone">${stateWords[state]}</span>` : stateWords[state]}</td>
<td class="number">${formatGibibytes(usedBytes)}</td><td class="number">${formatGibibytes(freeBytes)}</td>
<td>${disk === undefined ? null : locateForm(disk, session)}
${state === 'ok' || state === 'full' ? retireForm(name, session) : null}</td></tr>`;
}

function describe({ model, serial, device }: DiskFacts): string {
  return [model ?? device, ...(serial === null ? [] : [serial])].join(', ');
}

function locateForm({ device, locating, volume }: DiskFacts, session: Session): Html {
  const name = volume ?? device;
  return html`<form method="post" action="/disks/locate">${tokenField(session)}
<input type="hidden" name="device" value="${device}"><input type="hidden" name="on" value="${locating ? 'no' : 'yes'}">
<button data-key="locate ${device}">${locating ? 'Stop its lamp' : 'Blink its lamp'}
<span class="quiet">(${name})</span></button></form>`;
}

function retireForm(volume: string, session: Session): Html {
  return html`<form method="post" action="/disks/retire">${tokenField(session)}
<input type="hidden" name="volume" value="${volume}">
<button data-key="retire ${volume}">Empty, to pull it<span class="quiet"> (${volume})</span></button></form>`;
}

function otherDisk(disk: DiskFacts, session: Session): Html {
  const { device, sizeBytes, role, content } = disk;
  const what = role === 'blank' ? 'blank' : `left alone: ${content ?? 'something is on it'}`;
  return html`<li>${describe(disk)} (${device}), ${formatBytes(sizeBytes)}, ${what}
${
  role === 'blank'
    ? html`<form method="post" action="/disks/adopt">${tokenField(session)}
<input type="hidden" name="device" value="${device}">
<button data-key="adopt ${device}">Format it for the pool</button></form>`
    : null
}</li>`;
}

const workWords: Readonly<Record<WorkStatus['kind'], string>> = {
  retire: 'Emptying disk',
  copy: 'Copying',
  update: 'Installing',
  check: 'Checking',
};

/** What takes longer than a moment, with how far it is. */
export function workPart({ work }: ApplianceStatus): Html {
  if (work.length === 0) return html``;
  return html`<h2>What it does now</h2><ul class="work">${work.map(workItem)}</ul>`;
}

function workItem({ kind, subject, doneBytes, totalBytes, leftMs }: WorkStatus): Html {
  const label = `${workWords[kind]} ${subject}`;
  const left = leftMs === null ? '' : `, about ${formatDuration(leftMs)} left`;
  return html`<li><p>${label}: ${formatBytes(doneBytes)} of ${formatBytes(totalBytes)}${left}</p>
<progress max="${Math.max(1, totalBytes)}" value="${doneBytes}" aria-label="${label}"></progress></li>`;
}
