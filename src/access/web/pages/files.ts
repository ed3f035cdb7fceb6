import { formatBytes } from '../../../base/format.ts';
import type { RemotePath } from '../../../files/remote-path.ts';
import type { RemoteEntry } from '../../../files/tree/remote-entry.ts';
import { type Html, html } from '../html.ts';
import type { Session } from '../sessions.ts';
import { timeOf, tokenField } from './layout.ts';

export interface FolderPage {
  readonly path: RemotePath;
  readonly entries: readonly RemoteEntry[];
  /** Where the next page begins, if there is one. */
  readonly after: string | undefined;
  readonly session: Session;
}

/** Where the page of a folder, or a file, is. */
export function hrefOf(path: RemotePath): string {
  return `/files${path.map((name) => `/${encodeURIComponent(name)}`).join('')}`;
}

export function folderBody({ path, entries, after, session }: FolderPage): Html {
  const name = path.at(-1) ?? 'All files';
  const href = hrefOf(path);
  return html`<div class="health"><div><h1>${name}</h1>${trail(path)}</div></div>
<section class="card">
${
  entries.length === 0
    ? html`<h2>Nothing is here yet</h2>`
    : html`<h2>What is here</h2><div class="scroll"><table>
<thead><tr><th scope="col">Name</th><th scope="col" class="number">Size</th><th scope="col">Changed</th>
<th scope="col">Deeds</th></tr></thead>
<tbody>${entries.map((entry) => entryRow(entry, path, session))}</tbody></table></div>`
}
${after === undefined ? null : html`<p><a href="${href}?after=${encodeURIComponent(after)}">More</a></p>`}
</section>
<section class="card"><h2>Store files here</h2>
<form class="stack" method="post" action="${href}">
<label for="upload">Files of this computer</label>
<input type="file" id="upload" multiple data-to="${href === '/files' ? '/files/' : `${href}/`}" data-token="${session.token}">
<p id="upload-said" role="status"></p><progress id="upload-progress" hidden aria-label="Sending"></progress></form>
<form class="row" method="post" action="/files-deeds/folder">${tokenField(session)}
<input type="hidden" name="path" value="${pathText(path)}">
<label for="folder">New folder</label><input type="text" id="folder" name="name" required autocomplete="off">
<button>Make it</button></form></section>`;
}

/** The folders above, each a link. */
function trail(path: RemotePath): Html {
  const above = path.slice(0, -1).map((name, index) => ({ name, path: path.slice(0, index + 1) }));
  if (path.length === 0) return html``;
  return html`<nav aria-label="Folders above"><p><a href="/files">All files</a>${above.map(
    (each) => html` / <a href="${hrefOf(each.path)}">${each.name}</a>`,
  )}</p></nav>`;
}

function entryRow(entry: RemoteEntry, path: RemotePath, session: Session): Html {
  const { name, kind, size, mtimeMs } = entry;
  const href = hrefOf([...path, name]);
  const shown = kind === 'directory' ? `${name}/` : name;
  const link =
    kind === 'symlink' ? html`${name} → ${entry.target ?? ''}` : html`<a href="${href}">${shown}</a>`;
  return html`<tr><td class="name">${link}</td>
<td class="number">${kind === 'file' ? formatBytes(size) : ''}</td><td>${timeOf(mtimeMs)}</td>
<td><form method="post" action="/files-deeds/remove">${tokenField(session)}
<input type="hidden" name="path" value="${pathText([...path, name])}">
<button class="danger" aria-label="Remove ${name}">Remove</button></form></td></tr>`;
}

/** A path in a form: JSON, since a name may hold anything but a slash. */
function pathText(path: RemotePath): string {
  return JSON.stringify(path);
}

/** Asks before something is removed. */
export function removeBody(path: RemotePath, { name, kind }: RemoteEntry, session: Session): Html {
  const what = kind === 'directory' ? `the folder ${name} with all that is in it` : name;
  return html`<div class="health"><div><h1>Remove ${what}?</h1>
<p>It is gone for everybody in the pool, and does not come back.</p></div></div>
<form class="row" method="post" action="/files-deeds/remove">${tokenField(session)}
<input type="hidden" name="path" value="${pathText(path)}"><input type="hidden" name="sure" value="yes">
<button class="danger">Remove it</button><a href="${hrefOf(path.slice(0, -1))}">Keep it</a></form>`;
}
