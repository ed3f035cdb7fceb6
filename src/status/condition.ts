/** From good to bad. `notice`: worth saying. `warning`: a person should act. `critical`: data is at risk. */
export const severities = ['ok', 'notice', 'warning', 'critical'] as const;
export type Severity = (typeof severities)[number];

/** In the order of importance among conditions of one severity. */
export const conditionCodes = [
  'SAFE_MODE',
  'DISKS_GONE',
  'DISK_MISSING',
  'DISK_FAILED',
  'RECORDS_CORRUPT',
  'DISK_FAILING',
  'COPIES_MISSING',
  'NO_LINK',
  'NO_NETWORK',
  'DISK_FULL',
  'RECORDS_READ_ONLY',
  'RECORDS_NO_ROOM',
  'BOX_AWAY',
  'TOO_HOT',
  'UNDER_VOLTED',
  'DISK_ERRORS',
  'UPDATE_ROLLED_BACK',
  'UPDATE_NOT_INSTALLED',
  'UPDATES_UNAVAILABLE',
  'STICK_NOT_TAKEN',
  'CLOCK_UNSET',
  'NOT_CLAIMED',
  'PAIRING_LOCKED',
  'NO_DISK',
  'UPDATE_WAITING',
  'DISK_NOT_RETIRED',
  'DISK_RETIRED',
  'DISK_BLANK',
  'NETWORK_ERRORS',
  'MEMORY_LOW',
  'DISK_NEARLY_FULL',
  'POOL_OF_ONE',
] as const;
export type ConditionCode = (typeof conditionCodes)[number];

/** Something about the box that a person should know. */
export interface Condition {
  readonly code: ConditionCode;
  readonly severity: Severity;
  /** The disk, box, interface or version it is about, where it is about one. */
  readonly subject: string | null;
  /** What is the case: one sentence in plain words. The same for as long as the condition holds. */
  readonly message: string;
  /** What a person can do about it: one sentence. */
  readonly help: string;
  /** A person has seen it: the lights are silent about it, unless data is at risk. */
  readonly acknowledged: boolean;
}

/** A condition before it is known whether somebody has seen it. */
export type FoundCondition = Omit<Condition, 'acknowledged'>;

/** What a condition is known by: its kind, and what it is about. */
export function conditionKey({ code, subject }: Pick<Condition, 'code' | 'subject'>): string {
  return subject === null ? code : `${code}:${subject}`;
}
