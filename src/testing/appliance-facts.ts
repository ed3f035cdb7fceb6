import {
  type ApplianceFacts,
  type BoxFacts,
  type DiskFacts,
  type MulticastMemberFacts,
  noUpdate,
  type PeerFacts,
  type VolumeFacts,
} from '../status/facts.ts';

const gibibyte = 1024 ** 3;

/** Facts of a healthy box in a pool of three, for tests that change one thing. */
export const healthyFacts: ApplianceFacts = {
  box: {
    name: 'aether-3f2a',
    memberId: '3f2a'.padEnd(64, '0'),
    version: '0.1.0',
    phase: 'running',
    uptimeMs: 11_520_000,
    identifying: false,
  },
  pool: {
    id: 'c0ffee'.padEnd(32, '0'),
    replicas: 2,
    rawBytes: 6_000 * gibibyte,
    usableBytes: 3_000 * gibibyte,
  },
  volumes: [volumeFacts('disk1'), volumeFacts('disk2', { usedBytes: 40 * gibibyte, chunkCount: 640_000 })],
  peers: [
    peerFacts('aether-7b10', { address: '192.0.2.7:4000' }),
    peerFacts('aether-c4e9', { address: '192.0.2.9:4000' }),
  ],
  network: {
    interfaces: [
      {
        name: 'eth0',
        addresses: [
          { address: '192.0.2.5', origin: 'dhcp' },
          { address: 'fe80::3f2a', origin: 'link-local' },
        ],
        linkLocal: { phase: 'off', address: null, reason: null, conflicts: 0 },
      },
    ],
    port: 4000,
    announcedNames: ['aether-3f2a.local'],
    services: [{ instance: 'aether-3f2a', type: '_aetherstore._tcp', port: 4000 }],
    conflicts: { count: 0, lastAgoMs: null, lastFrom: null },
    refused: { malformed: 0, offLink: 0, arp: 0 },
    heard: [{ host: 'aether-7b10.local', address: '192.0.2.7', agoMs: 1200 }],
    sharesPortWith: [],
    multicast: {
      groups: [
        { address: '239.255.31.71', ethernet: '01:00:5e:7f:1f:47', interfaces: ['eth0'] },
        { address: 'ff05::9745:4cb0', ethernet: '33:33:97:45:4c:b0', interfaces: ['eth0'] },
      ],
      members: [
        multicastMember('aether-7b10', { address: '192.0.2.7', heardAgoMs: 2400, freeGiB: 1800, lost: 3 }),
        multicastMember('aether-c4e9', {}),
      ],
      sent: 2304,
      foreign: 0,
      strangers: 12,
    },
  },
  copies: { missing: 0, copying: false },
  pairing: { locked: false, lockedForMs: null, codeShown: false },
  hardware: {
    model: 'Raspberry Pi 4 Model B Rev 1.4',
    temperatureCelsius: 48,
    throttled: false,
    underVoltage: 'never',
    memory: { totalBytes: 4 * gibibyte, availableBytes: 3 * gibibyte },
    recordsReadOnly: false,
    recordsSpace: { totalBytes: 8 * gibibyte, freeBytes: 7 * gibibyte },
    loadPercent: 7,
    clock: 'synchronised',
    networkErrors: [],
  },
  disks: [
    diskFacts('sda', { volume: 'disk1' }),
    diskFacts('sdb', { volume: 'disk2', serial: 'S5T2NX0R200002' }),
  ],
  update: noUpdate,
  work: [],
  acknowledged: [],
};

/** Facts of a box that has just been unpacked. */
export const unclaimedFacts: ApplianceFacts = {
  ...healthyFacts,
  box: { ...healthyFacts.box, uptimeMs: 4000 },
  pool: null,
  peers: [],
  network: { ...healthyFacts.network, multicast: null },
  pairing: { locked: false, lockedForMs: null, codeShown: true },
};

export function boxFacts(changes: Partial<BoxFacts>): BoxFacts {
  return { ...healthyFacts.box, ...changes };
}

export function volumeFacts(name: string, changes: Partial<VolumeFacts> = {}): VolumeFacts {
  const usedBytes = changes.usedBytes ?? 12.5 * gibibyte;
  const capacityBytes = changes.capacityBytes ?? 950 * gibibyte;
  return {
    name,
    state: 'ok',
    error: null,
    capacityBytes,
    usedBytes,
    freeBytes: capacityBytes - usedBytes,
    chunkCount: 200_000,
    corruptRecords: 0,
    ...changes,
  };
}

/** A disk in use; with `role` and `content`, any other. */
export function diskFacts(device: string, changes: Partial<DiskFacts> = {}): DiskFacts {
  return {
    device,
    model: 'Samsung Portable SSD T7',
    serial: 'S5T2NX0R100001',
    sizeBytes: 1_000_204_886_016,
    bus: 'usb',
    role: 'volume',
    volume: null,
    content: 'ext4 file system',
    smart: { passed: true, warnings: [], temperatureCelsius: 31, powerOnHours: 4100 },
    errorsPerHour: 0,
    locating: false,
    ...changes,
  };
}

export function peerFacts(name: string, changes: Partial<PeerFacts> = {}): PeerFacts {
  return {
    name,
    memberId: name.slice(-4).padEnd(64, '0'),
    reachable: true,
    address: null,
    lastSeenAgoMs: 400,
    ...changes,
  };
}

function multicastMember(name: string, changes: Partial<MulticastMemberFacts>): MulticastMemberFacts {
  return {
    name,
    memberId: name.slice(-4).padEnd(64, '0'),
    address: null,
    heardAgoMs: null,
    freeGiB: null,
    lost: 0,
    refused: 0,
    ...changes,
  };
}
