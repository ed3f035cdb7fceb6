import { hash } from 'node:crypto';
import { type Bytes, concat, viewOf } from '../../base/bytes.ts';
import { partitionCount } from './quotas.ts';

/** One SHA-256 gives the draws of this many consecutive partitions. */
const drawsPerHash = 8;

/** A draw is a whole number below this; 20 bits, so that every product below stays under 2⁵³ and exact. */
const drawLimit = 2 ** 20;

/** Scores are whole multiples of 2⁻²⁰. */
const scoreUnit = 2 ** 20;

/**
 * One member's draws, one a partition: that of partition p is the first 20 bits of word p mod 8 of SHA-256(⌊p / 8⌋
 * (4 bytes) ‖ member id). They depend on nothing else, so that a member keeps its draws whoever joins or leaves.
 */
export function drawsOf(memberId: Bytes): Uint32Array {
  const draws = new Uint32Array(partitionCount);
  const message = concat([new Uint8Array(4), memberId]);
  for (let first = 0; first < partitionCount; first += drawsPerHash) {
    viewOf(message).setUint32(0, first / drawsPerHash);
    const digest = hash('sha256', message, 'buffer');
    for (let index = 0; index < drawsPerHash; index++) {
      draws[first + index] = digest.readUInt32BE(index * 4) >>> 12;
    }
  }
  return draws;
}

/**
 * The Pareto score of a member for a partition: the odds of its draw over the odds of its share,
 * [u / (1 − u)] / [π / (1 − π)] with u = (draw + ½) / 2²⁰ and π = quota / 4096, in units of 2⁻²⁰, rounded down. The
 * lowest hold the partition (Rosén, "Asymptotic theory for order sampling", 1997). The dividend is a whole number
 * below 2⁵³, hence the floor of the rounded quotient is the floor of the true one on every processor.
 */
export function scoreOf(draw: number, quota: number): number {
  if (quota === 0) return Number.MAX_SAFE_INTEGER;
  const odds = 2 * draw + 1;
  const dividend = odds * (partitionCount - quota) * scoreUnit;
  return Math.floor(dividend / ((2 * drawLimit - odds) * quota));
}
