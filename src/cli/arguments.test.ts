import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type OptionSpec, optionLines, parseCommandLine } from './arguments.ts';

const options: Readonly<Record<string, OptionSpec>> = {
  box: { type: 'string', value: 'NAME', help: 'which box' },
  volume: { type: 'string', value: 'PATH', help: 'a disk', multiple: true },
  json: { type: 'boolean', help: 'JSON' },
};

function parse(...words: string[]) {
  return parseCommandLine(words, options, 'aether ls --help');
}

test('options and positionals in any order; what follows -- is no option', () => {
  const line = parse('a', '--box', 'alder', '--json', '--volume=x', '--volume', 'y', '--', '--box');
  assert.deepEqual(line.positionals, ['a', '--box']);
  assert.equal(line.text('box'), 'alder');
  assert.deepEqual(line.texts('volume'), ['x', 'y']);
  assert.equal(line.flag('json'), true);
});

test('what is not given is undefined, empty or false', () => {
  const line = parse();
  assert.deepEqual([line.text('box'), line.texts('volume'), line.flag('json')], [undefined, [], false]);
});

test('an option that is not known names the nearest; all mistakes say where to look', () => {
  assert.throws(() => parse('--bxo', 'a'), {
    code: 'USAGE',
    message: /--bxo.*--box/,
    help: /aether ls --help/,
  });
  assert.throws(() => parse('--box'), { code: 'USAGE', help: /aether ls --help/ });
  assert.throws(() => parse('--json=yes'), { code: 'USAGE' });
});

test('the help has a line for each option, aligned', () => {
  const lines = optionLines(options);
  assert.equal(lines.length, 3);
  assert.match(lines[0]!, /--box NAME +which box$/);
});
