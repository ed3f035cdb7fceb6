import type { Bytes } from '../base/bytes.ts';

/**
 * The network interfaces of this computer as its kernel knows them, kept up to date by the kernel's own notices
 * (rtnetlink on Linux), and the changing of their addresses.
 */
export interface LinkTable {
  /** As of the last notice. Every interface but loopback, whether it is up or not. */
  links(): readonly LinkState[];
  /** Calls `listener` after each change of what {@link links} gives; the answer ends that. */
  onChange(listener: () => void): () => void;
  /**
   * Gives an interface an IPv4 address. One that is there already is left as it is. Errors: `LINK_NOT_PERMITTED`,
   * `LINK_GONE`, `LINK_REFUSED`.
   */
  addAddress(change: AddressChange): Promise<void>;
  /** Takes an IPv4 address away. One that is gone already is no error. Errors: as above. */
  removeAddress(change: AddressChange): Promise<void>;
  close(): Promise<void>;
}

export interface LinkState {
  /** The kernel's number for it; a new one when an interface is made anew under an old name. */
  readonly index: number;
  readonly name: string;
  /** Its hardware address; six bytes on Ethernet, maybe none elsewhere. */
  readonly mac: Bytes;
  /** Ethernet, or what behaves like it (Wi-Fi, veth, bridge, VLAN), and no port of a bridge or bond: ARP works on it. */
  readonly isEthernet: boolean;
  /** Switched on, and a cable or an access point is there. */
  readonly isUp: boolean;
  /** Grows each time the cable comes or goes: tells a link that was away for a moment from one that stayed. */
  readonly carrierChanges: number;
  readonly addresses: readonly LinkAddress[];
}

export interface LinkAddress {
  readonly family: 'ipv4' | 'ipv6';
  /** Textual, without a zone. */
  readonly address: string;
  readonly prefixLength: number;
  readonly origin: AddressOrigin;
  /** Still being looked at for a duplicate, or found to be one (RFC 4862 §5.4): nothing can be sent from it. */
  readonly isTentative: boolean;
}

/**
 * `static`: given without a lifetime. `dhcp`: IPv4 with a lifetime. `router`: IPv6 with a lifetime (RFC 4862, DHCPv6).
 * `link-local`: 169.254/16 and fe80::/10, whoever gave it.
 */
export type AddressOrigin = 'static' | 'dhcp' | 'router' | 'link-local';

export interface AddressChange {
  readonly interfaceName: string;
  /** IPv4, textual. */
  readonly address: string;
  readonly prefixLength: number;
}

export type LinkErrorCode =
  /** Not Linux, or the kernel's notices cannot be had. */
  | 'LINK_UNSUPPORTED'
  /** Changing addresses takes CAP_NET_ADMIN. */
  | 'LINK_NOT_PERMITTED'
  | 'LINK_GONE'
  /** The kernel said no for another reason, which is in the fields. */
  | 'LINK_REFUSED';
