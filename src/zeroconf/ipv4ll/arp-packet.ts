import { type Bytes, viewOf } from '../../base/bytes.ts';
import { formatIpv4, parseIpv4 } from '../../base/ip-address.ts';

/**
 * ARP for IPv4 on Ethernet (RFC 826), from the Ethernet header on:
 *
 * | offset | bytes | what |
 * |---|---|---|
 * | 0 | 6 | destination; ours is always the broadcast address (RFC 3927 §2.5) |
 * | 6 | 6 | source |
 * | 12 | 2 | 0x0806 |
 * | 14 | 2, 2, 1, 1 | hardware type 1, protocol 0x0800, their lengths 6 and 4 |
 * | 20 | 2 | operation: 1 request, 2 reply |
 * | 22 | 6, 4 | sender: hardware address, IPv4 address |
 * | 32 | 6, 4 | target: the same |
 */
export interface ArpPacket {
  readonly operation: 'request' | 'reply';
  readonly senderMac: Bytes;
  /** `0.0.0.0` in a probe (RFC 5227 §1.1). */
  readonly senderAddress: string;
  readonly targetAddress: string;
}

const headerBytes = 42;
/** What Ethernet carries at least, without its checksum. */
const frameBytesMin = 60;
const unspecified = '0.0.0.0';
const fixed = [0x08, 0x06, 0, 1, 0x08, 0, 6, 4];

/** Asks whether somebody has `address`, without claiming it. */
export function arpProbe(mac: Bytes, address: string): Bytes {
  return encode(mac, unspecified, address);
}

/** Says that `address` is ours: a request for it, by it. */
export function arpAnnouncement(mac: Bytes, address: string): Bytes {
  return encode(mac, address, address);
}

/** What a frame says, or undefined where it is too short, or no ARP of IPv4 on Ethernet. */
export function decodeArp(frame: Bytes): ArpPacket | undefined {
  if (frame.length < headerBytes || fixed.some((byte, index) => frame[12 + index] !== byte)) return undefined;
  const operation = viewOf(frame).getUint16(20);
  if (operation !== 1 && operation !== 2) return undefined;
  return {
    operation: operation === 1 ? 'request' : 'reply',
    senderMac: frame.slice(22, 28),
    senderAddress: formatIpv4(frame.subarray(28, 32)),
    targetAddress: formatIpv4(frame.subarray(38, 42)),
  };
}

/** Whether this asks if `address` is free, as {@link arpProbe} does. */
export function isProbeFor({ operation, senderAddress, targetAddress }: ArpPacket, address: string): boolean {
  return operation === 'request' && senderAddress === unspecified && targetAddress === address;
}

function encode(mac: Bytes, sender: string, target: string): Bytes {
  const frame = new Uint8Array(frameBytesMin);
  frame.fill(0xff, 0, 6);
  frame.set(mac, 6);
  frame.set(fixed, 12);
  frame[21] = 1;
  frame.set(mac, 22);
  frame.set(parseIpv4(sender)!, 28);
  frame.set(parseIpv4(target)!, 38);
  return frame;
}
