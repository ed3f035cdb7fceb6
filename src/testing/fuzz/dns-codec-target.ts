import assert from 'node:assert/strict';
import { isDeepStrictEqual } from 'node:util';
import type { Bytes } from '../../base/bytes.ts';
import { dnsMessageBytesMax } from '../../base/discovery-limits.ts';
import { hasCode } from '../../base/errors.ts';
import { decodeMessage } from '../../zeroconf/dns/decoder.ts';
import { encodeMessage } from '../../zeroconf/dns/encoder.ts';
import type { Message } from '../../zeroconf/dns/message.ts';
import { dnsCorpus } from './dns-corpus.ts';
import { dnsLayout } from './dns-layout.ts';
import type { FuzzSubject, FuzzTarget, Stopwatch } from './fuzz-target.ts';

export const dnsCodecTarget: FuzzTarget = {
  name: 'dns-codec',
  about: 'decodes a DNS message; what decodes is encoded and decoded again to the same',
  corpus: dnsCorpus,
  layoutOf: dnsLayout,
  start: () => new CodecSubject(),
};

class CodecSubject implements FuzzSubject {
  #decoded = 0;
  #message: Message | undefined;

  receive(bytes: Bytes, timed: Stopwatch): void {
    this.#message = timed(() => decoded(bytes));
  }

  check(): void {
    const message = this.#message;
    if (message === undefined) return;
    this.#decoded++;
    let again: Bytes;
    try {
      again = encodeMessage(message);
    } catch (error) {
      // What a pointer repeats within one name is written out by us, so a message may come out longer.
      if (hasCode(error, 'DNS_MALFORMED') && error.message.includes('9000 bytes')) return;
      throw error;
    }
    assert.ok(again.length <= dnsMessageBytesMax);
    assert.ok(isDeepStrictEqual(decodeMessage(again), message), 'decoded anew, the message is another');
  }

  figures(): Readonly<Record<string, number>> {
    return { decoded: this.#decoded };
  }
}

/** The message, or undefined for bytes that are none. */
export function decoded(bytes: Bytes): Message | undefined {
  try {
    return decodeMessage(bytes);
  } catch (error) {
    if (hasCode(error, 'DNS_MALFORMED')) return undefined;
    throw error;
  }
}
