import type { Bytes } from '../../base/bytes.ts';
import type { DatagramAddress } from '../../ports/datagram.ts';
import { SeededEntropy } from '../seeded-entropy.ts';

/** What comes with a packet and is not in it; the packet's bytes decide, so that a packet is replayed by its bytes. */
export interface PacketDraws {
  /** Since the packet before. */
  readonly afterMs: number;
  readonly from: DatagramAddress;
  readonly multicast: boolean;
  readonly draw: number;
}

export function drawsOf(bytes: Bytes): PacketDraws {
  const entropy = new SeededEntropy(hashOf(bytes));
  return {
    afterMs: waitMs(entropy),
    from: {
      address: `10.0.0.${10 + entropy.below(6)}`,
      port: entropy.chance(0.85) ? 5353 : 40_000 + entropy.below(4),
    },
    multicast: entropy.chance(0.9),
    draw: entropy.below(2 ** 20) / 2 ** 20,
  };
}

/** Mostly a flood; sometimes long enough for answers to go out, for probing to end, for records to expire. */
function waitMs(entropy: SeededEntropy): number {
  const kind = entropy.below(1000);
  if (kind < 700) return entropy.below(20);
  if (kind < 950) return entropy.below(500);
  if (kind < 998) return entropy.below(5000);
  return entropy.below(2 * 3_600_000);
}

/** FNV-1a, 32 bits. */
function hashOf(bytes: Bytes): number {
  let hash = 0x811c9dc5;
  for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash >>> 0;
}
