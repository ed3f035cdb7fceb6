import type { Bytes } from '../../base/bytes.ts';
import type { Name } from './name.ts';

/** Numbers of the record types that multicast DNS speaks of (RFC 1035 §3.2.2, RFC 3596, RFC 2782, RFC 4034). */
export const recordType = {
  a: 1,
  ptr: 12,
  hinfo: 13,
  txt: 16,
  aaaa: 28,
  srv: 33,
  opt: 41,
  nsec: 47,
  any: 255,
} as const;

export const classInternet = 1;
export const classAny = 255;

/** One DNS message (RFC 1035 §4.1). Bits that multicast DNS ignores on reception (RFC 6762 §18) are not kept. */
export interface Message extends MessageHead {
  readonly answers: readonly ResourceRecord[];
  readonly authorities: readonly ResourceRecord[];
  readonly additionals: readonly ResourceRecord[];
}

/** What stands before the records. */
export interface MessageHead {
  readonly id: number;
  readonly response: boolean;
  readonly opcode: number;
  readonly authoritative: boolean;
  readonly truncated: boolean;
  readonly rcode: number;
  readonly questions: readonly Question[];
}

export interface Question {
  readonly name: Name;
  readonly type: number;
  /** 15 bits: the top bit on the wire is `unicastResponse` (the QU bit, RFC 6762 §5.4). */
  readonly class: number;
  readonly unicastResponse: boolean;
}

export interface ResourceRecord {
  readonly name: Name;
  /** 15 bits: the top bit on the wire is `cacheFlush` (RFC 6762 §10.2). */
  readonly class: number;
  /** On a record of ours: it is unique, and nobody else may have one of its name and type. */
  readonly cacheFlush: boolean;
  /** Unsigned, 32 bits. */
  readonly ttlSeconds: number;
  readonly data: RecordData;
}

export type RecordData =
  | { readonly kind: 'a'; readonly address: string }
  | { readonly kind: 'aaaa'; readonly address: string }
  | { readonly kind: 'ptr'; readonly target: Name }
  | {
      readonly kind: 'srv';
      readonly priority: number;
      readonly weight: number;
      readonly port: number;
      readonly target: Name;
    }
  /** At least one string, each 0–255 bytes. */
  | { readonly kind: 'txt'; readonly strings: readonly Bytes[] }
  /** `types` ascending, without repetition. */
  | { readonly kind: 'nsec'; readonly next: Name; readonly types: readonly number[] }
  | { readonly kind: 'hinfo'; readonly cpu: Bytes; readonly os: Bytes }
  /** Any other type (OPT among them), its bytes as they came. */
  | { readonly kind: 'opaque'; readonly type: number; readonly bytes: Bytes };

export function typeOf(data: RecordData): number {
  return data.kind === 'opaque' ? data.type : recordType[data.kind];
}

const nothing = { questions: [], answers: [], authorities: [], additionals: [] } as const;

/** A query as multicast DNS sends it: identifier 0, no flags (RFC 6762 §18). */
export function query(parts: Partial<Message>): Message {
  return {
    id: 0,
    response: false,
    opcode: 0,
    authoritative: false,
    truncated: false,
    rcode: 0,
    ...nothing,
    ...parts,
  };
}

/** A response as multicast DNS sends it: identifier 0, authoritative (RFC 6762 §18). */
export function response(parts: Partial<Message>): Message {
  return { ...query(parts), response: true, authoritative: true };
}
