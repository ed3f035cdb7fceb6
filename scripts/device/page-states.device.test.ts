import assert from 'node:assert/strict';
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { Browser } from 'playwright-core';
import { accessibilityProblems, type Look, openBrowser, openContext, whyNoBrowser } from './browser.ts';
import { pageStates, StatePage } from './page-states.ts';

/*
 * The page in Debian's Chromium, in each of its main states, light, dark and narrow. UPDATE_SCREENS=1 writes the
 * pictures in docs/screens/ that the README shows; to be looked at before they are committed.
 */
const folder = join(import.meta.dirname, '..', '..', 'docs', 'screens');
const skip = whyNoBrowser() ?? false;

const looks: Readonly<Record<string, Look>> = {
  light: {},
  dark: { colorScheme: 'dark' },
  narrow: { width: 320 },
};

let browser: Browser | undefined;

before(async () => {
  if (skip === false) browser = await openBrowser();
});
after(() => browser?.close());

for (const [state, facts] of Object.entries(pageStates)) {
  for (const [name, look] of Object.entries(looks)) {
    test(`the page of a box that is ${state}, ${name}: nothing wrong for keyboard and screen reader, nothing cut off`, {
      skip,
    }, async (t) => {
      const box = await StatePage.start(facts);
      const context = await openContext(browser!, look);
      t.after(() => context.close());
      t.after(() => box.close());
      const page = await context.newPage();
      const complaints: string[] = [];
      page.on('console', (message) => {
        if (message.type() === 'error' && !/401/.test(message.text())) complaints.push(message.text());
      });
      await page.goto(box.url);
      if (facts.pool !== null) {
        await page.getByLabel('Code or PIN').fill(box.code);
        await page.keyboard.press('Enter');
        await page.getByRole('heading', { level: 2, name: 'Room' }).waitFor();
      }
      assert.deepEqual(await accessibilityProblems(page), []);
      const { wide, shown } = await page.evaluate<{ wide: number; shown: number }>(
        '({ wide: document.documentElement.scrollWidth, shown: innerWidth })',
      );
      assert.ok(wide <= shown, `${wide} px wide on ${shown} px`);
      assert.deepEqual(complaints, [], 'the browser has nothing to complain of');
      const path = join(folder, `${state}-${name}.png`);
      if (process.env.UPDATE_SCREENS === '1') {
        mkdirSync(folder, { recursive: true });
        await page.screenshot({ path, fullPage: true });
      } else assert.ok(existsSync(path), `${path} is there`);
    });
  }
}

test('every control of the page can be reached and used by the keyboard alone', { skip }, async (t) => {
  const box = await StatePage.start(pageStates.degraded!);
  const context = await openContext(browser!);
  t.after(() => context.close());
  t.after(() => box.close());
  const page = await context.newPage();
  await page.goto(box.url);
  await page.keyboard.press('Tab');
  await page.keyboard.press('Tab');
  await page.keyboard.type(box.code);
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { level: 2, name: 'Room' }).waitFor();
  const reached = new Set<string>();
  const buttons = await page.getByRole('button').allInnerTexts();
  for (let count = 0; count < buttons.length + 20; count++) {
    await page.keyboard.press('Tab');
    reached.add(await page.evaluate('document.activeElement.innerText ?? ""'));
  }
  for (const button of buttons) assert.ok(reached.has(button), `${button} is reached`);
  await page.getByRole('button', { name: 'Blink its lamp (disk2)' }).focus();
  await page.keyboard.press('Enter');
  await page.waitForURL(/#disks$/);
  assert.deepEqual(box.control.asked, ['locate sdb true']);
});
