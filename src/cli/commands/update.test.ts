import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseCommandLine } from '../arguments.ts';
import type { CommandContext } from '../command.ts';
import { update } from './update.ts';

/** Refused before anything is opened or anybody is asked. */
const nothing = {} as CommandContext;

const refused: readonly (readonly [words: string, why: RegExp])[] = [
  ['box --at 03:30', /FILE/],
  ['box --later', /FILE/],
  ['box --older', /FILE/],
  ['box file --later --at 03:30', /one of them/],
  ['box file --at 3.30', /an hour as 03:30/],
  ['', /one box/],
  ['box file more', /one box/],
];

for (const [words, why] of refused) {
  test(`update ${words}: what would not be heeded is refused`, async () => {
    const line = parseCommandLine(words.split(' ').filter(Boolean), update.options, '');
    await assert.rejects(update.run(line, nothing), { code: 'USAGE', message: why });
  });
}
