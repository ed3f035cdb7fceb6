import type { Clock } from '../ports/clock.ts';
import { encrypt, type Suite, sealedBytes } from './seal.ts';

const probeBytes = 64 * 1024;
const rounds = 5;
const chunksPerRound = 4;

/**
 * How many times as fast ChaCha20 has to be. Without AES instructions it is three times as fast; with them the two may
 * be so near each other that a probe would choose by chance, and two desktops that choose differently store everything
 * twice, since a suite is part of a sealed chunk.
 */
const advantageMin = 1.5;

/**
 * The suite for this processor: AES-256-GCM where it has AES instructions, ChaCha20-Poly1305 where not (Raspberry Pi 3
 * and 4). Takes some milliseconds; ask once, at the start.
 */
export function fastestSuite(clock: Clock): Suite {
  const aesMs = leastMs(clock, 'aes-256-gcm');
  return advantageMin * leastMs(clock, 'chacha20-poly1305') < aesMs ? 'chacha20-poly1305' : 'aes-256-gcm';
}

/** The least of some rounds: what else runs on the machine only ever adds. */
function leastMs(clock: Clock, suite: Suite): number {
  const plaintext = new Uint8Array(probeBytes);
  const key = new Uint8Array(32);
  const body = new Uint8Array(sealedBytes(probeBytes));
  let least = Number.POSITIVE_INFINITY;
  for (let round = 0; round < rounds; round++) {
    const startMs = clock.monotonicMs();
    for (let chunk = 0; chunk < chunksPerRound; chunk++) encrypt(suite, key, plaintext, body);
    least = Math.min(least, clock.monotonicMs() - startMs);
  }
  return least;
}
