/** The methods of docs/formats.md §6. */
export const methods = {
  hello: 1,
  pairStart: 16,
  pairFinish: 17,
  chunkPut: 32,
  chunkGet: 33,
  chunkHas: 34,
  membersExchange: 48,
  boxStatus: 49,
  logAppend: 64,
  logVector: 65,
  logRead: 66,
  treeCommit: 80,
  treeStat: 81,
  treeList: 82,
} as const;

export type Method = (typeof methods)[keyof typeof methods];

/** Who may call: anyone with a key, members of the pool, or only boxes of the pool. */
export type Caller = 'anyone' | 'member' | 'box';

export interface MethodDescription {
  readonly name: string;
  readonly caller: Caller;
  /** Its answer may be as long as a frame; few of these are worked on at once. */
  readonly largeAnswer: boolean;
  /** Its payload is valid only until the handler's promise settles; then its memory serves the next request. */
  readonly lentPayload: boolean;
  /** Answered at once, past all that waits: the sign of life must not queue behind a slow disk. */
  readonly urgent: boolean;
}

function describe(name: string, caller: Caller, traits: Partial<MethodDescription> = {}): MethodDescription {
  return { name, caller, largeAnswer: false, lentPayload: false, urgent: false, ...traits };
}

export const methodDescriptions: ReadonlyMap<number, MethodDescription> = new Map<Method, MethodDescription>([
  [methods.hello, describe('hello', 'anyone', { urgent: true })],
  [methods.pairStart, describe('pair.start', 'anyone')],
  [methods.pairFinish, describe('pair.finish', 'anyone')],
  [methods.chunkPut, describe('chunk.put', 'member', { lentPayload: true })],
  [methods.chunkGet, describe('chunk.get', 'member', { largeAnswer: true })],
  [methods.chunkHas, describe('chunk.has', 'member')],
  [methods.membersExchange, describe('members.exchange', 'member', { largeAnswer: true })],
  [methods.boxStatus, describe('box.status', 'member')],
  [methods.logAppend, describe('log.append', 'box')],
  [methods.logVector, describe('log.vector', 'member')],
  [methods.logRead, describe('log.read', 'box', { largeAnswer: true })],
  [methods.treeCommit, describe('tree.commit', 'member')],
  [methods.treeStat, describe('tree.stat', 'member')],
  [methods.treeList, describe('tree.list', 'member', { largeAnswer: true })],
]);
