import {
  chunkIdsPerRequestMax,
  consoleInputBytesMax,
  framePayloadBytesMax,
  helloBytesMax,
  nameBytesMax,
  pathBytesMax,
  pathDepthMax,
  smallRequestBytesMax,
  strangerRequestBytesMax,
} from '../../base/limits.ts';

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
  consoleExchange: 96,
  loginCode: 97,
  updateOffer: 112,
  updateRead: 113,
  updatePut: 114,
  updateStage: 115,
  updateInstall: 116,
} as const;

export type Method = (typeof methods)[keyof typeof methods];

/** Who may call: anyone with a key, members of the pool, or only boxes of the pool. */
export type Caller = 'anyone' | 'member' | 'box';

export interface MethodDescription {
  readonly name: string;
  readonly caller: Caller;
  /** The longest payload of a request; a longer one is refused before it is received. */
  readonly payloadBytesMax: number;
  /** Its answer may be as long as a frame; few of these are worked on at once. */
  readonly largeAnswer: boolean;
  /** Its payload is valid only until the handler's promise settles; then its memory serves the next request. */
  readonly lentPayload: boolean;
  /** Answered at once, past all that waits: the sign of life must not queue behind a slow disk. */
  readonly urgent: boolean;
}

function describe(name: string, caller: Caller, traits: Partial<MethodDescription> = {}): MethodDescription {
  return {
    name,
    caller,
    payloadBytesMax: framePayloadBytesMax,
    largeAnswer: false,
    lentPayload: false,
    urgent: false,
    ...traits,
  };
}

/** Twice a full question, so that one with some ids too many is told so by its handler. */
const chunkHasBytesMax = 2 * 32 * chunkIdsPerRequestMax;

/** A path as a CBOR list, another name, and what surrounds them. */
const pathRequestBytesMax = pathBytesMax + 3 * pathDepthMax + nameBytesMax + smallRequestBytesMax;

export const methodDescriptions: ReadonlyMap<number, MethodDescription> = new Map<Method, MethodDescription>([
  [methods.hello, describe('hello', 'anyone', { payloadBytesMax: helloBytesMax, urgent: true })],
  [methods.pairStart, describe('pair.start', 'anyone', { payloadBytesMax: strangerRequestBytesMax })],
  // Claims a box with all records of the pool.
  [methods.pairFinish, describe('pair.finish', 'anyone')],
  [methods.chunkPut, describe('chunk.put', 'member', { lentPayload: true })],
  [
    methods.chunkGet,
    describe('chunk.get', 'member', { payloadBytesMax: smallRequestBytesMax, largeAnswer: true }),
  ],
  [methods.chunkHas, describe('chunk.has', 'member', { payloadBytesMax: chunkHasBytesMax })],
  [methods.membersExchange, describe('members.exchange', 'member', { largeAnswer: true })],
  [methods.boxStatus, describe('box.status', 'member', { payloadBytesMax: 0 })],
  [methods.logAppend, describe('log.append', 'box')],
  [methods.logVector, describe('log.vector', 'member', { payloadBytesMax: 0 })],
  [
    methods.logRead,
    describe('log.read', 'box', { payloadBytesMax: smallRequestBytesMax, largeAnswer: true }),
  ],
  [methods.treeCommit, describe('tree.commit', 'member')],
  [methods.treeStat, describe('tree.stat', 'member', { payloadBytesMax: pathRequestBytesMax })],
  [
    methods.treeList,
    describe('tree.list', 'member', { payloadBytesMax: pathRequestBytesMax, largeAnswer: true }),
  ],
  [
    methods.consoleExchange,
    describe('console.exchange', 'member', { payloadBytesMax: consoleInputBytesMax }),
  ],
  [methods.loginCode, describe('login.code', 'member', { payloadBytesMax: 0 })],
  [methods.updateOffer, describe('update.offer', 'box', { payloadBytesMax: 0 })],
  [
    methods.updateRead,
    describe('update.read', 'box', { payloadBytesMax: smallRequestBytesMax, largeAnswer: true }),
  ],
  [methods.updatePut, describe('update.put', 'member')],
  [methods.updateStage, describe('update.stage', 'member', { payloadBytesMax: smallRequestBytesMax })],
  [methods.updateInstall, describe('update.install', 'member', { payloadBytesMax: smallRequestBytesMax })],
]);

/** The longest payload that a request of `method` may have; a method we do not know may have any. */
export function requestBytesMax(method: number): number {
  return methodDescriptions.get(method)?.payloadBytesMax ?? framePayloadBytesMax;
}
