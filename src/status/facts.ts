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
}

export interface InterfaceFacts {
  readonly name: string;
  readonly addresses: readonly string[];
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
