import { countOf, formatAge, formatBytes, formatDuration, formatGibibytes } from '../../../base/format.ts';
import type { ApplianceStatus, WorkStatus } from '../../../status/appliance-status.ts';
import { describeComputer } from '../../../status/describe-computer.ts';
import { boxLabelOf, type DiskFacts, type PeerFacts, type VolumeFacts } from '../../../status/facts.ts';
import { type Html, html } from '../html.ts';
import type { Adoption, Session } from '../sessions.ts';
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
export function boxesPart({ box, peers, hardware }: ApplianceStatus, session: Session): Html {
  const computer = describeComputer(hardware);
  return html`<h2>Boxes</h2><ul class="things">
<li><p><strong>${box.name}</strong> <span class="quiet">this box, up ${formatDuration(box.uptimeMs)}</span></p>
${computer === '' ? null : html`<p class="quiet">${computer}</p>`}
${identifyForm(box.identifying, session)}</li>
${peers.map(peerItem)}</ul>`;
}

function identifyForm(on: boolean, session: Session): Html {
  return html`<form class="row" method="post" action="/identify">${tokenField(session)}
<input type="hidden" name="on" value="${on ? 'no' : 'yes'}">
<button data-key="identify">${on ? 'Stop blinking' : 'Blink its lights'}</button></form>`;
}

function peerItem({ name, reachable, address, lastSeenAgoMs }: PeerFacts): Html {
  const seen = lastSeenAgoMs === null ? 'not heard yet' : `heard ${formatAge(lastSeenAgoMs)}`;
  const state = reachable ? 'answers' : html`<span class="gone">away</span>, ${seen}`;
  return html`<li><p><strong>${name}</strong> <span class="quiet">${state}${address === null ? null : ` at ${address}`}</span></p></li>`;
}

/** Volumes of this box, and what else is attached to it. */
export function disksPart({ volumes, disks }: ApplianceStatus, session: Session): Html {
  const others = disks.filter(({ role }) => role === 'blank' || role === 'foreign');
  return html`<h2>Disks of this box</h2>
${[...session.adoptions.values()].map(adoptionNote)}
${volumes.length === 0 ? html`<p>It has none.</p>` : null}
<ul class="things">${volumes.map((volume) => volumeItem(volume, disks, session))}
${others.map((disk) => otherDisk(disk, session))}</ul>`;
}

function adoptionNote({ state, words }: Adoption): Html {
  return html`<p class="note${state === 'failed' ? ' bad' : ''}" role="status">${words}</p>`;
}

const stateWords: Readonly<Record<VolumeFacts['state'], string>> = {
  ok: 'works',
  full: 'is full',
  failed: 'has failed',
  missing: 'is not attached',
  retiring: 'is being emptied',
  retired: 'is empty and may be pulled',
};

function volumeItem(volume: VolumeFacts, disks: readonly DiskFacts[], session: Session): Html {
  const { name, state, usedBytes, freeBytes } = volume;
  const disk = disks.find((each) => each.volume === name);
  const bad = state === 'failed' || state === 'missing';
  const works = state === 'ok' || state === 'full';
  return html`<li><p><strong>${name}</strong> <span class="${bad ? 'gone' : 'quiet'}">${stateWords[state]}</span></p>
${disk === undefined ? null : html`<p class="quiet">${describe(disk)}</p>`}
${bad ? null : html`<p>${formatGibibytes(usedBytes)} used, ${formatGibibytes(freeBytes)} free</p>`}
<div class="row">${disk === undefined ? null : locateForm(disk, session)}
${works ? retireForm(name, session) : null}${state === 'missing' ? forgetForm(name, 'Do not wait for it', session) : null}
${state === 'retired' ? forgetForm(name, 'Forget it', session) : null}</div></li>`;
}

function describe({ model, serial, device }: DiskFacts): string {
  return [model ?? device, ...(serial === null ? [] : [serial])].join(', ');
}

function locateForm({ device, locating, volume }: DiskFacts, session: Session): Html {
  return html`<form method="post" action="/disks/locate">${tokenField(session)}
<input type="hidden" name="device" value="${device}"><input type="hidden" name="on" value="${locating ? 'no' : 'yes'}">
<button data-key="locate ${device}">${locating ? 'Stop its lamp' : 'Blink its lamp'}${unseen(volume ?? device)}</button></form>`;
}

function retireForm(volume: string, session: Session): Html {
  return html`<form method="post" action="/disks/retire">${tokenField(session)}
<input type="hidden" name="volume" value="${volume}">
<button data-key="retire ${volume}">Empty it, to pull it${unseen(volume)}</button></form>`;
}

function forgetForm(volume: string, words: string, session: Session): Html {
  return html`<form method="post" action="/disks/forget">${tokenField(session)}
<input type="hidden" name="volume" value="${volume}">
<button data-key="forget ${volume}">${words}${unseen(volume)}</button></form>`;
}

/** Which of several buttons of one name this is, for who does not see beside what it stands. */
function unseen(name: string): Html {
  return html`<span class="unseen"> (${name})</span>`;
}

function otherDisk(disk: DiskFacts, session: Session): Html {
  const { device, sizeBytes, role, content } = disk;
  const isTaken = session.adoptions.get(device)?.state === 'running';
  const isFilled = !isTaken && boxLabelOf(disk) !== undefined;
  const isFree = !isTaken && role === 'blank';
  const what = role === 'blank' ? 'is blank' : `is left alone: ${content ?? 'it cannot be read'}`;
  return html`<li><p><strong>${device}</strong> <span class="quiet">${what}</span></p>
<p class="quiet">${describe(disk)}, ${formatBytes(sizeBytes)}</p>
<div class="row">${locateForm(disk, session)}${isFree ? adoptForm(device, 'Format it for the pool', session) : null}
${isFilled ? adoptForm(device, 'Take it back as it is', session) : null}</div></li>`;
}

function adoptForm(device: string, words: string, session: Session): Html {
  return html`<form method="post" action="/disks/adopt">${tokenField(session)}
<input type="hidden" name="device" value="${device}">
<button data-key="adopt ${device}">${words}${unseen(device)}</button></form>`;
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
