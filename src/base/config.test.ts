import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  type ConfigOf,
  choiceField,
  countField,
  flagField,
  listField,
  nullable,
  objectField,
  parseConfig,
  textField,
  withDefault,
} from './config.ts';
import { AetherError } from './errors.ts';

const schema = objectField({
  name: textField({ charactersMax: 20, pattern: /^[a-z0-9-]+$/ }),
  port: withDefault(countField({ max: 65535 }), 0),
  linkLocal: withDefault(choiceField(['fallback', 'always', 'never']), 'fallback'),
  verbose: withDefault(flagField(), false),
  label: nullable(textField()),
  disks: listField(objectField({ path: textField(), limitBytes: nullable(countField()) }), {
    itemsMin: 1,
    itemsMax: 4,
  }),
});

function parse(value: unknown): ConfigOf<typeof schema> {
  return parseConfig(JSON.stringify(value), schema, 'box.json');
}

const least = { name: 'box-1', disks: [{ path: 'disk1' }] };

test('defaults are filled in, so that what follows is plain and complete', () => {
  assert.deepEqual(parse(least), {
    name: 'box-1',
    port: 0,
    linkLocal: 'fallback',
    verbose: false,
    label: null,
    disks: [{ path: 'disk1', limitBytes: null }],
  });
});

test('an unknown key is refused and the nearest known one named, in nested lists too', () => {
  assert.throws(() => parse({ ...least, prot: 1 }), {
    code: 'CONFIG_UNKNOWN_KEY',
    message: 'box.json: unknown key "prot"; did you mean "port"?',
  });
  assert.throws(() => parse({ ...least, disks: [{ path: 'a', limitBites: 1 }] }), {
    code: 'CONFIG_UNKNOWN_KEY',
    message: 'box.json: disks[0]: unknown key "limitBites"; did you mean "limitBytes"?',
  });
  assert.throws(() => parse({ ...least, zebra: 1 }), { message: 'box.json: unknown key "zebra"' });
});

test('keys that every object inherits are unknown as well', () => {
  const text = '{"name":"a","disks":[{"path":"a"}],"__proto__":{}}';
  assert.throws(() => parseConfig(text, schema, 'box.json'), { code: 'CONFIG_UNKNOWN_KEY' });
  assert.throws(() => parse({ ...least, constructor: 1 }), { code: 'CONFIG_UNKNOWN_KEY' });
  assert.throws(() => parseConfig('{}', objectField({ toString: textField() }), 'x'), /toString is missing/);
});

test('a wrong value is refused with its path and what was expected', () => {
  const wrong: readonly [unknown, RegExp][] = [
    [{ ...least, port: 70000 }, /^box.json: port: a whole number from 0 to 65535 was expected, not 70000$/],
    [{ ...least, port: 1.5 }, /port/],
    [{ ...least, port: '80' }, /port: .* not "80"/],
    [{ ...least, verbose: 'yes' }, /verbose: true or false/],
    [{ ...least, linkLocal: 'allways' }, /linkLocal: one of "fallback", .*; did you mean "always"\?/],
    [{ ...least, name: 'Not Fit' }, /name: text like/],
    [{ ...least, name: 'a'.repeat(21) }, /name: text of 1 to 20 characters/],
    [{ ...least, disks: [] }, /disks: a list of 1 to 4/],
    [{ ...least, disks: [{ path: 1 }] }, /disks\[0\]: path: text was expected, not 1/],
    [{ ...least, disks: {} }, /disks: a list/],
    [{ disks: [{ path: 'a' }] }, /name is missing/],
    [[], /an object/],
    [null, /an object/],
  ];
  for (const [value, message] of wrong)
    assert.throws(() => parse(value), { code: 'CONFIG_INVALID', message });
});

test('text that is no JSON is refused with the name of its source', () => {
  assert.throws(() => parseConfig('{"name": ', schema, 'box.json'), {
    code: 'CONFIG_INVALID',
    message: 'box.json is not JSON',
  });
});

test('whatever the JSON, it is read or refused with a code and something to do', () => {
  fc.assert(
    fc.property(fc.json(), (text) => {
      try {
        parseConfig(text, schema, 'box.json');
      } catch (error) {
        assert.ok(error instanceof AetherError && /^CONFIG_/.test(error.code) && error.help !== '');
      }
    }),
  );
});
