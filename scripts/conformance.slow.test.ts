import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const script = fileURLToPath(new URL('conformance.ts', import.meta.url));

test('every line of the conformance list has a passing test, and the document says so', () => {
  // In a test's own environment node runs no further tests.
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, '--check'], {
    env,
    encoding: 'utf8',
  });
  assert.equal(status, 0, stdout + stderr);
});
