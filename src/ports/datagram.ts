import type { Bytes } from '../base/bytes.ts';

/** Multicast UDP: a socket per interface and address family, joined to one group. */
export interface MulticastNetwork {
  /** Interfaces that are up, can do multicast and have an address. Loopback only when nothing else is there. */
  interfaces(): readonly NetworkInterface[];
  /** Calls `listener` when {@link interfaces} gives something else than before; the answer ends that. */
  onChange(listener: () => void): () => void;
  /**
   * Opens a socket bound to the group's port on one interface, shared with other programs on the host. What this
   * host sends to the group, it hears as well. Errors: `MULTICAST_UNAVAILABLE`.
   */
  open(options: MulticastOptions): Promise<MulticastSocket>;
}

export interface NetworkInterface {
  readonly name: string;
  readonly mac: string;
  /** Differs when the cable was out since it was last looked at; always 0 where the system does not tell. */
  readonly carrierChanges: number;
  readonly addresses: readonly InterfaceAddress[];
}

export interface InterfaceAddress {
  readonly family: 'ipv4' | 'ipv6';
  /** Textual, without a zone. */
  readonly address: string;
  readonly prefixLength: number;
}

export interface MulticastOptions {
  readonly interfaceName: string;
  readonly family: 'ipv4' | 'ipv6';
  readonly group: string;
  readonly port: number;
  /** How many routers a packet may pass, and one more; 255 unless given (RFC 6762 §11). */
  readonly hopLimit?: number;
}

export interface MulticastSocket {
  onMessage(listener: (message: Datagram) => void): void;
  /** To the group, or to one address. A failed send is counted by the implementation, never thrown. */
  send(bytes: Bytes, to?: DatagramAddress): void;
  close(): Promise<void>;
}

export interface Datagram {
  readonly bytes: Bytes;
  /** An IPv6 link-local address is without its zone, which is the interface's name. */
  readonly from: DatagramAddress;
  /** Sent to the group, and so by somebody on this link. Where the system does not tell, true. */
  readonly multicast: boolean;
}

export interface DatagramAddress {
  readonly address: string;
  readonly port: number;
}

export type MulticastErrorCode =
  /** The interface is gone, has no address of the family yet, or cannot do multicast. */
  'MULTICAST_UNAVAILABLE';
