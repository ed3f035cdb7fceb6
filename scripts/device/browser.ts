import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';

const candidates = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

/** Why no page can be looked at here, or undefined. */
export function whyNoBrowser(): string | undefined {
  return program() === undefined ? 'no Chromium is installed here' : undefined;
}

export function openBrowser(): Promise<Browser> {
  // Chromium's sandbox wants a user of its own; here it only shows our own page.
  return chromium.launch({ executablePath: program()!, args: ['--no-sandbox', '--disable-dev-shm-usage'] });
}

function program(): string | undefined {
  return candidates.find((path) => existsSync(path));
}

export interface Look {
  readonly colorScheme?: 'light' | 'dark';
  readonly width?: number;
}

/** One person's browser: its own cookies. The box's certificate is its own, and accepted as a person would. */
export async function openContext(
  browser: Browser,
  { colorScheme = 'light', width = 1100 }: Look = {},
): Promise<BrowserContext> {
  const context = await browser.newContext({
    ignoreHTTPSErrors: true,
    colorScheme,
    viewport: { width, height: 800 },
    timezoneId: 'UTC',
    locale: 'en-GB',
    reducedMotion: 'reduce',
  });
  context.setDefaultTimeout(15_000);
  return context;
}

const axeSource = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** What axe-core finds wrong with the page as it is shown, a line for each. */
export async function accessibilityProblems(page: Page): Promise<readonly string[]> {
  // Not by a script tag: the page's policy forbids those.
  await page.evaluate(axeSource);
  const { violations } = await page.evaluate<{ violations: readonly Violation[] }>('axe.run()');
  return violations.flatMap(({ id, help, nodes }) => nodes.map(({ html }) => `${id}: ${help}: ${html}`));
}

interface Violation {
  readonly id: string;
  readonly help: string;
  readonly nodes: readonly { readonly html: string }[];
}
