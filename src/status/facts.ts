/**
 * What the parts of a box report about themselves: plain data that CBOR and JSON can carry, identifiers in
 * hexadecimal, null for what is not known. `main.ts` gathers it; `foldStatus` makes of it what all faces show.
 */
export interface ApplianceFacts {
  readonly box: BoxFacts;
  /** Null until the box is claimed. */
  readonly pool: PoolFacts | null;
  /** One for each attached disk, in the order of the configuration. */
  readonly volumes: readonly VolumeFacts[];
  /** The other boxes of the pool. */
  readonly peers: readonly PeerFacts[];
  readonly network: NetworkFacts;
  readonly copies: CopyFacts;
  readonly pairing: PairingFacts;
}

export interface BoxFacts {
  readonly name: string;
  readonly memberId: string;
  readonly version: string;
  readonly phase: BoxPhase;
  readonly uptimeMs: number;
  /** Somebody asked which box this is. */
  readonly identifying: boolean;
}

/** `stopped`: everything is on disk, the plug may be pulled. */
export type BoxPhase = 'starting' | 'running' | 'updating' | 'stopping' | 'stopped';

export interface PoolFacts {
  readonly id: string;
  /** Copies the pool wants of everything. */
  readonly replicas: number;
  /** What its boxes declare together, in bytes. */
  readonly rawBytes: number;
  /** What placement can fill with `replicas` copies of everything, in bytes of one copy. */
  readonly usableBytes: number;
}

export interface VolumeFacts {
  readonly name: string;
  readonly state: 'ok' | 'full' | 'failed';
  /** Why it failed, in words; null while it works. */
  readonly error: string | null;
  /** What may be filled: the limit less the reserve. */
  readonly capacityBytes: number;
  readonly usedBytes: number;
  readonly freeBytes: number;
  readonly chunkCount: number;
  /** Records found damaged since the volume was opened. */
  readonly corruptRecords: number;
}

export interface PeerFacts {
  readonly name: string;
  readonly memberId: string;
  readonly reachable: boolean;
  /** `192.0.2.7:4000`, or null before it was found. */
  readonly address: string | null;
  /** How long ago it last answered, in milliseconds; null when it has not since this box started. */
  readonly lastSeenAgoMs: number | null;
}

export interface NetworkFacts {
  /** Interfaces that are up, without loopback unless nothing else is there. */
  readonly interfaces: readonly InterfaceFacts[];
  /** Where members connect. */
  readonly port: number | null;
  /** Names this box has claimed and announces: `aether-3f2a.local`. */
  readonly announcedNames: readonly string[];
  readonly services: readonly ServiceFacts[];
  readonly conflicts: NameConflictFacts;
  /** Packets and frames of others that were not looked into, since the start. */
  readonly refused: RefusedFacts;
  /** Hosts that said something of themselves by multicast DNS, the last heard first. */
  readonly heard: readonly HeardHostFacts[];
  /** Other programs of this computer that answer multicast DNS beside us: `avahi-daemon`. */
  readonly sharesPortWith: readonly string[];
  /** Null until the box is claimed. */
  readonly multicast: MulticastFacts | null;
}

/** Before anything is known. */
export const noNetworkFacts: Omit<NetworkFacts, 'port'> = {
  interfaces: [],
  announcedNames: [],
  services: [],
  conflicts: { count: 0, lastAgoMs: null, lastFrom: null },
  refused: { malformed: 0, offLink: 0, arp: 0 },
  heard: [],
  sharesPortWith: [],
  multicast: null,
};

export interface InterfaceFacts {
  readonly name: string;
  readonly addresses: readonly AddressFacts[];
  /** How it stands with a link-local address of our own; null where that is not our business. */
  readonly linkLocal: LinkLocalFacts | null;
}

export interface AddressFacts {
  readonly address: string;
  /** Where it came from; null where the system does not tell. */
  readonly origin: AddressOrigin | null;
}

/** `router`: IPv6 that a router or DHCPv6 gave. */
export type AddressOrigin = 'dhcp' | 'router' | 'static' | 'link-local';

/** `waiting`: for DHCP; `probing`: whether somebody has it; `held`: it is on the interface; `unavailable`: see `reason`. */
export type LinkLocalPhase = 'off' | 'waiting' | 'probing' | 'held' | 'unavailable';

export interface LinkLocalFacts {
  readonly phase: LinkLocalPhase;
  readonly address: string | null;
  /** Why there can be none, in words. */
  readonly reason: string | null;
  /** How often another host had or took the address. */
  readonly conflicts: number;
}

export interface ServiceFacts {
  readonly instance: string;
  /** `_aetherstore._tcp`. */
  readonly type: string;
  readonly port: number;
}

export interface NameConflictFacts {
  readonly count: number;
  readonly lastAgoMs: number | null;
  /** The other host's address. */
  readonly lastFrom: string | null;
}

export interface RefusedFacts {
  /** On port 5353, but no DNS. */
  readonly malformed: number;
  /** Sent to this box alone from another network. */
  readonly offLink: number;
  /** ARP frames that were too short or of another protocol. */
  readonly arp: number;
}

export interface HeardHostFacts {
  /** `aether-7b10.local`. */
  readonly host: string;
  readonly address: string;
  readonly agoMs: number;
}

/** The group that the pool's boxes say in what they have. Hints only: nothing fails without it. */
export interface MulticastFacts {
  readonly groups: readonly MulticastGroupFacts[];
  /** The other boxes of the pool. */
  readonly members: readonly MulticastMemberFacts[];
  /** Packets sent, each on every interface. */
  readonly sent: number;
  /** Packets received that are none of ours. */
  readonly foreign: number;
  /** Packets received that were sealed by nobody known here, as those of another pool. */
  readonly strangers: number;
}

export interface MulticastGroupFacts {
  readonly address: string;
  /** Where frames to it go: `01:00:5e:7f:1f:47`. */
  readonly ethernet: string;
  /** Names of the interfaces it is joined on. */
  readonly interfaces: readonly string[];
}

export interface MulticastMemberFacts {
  readonly name: string;
  readonly memberId: string;
  /** Where it was heard last; null when it has not been since this box started. */
  readonly address: string | null;
  readonly heardAgoMs: number | null;
  /** What it says it has free, in GiB. */
  readonly freeGiB: number | null;
  /** Packets of it that never came. */
  readonly lost: number;
  /** Packets in its name that were not believed: old ones, forgeries, floods. */
  readonly refused: number;
}

export interface CopyFacts {
  /** Acknowledged chunks and records known to have fewer copies than the pool wants. */
  readonly missing: number;
  /** Whether copies are being made now. */
  readonly copying: boolean;
}

export interface PairingFacts {
  /** Too many wrong codes were tried; nobody can pair until the lock ends. */
  readonly locked: boolean;
  readonly lockedForMs: number | null;
  /** A code is valid and was shown. Never the code itself. */
  readonly codeShown: boolean;
}
