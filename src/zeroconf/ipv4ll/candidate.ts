import { hash } from 'node:crypto';
import { type Bytes, viewOf } from '../../base/bytes.ts';
import { parseIpv4 } from '../../base/ip-address.ts';

/** 169.254.1.0 to 169.254.254.255: the first and the last 256 addresses are reserved (RFC 3927 §2.1). */
const firstHost = 0x0100;
const hostCount = 0xff00 - firstHost;

/** The bits of a link-local IPv4 address that are the network's. */
export const linkLocalPrefixLength = 16;

/**
 * The address to try as number `index` (from 0) by the host with this hardware address: uniformly drawn, and the same
 * each time, so that a box comes back to its address even with nothing remembered (RFC 3927 §2.1).
 */
export function candidateAddress(mac: Bytes, index: number): string {
  const input = new Uint8Array(mac.length + 4);
  input.set(mac);
  viewOf(input).setUint32(mac.length, index);
  const draw = viewOf(hash('sha256', input, 'buffer')).getUint32(0);
  const host = firstHost + (draw % hostCount);
  return `169.254.${host >> 8}.${host & 0xff}`;
}

/** Whether a host may take this address by itself. */
export function isCandidate(address: string): boolean {
  const [a, b, c] = parseIpv4(address) ?? [];
  return a === 169 && b === 254 && c! >= 1 && c! <= 254;
}
