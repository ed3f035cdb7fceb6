import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type CborValue, encodeCbor } from '../base/cbor.ts';
import { AetherError } from '../base/errors.ts';
import type { PeerConnection } from '../pool/transfer/peer-connection.ts';
import { foldStatus } from '../status/appliance-status.ts';
import { statusToCbor } from '../status/status-codec.ts';
import { healthyFacts } from '../testing/appliance-facts.ts';
import { askStatus } from './ask-status.ts';

function asked(answer: CborValue | Error) {
  const request = async () => {
    if (answer instanceof Error) throw answer;
    return encodeCbor(answer);
  };
  return askStatus({ request } as Partial<PeerConnection> as PeerConnection, 1000);
}

const status = foldStatus(healthyFacts);
const known = statusToCbor(status) as { readonly [key: string]: CborValue };

test('what a box says of itself is read', async () => {
  assert.deepEqual(await asked(known), status);
});

test('a box that is newer is told from one that does not answer', async () => {
  for (const newer of [{ v: 2 }, { worst: 'splendid' }]) {
    await assert.rejects(asked({ ...known, ...newer }), {
      code: 'STATUS_UNREADABLE',
      help: /update this program/,
    });
  }
  const gone = new AetherError('LINK_CLOSED', 'the connection closed');
  await assert.rejects(asked(gone), gone);
});
