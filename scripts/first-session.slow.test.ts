import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { NodeMulticastNetwork } from '../src/platform/node-multicast.ts';
import { temporaryFolder } from './lan/temporary-folder.ts';
import { playSession } from './session/play.ts';
import { readSession } from './session/script.ts';

const root = fileURLToPath(new URL('..', import.meta.url));

test("the README's first session works, word by word", { timeout: 5 * 60_000 }, async (t) => {
  if (new NodeMulticastNetwork().interfaces().length === 0) {
    t.skip('no network interface on which boxes could be found');
    return;
  }
  const steps = readSession(readFileSync(new URL('../README.md', import.meta.url), 'utf8'));
  assert.ok(steps.length >= 15, `the README shows only ${steps.length} steps`);
  const played = await playSession(steps, { cwd: root, folder: temporaryFolder('readme') });
  assert.equal(played.length, steps.length);
});
