import type { ResourceRecord } from '../dns/message.ts';
import { sameName } from '../dns/name.ts';
import { type AnnouncerState, startAnnouncing } from './announcer.ts';
import { type Claim, type ProberState, startProbing } from './prober.ts';
import { distinct, recordKey, setKey } from './records.ts';

/** One name to be had alone, and everything that is said once it is ours. */
export interface Group {
  readonly id: string;
  readonly claim: Claim;
  /** The claim's records and others: shared ones, and unique ones of names that need no probing. */
  readonly records: readonly ResourceRecord[];
  /** The group whose name must be ours before this one's records are said. */
  readonly after?: string;
}

/** One group's standing on one link. */
export interface GroupState {
  readonly group: Group;
  /** Undefined when the name is ours, or lost. */
  readonly prober: ProberState | undefined;
  readonly standing: 'probing' | 'held' | 'lost';
  /** Whether its records are being said. */
  readonly active: boolean;
  /** Whether others may remember its records: they were said, and neither withdrawn nor lost to somebody. */
  readonly said: boolean;
  readonly announcer: AnnouncerState | undefined;
}

/** `draw` from [0, 1); `delayMs` more than RFC 6762 §8.1 asks for, after many conflicts. */
export function probingGroup(group: Group, now: number, draw: number, delayMs: number): GroupState {
  const prober = startProbing(group.claim, now, draw, delayMs);
  return { group, prober, standing: 'probing', active: false, said: false, announcer: undefined };
}

/** RFC 6762 §8.4: new data under a name that is ours is announced without probing, whole sets at a time. */
export function offeredGroup(item: GroupState, group: Group, now: number): GroupState {
  const prober = item.prober === undefined ? undefined : { ...item.prober, claim: group.claim };
  if (!item.active) return { ...item, group, prober };
  const before = new Set(item.group.records.map(recordKey));
  const changedSets = new Set(group.records.filter((record) => !before.has(recordKey(record))).map(setKey));
  for (const record of item.group.records) {
    // Of a set that only shrinks, the rest is said to flush what is gone.
    if (record.cacheFlush && !group.records.some((one) => recordKey(one) === recordKey(record)))
      changedSets.add(setKey(record));
  }
  const isNew = (record: ResourceRecord) =>
    changedSets.has(setKey(record)) && (record.cacheFlush || !before.has(recordKey(record)));
  const changed = group.records.filter(isNew);
  const keys = new Set(group.records.map(recordKey));
  const still = item.announcer?.records.filter((record) => keys.has(recordKey(record))) ?? [];
  if (changed.length === 0) {
    const announcer = still.length === 0 ? undefined : { ...item.announcer!, records: still };
    return { ...item, group, prober, announcer };
  }
  return { ...item, group, prober, announcer: startAnnouncing(distinct([...changed, ...still]), now) };
}

/** Starts and stops saying records, as names become ours and cease to be. */
export function activated(groups: readonly GroupState[], now: number): readonly GroupState[] {
  const held = new Set(groups.filter((item) => item.standing === 'held').map((item) => item.group.id));
  return groups.map((item) => {
    const active = held.has(item.group.id) && (item.group.after === undefined || held.has(item.group.after));
    if (active === item.active) return item;
    const announcer = active ? startAnnouncing(item.group.records, now) : undefined;
    return { ...item, active, said: item.said || active, announcer };
  });
}

/** What others remember of `before` and will not hear again of `after`, to say goodbye to. */
export function withdrawnRecords(
  before: readonly GroupState[],
  after: readonly GroupState[],
): readonly ResourceRecord[] {
  const goesOn = ({ group }: GroupState) =>
    before.some((one) => one.group.id === group.id && sameName(one.group.claim.name, group.claim.name));
  const kept = new Set(after.filter(goesOn).flatMap(({ group }) => group.records.map(withdrawalKey)));
  for (const { group } of after) {
    for (const record of group.records) if (!record.cacheFlush) kept.add(recordKey(record));
  }
  const said = before.filter((item) => item.said).flatMap(({ group }) => group.records);
  return said.filter((record) => !kept.has(withdrawalKey(record)));
}

/** A unique record is replaced by any other of its set, which flushes it; a shared one must be withdrawn by itself. */
function withdrawalKey(record: ResourceRecord): string {
  return record.cacheFlush ? setKey(record) : recordKey(record);
}
