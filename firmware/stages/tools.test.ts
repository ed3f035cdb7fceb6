import assert from 'node:assert/strict';
import { test } from 'node:test';
import { requireProcessor } from './tools.ts';

test('a machine with another processor than the tools are for is told so', () => {
  assert.throws(() => requireProcessor('arm64'), /x86-64 .*this one is arm64/);
  requireProcessor('x64');
});
