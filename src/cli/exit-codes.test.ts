import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AetherError } from '../base/errors.ts';
import { type ExitCode, exitCodeOf, exitCodes } from './exit-codes.ts';

const documented: readonly (readonly [ExitCode, readonly string[]])[] = [
  [
    exitCodes.usage,
    ['USAGE', 'PATH_INVALID', 'CONFIG_INVALID', 'CONFIG_UNKNOWN_KEY', 'PAIRING_CODE_INVALID'],
  ],
  [exitCodes.notFound, ['PATH_NOT_FOUND', 'LOCAL_NOT_FOUND', 'BOX_NOT_FOUND']],
  [exitCodes.notFound, ['UPDATE_GONE', 'UPDATE_NOT_STAGED']],
  [exitCodes.unreachable, ['POOL_UNREACHABLE', 'PEER_UNREACHABLE', 'REQUEST_TIMEOUT', 'LINK_CLOSED']],
  [exitCodes.refused, ['PAIRING_CODE_WRONG', 'PAIRING_LOCKED', 'NOT_A_MEMBER', 'FOREIGN_POOL', 'NO_POOL']],
  [exitCodes.refused, ['UPDATE_UNPROVEN', 'UPDATE_CHANGED', 'UPDATE_TOO_LARGE', 'UPDATER_UNAVAILABLE']],
  [exitCodes.full, ['STORE_FULL', 'POOL_FULL', 'LOCAL_FULL', 'DISK_FULL']],
  [exitCodes.interrupted, ['INTERRUPTED']],
  [exitCodes.failed, ['NOT_EMPTY', 'INTERNAL']],
];

for (const [exitCode, codes] of documented) {
  test(`exit status ${exitCode} stands for ${codes.join(', ')}`, () => {
    for (const code of codes) assert.equal(exitCodeOf(new AetherError(code, '')), exitCode, code);
  });
}

test('a defect of ours is a failure, whatever it carries', () => {
  assert.equal(exitCodeOf(Object.assign(new Error('no'), { code: 'POOL_FULL' })), exitCodes.failed);
  assert.equal(exitCodeOf(undefined), exitCodes.failed);
});
