import { type Html, html } from '../html.ts';
import type { Session } from '../sessions.ts';
import { tokenField } from './layout.ts';

export interface EnterPage {
  readonly boxName: string;
  /** What was wrong with the last try. */
  readonly problem?: string | undefined;
}

function problemOf({ problem }: EnterPage): Html | null {
  return problem === undefined ? null : html`<p class="note bad" role="alert">${problem}</p>`;
}

/** For a box that belongs to nobody yet. */
export function claimBody(enter: EnterPage): Html {
  return html`<div class="health"><div><h1>This box belongs to nobody yet.</h1>
<p>Make it yours, as the first box of a new pool.</p></div></div>
${problemOf(enter)}
<section class="card"><h2>First claim</h2>
<form class="stack" method="post" action="/claim">
<label for="code">Claim code</label>
<input type="text" id="code" name="code" required autocomplete="off" autocapitalize="characters" spellcheck="false"
 aria-describedby="code-help">
<p class="quiet" id="code-help">It is on the box's console, such as 7K3M-Q9XA.</p>
<button class="main">Claim this box</button></form></section>
<section class="card"><h2>There is a pool already?</h2>
<p>Add this box to it from a desktop of that pool: <code>aether claim ${enter.boxName}</code></p></section>`;
}

/** The words of a pool that is about to be made; shown this once. */
export function wordsBody(words: readonly string[], session: Session): Html {
  return html`<div class="health"><div><h1>Write these 24 words down on paper.</h1>
<p>They are the root of your pool. They are shown this once and kept nowhere; without them nobody can help you when all
boxes and desktops are lost.</p></div></div>
<section class="card"><h2>Recovery words</h2>
<ol class="words">${words.map((word) => html`<li>${word}</li>`)}</ol>
<form class="stack" method="post" action="/claim/finish">${tokenField(session)}
<p class="quiet">The box is yours only once you go on. Leave this page, and nothing has happened.</p>
<button class="main">I have written them down</button></form></section>`;
}

/** For a box that has an owner. */
export function loginBody(enter: EnterPage, { hasPin }: { readonly hasPin: boolean }): Html {
  return html`<div class="health"><div><h1>Log in to ${enter.boxName}</h1>
<p>With a code that is good for ten minutes${hasPin ? ', or with the maintenance PIN' : ''}.</p></div></div>
${problemOf(enter)}
<section class="card"><h2>Log in</h2>
<form class="stack" method="post" action="/login">
<label for="code">${hasPin ? 'Code or PIN' : 'Code'}</label>
<input type="password" id="code" name="code" required autocomplete="off" aria-describedby="code-help">
<p class="quiet" id="code-help">For a code, run <code>aether web ${enter.boxName}</code> on a desktop that is a member,
or type <code>pair</code> on the box's console.</p>
<button class="main">Log in</button></form></section>`;
}
