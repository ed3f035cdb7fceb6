import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLog, formatJournalEntry, formatLogEntry, type LogEntry } from './log.ts';

const entries: LogEntry[] = [];
const log = createLog(
  'store',
  () => 0,
  (entry) => entries.push(entry),
);

test('a line for a person has the time, one for a journal its priority; values with blanks are quoted', () => {
  log.warn('volume full', { volume: 'disk 1', bytes: 3, peer: undefined });
  const [entry] = entries.splice(0);
  assert.equal(
    formatLogEntry(entry!),
    '1970-01-01T00:00:00.000Z warn store: volume full volume="disk 1" bytes=3',
  );
  assert.equal(formatJournalEntry(entry!), '<4>store: volume full volume="disk 1" bytes=3');
});

test('a line stays a line, whatever is in its fields', () => {
  log.error('bad', { name: 'a\nb\x1b[2J' });
  const [entry] = entries.splice(0);
  assert.ok(!formatJournalEntry(entry!).includes('\n') && !formatJournalEntry(entry!).includes('\x1b'));
  assert.match(formatJournalEntry(entry!), /^<3>/);
});
