import { mqttBrokersFoundMax } from '../../base/face-limits.ts';

/** A broker as DNS-SD tells of it (`_mqtt._tcp`). A hint: whoever is on the network can say so. */
export interface OfferedBroker {
  readonly instance: string;
  /** Its host's name, with its domain. */
  readonly host: string;
  readonly port: number;
  /** Where to dial it, the best first; a link-local IPv6 address has its zone. */
  readonly addresses: readonly string[];
}

export interface FoundBroker extends OfferedBroker {
  /** A person said that this box may use it. */
  readonly approved: boolean;
  /** It is announced now. */
  readonly present: boolean;
}

/** What a person can choose from: the approved one first, there or not, then the others by name. */
export function foundBrokers(
  offered: readonly OfferedBroker[],
  approved: OfferedBroker | null,
): readonly FoundBroker[] {
  const others = offered
    .filter((broker) => !isSame(broker, approved))
    .sort((a, b) => (a.instance < b.instance ? -1 : 1))
    .map((broker) => ({ ...broker, approved: false, present: true }));
  if (approved === null) return others.slice(0, mqttBrokersFoundMax);
  const now = offered.find((broker) => isSame(broker, approved));
  const first = { ...(now ?? approved), approved: true, present: now !== undefined };
  return [first, ...others].slice(0, mqttBrokersFoundMax);
}

/**
 * What to dial for the approved one: as it announces itself now, or as it did last. Approved was a name on a host: who
 * uses the name on another host is somebody else.
 */
export function currentOffer(offered: readonly OfferedBroker[], approved: OfferedBroker): OfferedBroker {
  return offered.find((broker) => isSame(broker, approved)) ?? approved;
}

function isSame(broker: OfferedBroker, other: OfferedBroker | null): boolean {
  return (
    other !== null &&
    broker.instance === other.instance &&
    broker.host.toLowerCase() === other.host.toLowerCase()
  );
}
