import { type Html, type HtmlPart, html } from '../html.ts';
import type { Session } from '../sessions.ts';

export interface PageOptions {
  readonly boxName: string;
  readonly title: string;
  readonly version: string;
  /** Absent on pages for people who are not logged in. */
  readonly session?: Session | undefined;
  /** Which entry of the navigation this page is. */
  readonly current?: 'overview' | 'files' | 'settings';
  /** Parts of this page are replaced as news of them come. */
  readonly live?: boolean;
}

const entries = [
  { key: 'overview', href: '/', text: 'Overview' },
  { key: 'files', href: '/files', text: 'Files' },
  { key: 'settings', href: '/settings', text: 'Settings' },
] as const;

/** A whole page around `body`. */
export function page(options: PageOptions, body: HtmlPart): Html {
  const { boxName, title, version, session, live } = options;
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title} · ${boxName}</title>
<link rel="icon" href="/assets/icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="/assets/page.css">
<script src="/assets/page.js" type="module"></script>
</head>
<body>
<a class="skip" href="#main">Skip to the content</a>
<header class="top">
<span class="name">${boxName}</span>
${session === undefined ? null : navigation(options)}
</header>
<main id="main"${live === true ? html` data-live="/news"` : null}>
<p id="gone" class="note bad" role="status" hidden>The box does not answer; this page is not up to date.</p>
${session?.notice === undefined ? null : html`<p class="note" role="status">${session.notice}</p>`}
${body}
</main>
<footer>AetherStore ${version}</footer>
</body>
</html>
`;
}

function navigation({ current, session }: PageOptions): Html {
  const links = entries.map(
    ({ key, href, text }) =>
      html`<li><a href="${href}"${key === current ? html` aria-current="page"` : null}>${text}</a></li>`,
  );
  return html`<nav aria-label="Main"><ul>${links}</ul></nav>
<form method="post" action="/logout">${tokenField(session!)}<button>Log out</button></form>`;
}

/** What every form of a session carries. */
export function tokenField({ token }: Session): Html {
  return html`<input type="hidden" name="token" value="${token}">`;
}

/** A moment, written again by the script as people here write it. */
export function timeOf(wallMs: number): Html {
  const text = new Date(wallMs).toISOString();
  return html`<time datetime="${text}">${text.slice(0, 16).replace('T', ' ')} UTC</time>`;
}
