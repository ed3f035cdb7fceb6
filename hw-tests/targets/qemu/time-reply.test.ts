import assert from 'node:assert/strict';
import { test } from 'node:test';
import { timeReply } from './time-reply.ts';

test('a question is answered in its version, with its own time stamp and that of the server (RFC 4330 §5)', () => {
  const question = Buffer.alloc(48);
  question[0] = (4 << 3) | 3;
  question.write('stamped!', 40, 'latin1');
  const answer = Buffer.from(timeReply(question, Date.UTC(2026, 0, 1) + 500) ?? []);
  assert.equal(answer.length, 48);
  assert.equal(answer[0], (4 << 3) | 4);
  assert.equal(answer.toString('latin1', 24, 32), 'stamped!');
  for (const offset of [32, 40]) {
    assert.equal(answer.readUInt32BE(offset), Date.UTC(2026, 0, 1) / 1000 + 2_208_988_800);
    assert.equal(answer.readUInt32BE(offset + 4), 2 ** 31);
  }
});

test('what is too short or another server’s answer is not answered', () => {
  assert.equal(timeReply(Buffer.alloc(47, 0x23), 0), undefined);
  assert.equal(timeReply(Buffer.alloc(48, 0x24), 0), undefined);
});
