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
  readonly hardware: HardwareFacts;
  /** Every disk the kernel shows, those that hold no volume too, by the kernel's name. */
  readonly disks: readonly DiskFacts[];
  readonly update: UpdateFacts;
  /** What takes longer than a moment and goes on now. */
  readonly work: readonly WorkFacts[];
  /** Keys (`conditionKey`) of conditions that a person has seen and does not want to hear of again. */
  readonly acknowledged: readonly string[];
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

/**
 * `safe`: its program does not run, only what maintains the box; `stopped`: everything is on disk, the plug may be pulled.
 */
export type BoxPhase = 'starting' | 'running' | 'updating' | 'safe' | 'stopping' | 'stopped';

export interface PoolFacts {
  readonly id: string;
  /** Copies the pool wants of everything. */
  readonly replicas: number;
  /** What its boxes declare together, in bytes. */
  readonly rawBytes: number;
  /** What placement can fill with `replicas` copies of everything, in bytes of one copy. */
  readonly usableBytes: number;
}

/** `missing`: its disk was pulled or never attached; `retiring`: it is being emptied; `retired`: it may be pulled. */
export type VolumeStateFact = 'ok' | 'full' | 'failed' | 'missing' | 'retiring' | 'retired';

export interface VolumeFacts {
  readonly name: string;
  readonly state: VolumeStateFact;
  /** Why it failed, or why its disk, which is attached, cannot be mounted, in words; null while it works. */
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

/** The computer itself. Null wherever it does not tell. */
export interface HardwareFacts {
  /** `Raspberry Pi 4 Model B Rev 1.4`. */
  readonly model: string | null;
  /** Of the processor, whole degrees Celsius; below zero is 0. */
  readonly temperatureCelsius: number | null;
  /** The processor is slowed down, by heat or by too little voltage. */
  readonly throttled: boolean | null;
  /** Whether the power supply gives too little voltage: now, at some time since the start, or never. */
  readonly underVoltage: 'now' | 'before' | 'never' | null;
  readonly memory: { readonly totalBytes: number; readonly availableBytes: number } | null;
  /** Where the box keeps its own records: its folder, on an appliance the card. */
  readonly recordsSpace: { readonly totalBytes: number; readonly freeBytes: number } | null;
  /** Whether that takes no more writing, as a card that wears out. */
  readonly recordsReadOnly: boolean | null;
  /** Of all processors together, 0 to 100. */
  readonly loadPercent: number | null;
  /**
   * `free`: no time server keeps it right; `holdover`: nothing that knows the time has set it since the power came, it goes on
   * from what the box knew before; `unset`: it shows a time before this program was made.
   */
  readonly clock: 'synchronised' | 'free' | 'holdover' | 'unset' | null;
  /** Interfaces whose packets are often damaged, with how many in the last minute. */
  readonly networkErrors: readonly { readonly interface: string; readonly perMinute: number }[];
}

/** Before anything was measured, and where nothing can be. */
export const unknownHardware: HardwareFacts = {
  model: null,
  temperatureCelsius: null,
  throttled: null,
  underVoltage: null,
  memory: null,
  recordsSpace: null,
  recordsReadOnly: null,
  loadPercent: null,
  clock: null,
  networkErrors: [],
};

/**
 * What a disk is for this box. `volume`: holds one of its volumes; `blank`: nothing is on it, it can be adopted;
 * `foreign`: has a file system or a volume of somebody else's, and is left alone; `system`: the box runs from it.
 */
export type DiskRole = 'volume' | 'blank' | 'foreign' | 'system';

export interface DiskFacts {
  /** The kernel's name while it is attached: `sda`. */
  readonly device: string;
  /** As its maker calls it; null where it does not tell. */
  readonly model: string | null;
  readonly serial: string | null;
  readonly sizeBytes: number;
  readonly bus: 'usb' | 'sata' | 'nvme' | 'mmc' | 'virtual' | null;
  readonly role: DiskRole;
  /** Name of the box's volume on it. */
  readonly volume: string | null;
  /** What is on it, in words: `ext4 file system "photos"`; null when blank. */
  readonly content: string | null;
  readonly smart: SmartFacts | null;
  /** Reads and writes that failed in the last hour. */
  readonly errorsPerHour: number;
  /** Its lamp blinks, for a person to find it. */
  readonly locating: boolean;
}

/** The label of a file system that a box made, of this pool or of another, and that this box does not use. */
export function boxLabelOf({ role, content }: Pick<DiskFacts, 'role' | 'content'>): string | undefined {
  if (role !== 'foreign') return undefined;
  return /^ext4 file system "(aether-[0-9a-f]{6})"$/.exec(content ?? '')?.[1];
}

/** What a disk says of its own health (`smartctl --json`). */
export interface SmartFacts {
  readonly passed: boolean;
  /** Why it will fail soon or has begun to, in words; empty when nothing speaks for it. */
  readonly warnings: readonly string[];
  readonly temperatureCelsius: number | null;
  readonly powerOnHours: number | null;
}

/**
 * `none`: nothing waits; `staged`: a signed version lies ready; `installing`; `restart-due`: it is installed and runs
 * from the next start on; `trial`: it runs, and has not yet shown that it works; `rolled-back`: it did not, and the version
 * before runs again.
 */
export type UpdateState = 'none' | 'staged' | 'installing' | 'restart-due' | 'trial' | 'rolled-back';

export interface UpdateFacts {
  readonly state: UpdateState;
  /** The version it is about; null when there is none. */
  readonly version: string | null;
  readonly progressPercent: number | null;
  /** Why it was rolled back, or could not be installed; while there is none, why this box takes none: null when it does. */
  readonly reason: string | null;
  /** When a person wants one that is staged installed, in milliseconds since 1970; null: when a person says so. */
  readonly atMs: number | null;
  /** Why what a memory stick brought last was not taken; null: it was, or none brought anything. */
  readonly stickProblem: string | null;
}

export const noUpdate: UpdateFacts = {
  state: 'none',
  version: null,
  progressPercent: null,
  reason: null,
  atMs: null,
  stickProblem: null,
};

export interface WorkFacts {
  readonly kind: 'retire' | 'copy' | 'update' | 'check';
  /** The disk or version it is about. */
  readonly subject: string;
  readonly doneBytes: number;
  readonly totalBytes: number;
  readonly sinceMs: number;
}
