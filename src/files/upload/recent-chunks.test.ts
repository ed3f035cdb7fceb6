import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ChunkToPut } from '../../pool/transfer/chunk-entry.ts';
import { settle } from '../../testing/fake-clock.ts';
import { RecentChunks } from './recent-chunks.ts';

function chunk(byte: number): ChunkToPut {
  return { id: new Uint8Array(32).fill(byte), body: new Uint8Array(10) };
}

/** What is sent, and how each sending ends. */
function sinkToAnswer() {
  const sent: PromiseWithResolvers<readonly { readonly copies: number }[]>[] = [];
  const putMany = () => {
    const answer = Promise.withResolvers<readonly { readonly copies: number }[]>();
    sent.push(answer);
    return answer.promise;
  };
  return { recent: new RecentChunks({ putMany }), sent };
}

test('a chunk is sent once, and again when its sending failed', async () => {
  const { recent, sent } = sinkToAnswer();
  const puts = [recent.put([chunk(1)]), recent.put([chunk(1)])];
  sent[0]!.resolve([{ copies: 2 }]);
  assert.deepEqual(await Promise.all(puts), [2, 2]);
  assert.equal(await recent.put([chunk(1)]), 2);
  assert.equal(sent.length, 1);
  const failing = recent.put([chunk(2)]);
  sent[1]!.reject(new Error('away'));
  await assert.rejects(failing);
  void recent.put([chunk(2)]);
  assert.equal(sent.length, 3);
});

test('chunks of which one was refused to another put are on their way until all of them are answered', async () => {
  const { recent, sent } = sinkToAnswer();
  const first = assert.rejects(recent.put([chunk(1)]), /full/);
  let hasEnded = false;
  const second = recent.put([chunk(1), chunk(2)]).finally(() => {
    hasEnded = true;
  });
  second.catch(() => {});
  sent[0]!.reject(new Error('full'));
  await first;
  await settle();
  assert.equal(hasEnded, false, 'the memory of the second chunk is still read');
  sent[1]!.resolve([{ copies: 1 }]);
  await assert.rejects(second, /full/);
});
