import type { Bytes } from '../base/bytes.ts';

/** ARP on Ethernet interfaces, as whole frames (RFC 826). */
export interface ArpNetwork {
  /** Hears and sends ARP on one interface. Errors: `ARP_UNSUPPORTED`, `ARP_NOT_PERMITTED`, `ARP_LINK_GONE`. */
  open(interfaceName: string): Promise<ArpLink>;
}

export interface ArpLink {
  /** Every ARP frame that arrives from others, from the Ethernet header on, as long or short as it came. */
  onFrame(listener: (frame: Bytes) => void): void;
  /** A frame from its Ethernet header on. One that cannot be sent (the cable is out) is counted, never thrown. */
  send(frame: Bytes): void;
  close(): Promise<void>;
}

export type ArpErrorCode =
  /** Not Linux. */
  | 'ARP_UNSUPPORTED'
  /** Raw sockets take CAP_NET_RAW. */
  | 'ARP_NOT_PERMITTED'
  /** No such interface, or none that speaks ARP. */
  | 'ARP_LINK_GONE';
