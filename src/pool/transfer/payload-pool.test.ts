import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withhold } from '../../base/withheld-memory.ts';
import { PayloadPool } from './payload-pool.ts';

test('memory that is given back is given out again, unless somebody may still touch it', () => {
  const payloads = new PayloadPool();
  const [idle, late] = [payloads.take(100_000), payloads.take(100_000)];
  withhold([late.subarray(10)]);
  payloads.release(late);
  payloads.release(idle);
  assert.equal(payloads.take(100_000).buffer, idle.buffer);
  assert.notEqual(payloads.take(100_000).buffer, late.buffer);
});
