import type { Clock } from '../ports/clock.ts';
import { type Suite, sealChunk } from './seal.ts';

const probeBytes = 64 * 1024;
const rounds = 5;
const chunksPerRound = 4;

/**
 * The suite that this processor is faster with: AES-256-GCM where it has AES instructions, ChaCha20-Poly1305 where
 * not (Raspberry Pi 3 and 4). Takes some 10 ms; ask once, at the start.
 */
export function fastestSuite(clock: Clock): Suite {
  // Random enough not to be compressed, so that the ciphers are what is measured.
  const plaintext = new Uint8Array(probeBytes);
  let state = 1;
  for (let index = 0; index < probeBytes; index++) {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    plaintext[index] = state >>> 24;
  }
  const aes = leastMs(clock, plaintext, 'aes-256-gcm');
  return leastMs(clock, plaintext, 'chacha20-poly1305') < aes ? 'chacha20-poly1305' : 'aes-256-gcm';
}

/** The least of some rounds: what else runs on the machine only ever adds. */
function leastMs(clock: Clock, plaintext: Uint8Array, suite: Suite): number {
  const secret = new Uint8Array(32);
  let least = Number.POSITIVE_INFINITY;
  for (let round = 0; round < rounds; round++) {
    const startMs = clock.monotonicMs();
    for (let chunk = 0; chunk < chunksPerRound; chunk++) sealChunk(plaintext, secret, suite);
    least = Math.min(least, clock.monotonicMs() - startMs);
  }
  return least;
}
