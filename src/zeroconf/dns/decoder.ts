import { type Bytes, copyOf, viewOf } from '../../base/bytes.ts';
import {
  dnsLabelsMax,
  dnsMessageBytesMax,
  dnsNameBytesMax,
  dnsNsecTypesMax,
  dnsRecordsMax,
} from '../../base/discovery-limits.ts';
import { AetherError } from '../../base/errors.ts';
import { formatIpv4, formatIpv6 } from '../../base/ip-address.ts';
import { malformed } from './dns-error.ts';
import {
  type Message,
  type MessageHead,
  type Question,
  type RecordData,
  type ResourceRecord,
  recordType,
} from './message.ts';
import { labelOf, type Name } from './name.ts';

/**
 * Reads one DNS message (RFC 1035 §4.1). A compression pointer must lead strictly backwards, before the labels that
 * led to it; so no message can make this loop. Bytes after the last record are ignored, as others do. Errors:
 * `DNS_MALFORMED`, and nothing else whatever the bytes are.
 */
export function decodeMessage(bytes: Bytes): Message {
  return decodeWanted(bytes, () => true)!;
}

/** The same, but only as far as the questions when `wants` does not want what they begin; then undefined. */
export function decodeWanted(bytes: Bytes, wants: (head: MessageHead) => boolean): Message | undefined {
  if (bytes.length > dnsMessageBytesMax) throw malformed('longer than 9000 bytes');
  const reader = new Reader(bytes);
  const id = reader.uint16();
  const flags = reader.uint16();
  const counts = [reader.uint16(), reader.uint16(), reader.uint16(), reader.uint16()];
  if (counts.reduce((sum, count) => sum + count, 0) > dnsRecordsMax) throw malformed('too many records');
  const head: MessageHead = {
    id,
    response: (flags & 0x8000) !== 0,
    opcode: (flags >> 11) & 0xf,
    authoritative: (flags & 0x0400) !== 0,
    truncated: (flags & 0x0200) !== 0,
    rcode: flags & 0xf,
    questions: readMany(counts[0]!, () => readQuestion(reader)),
  };
  if (!wants(head)) return undefined;
  return {
    ...head,
    answers: readMany(counts[1]!, () => readRecord(reader)),
    authorities: readMany(counts[2]!, () => readRecord(reader)),
    additionals: readMany(counts[3]!, () => readRecord(reader)),
  };
}

function readMany<T>(count: number, read: () => T): T[] {
  const items: T[] = [];
  for (let index = 0; index < count; index++) items.push(read());
  return items;
}

function readQuestion(reader: Reader): Question {
  const name = reader.name();
  const type = reader.uint16();
  const classAndBit = reader.uint16();
  return { name, type, class: classAndBit & 0x7fff, unicastResponse: (classAndBit & 0x8000) !== 0 };
}

function readRecord(reader: Reader): ResourceRecord {
  const name = reader.name();
  const type = reader.uint16();
  const classAndBit = reader.uint16();
  const ttlSeconds = reader.uint32();
  const end = reader.within(reader.uint16());
  const data = readData(reader, type, end);
  if (reader.offset !== end) throw malformed(`data of type ${type} does not end where its length says`);
  return { name, class: classAndBit & 0x7fff, cacheFlush: (classAndBit & 0x8000) !== 0, ttlSeconds, data };
}

function readData(reader: Reader, type: number, end: number): RecordData {
  switch (type) {
    case recordType.a:
      return { kind: 'a', address: formatIpv4(reader.bytes(4)) };
    case recordType.aaaa:
      return { kind: 'aaaa', address: formatIpv6(reader.bytes(16)) };
    case recordType.ptr:
      return { kind: 'ptr', target: reader.name() };
    case recordType.srv:
      return {
        kind: 'srv',
        priority: reader.uint16(),
        weight: reader.uint16(),
        port: reader.uint16(),
        target: reader.name(),
      };
    case recordType.txt:
      return { kind: 'txt', strings: readStrings(reader, end) };
    case recordType.hinfo:
      return { kind: 'hinfo', cpu: copyOf(reader.string()), os: copyOf(reader.string()) };
    case recordType.nsec:
      return readNsec(reader, end);
    default:
      return { kind: 'opaque', type, bytes: copyOf(reader.bytes(end - reader.offset)) };
  }
}

/** One that cannot be understood says nothing, and its message is still heard (RFC 6762 §6.1). */
function readNsec(reader: Reader, end: number): RecordData {
  const start = reader.offset;
  try {
    const data: RecordData = { kind: 'nsec', next: reader.name(), types: readTypeBitmaps(reader, end) };
    if (reader.offset === end) return data;
  } catch (error) {
    if (!(error instanceof AetherError)) throw error;
  }
  reader.seek(start);
  return { kind: 'opaque', type: recordType.nsec, bytes: copyOf(reader.bytes(end - start)) };
}

/** An empty TXT record stands for one empty string (RFC 6763 §6.1). */
function readStrings(reader: Reader, end: number): Bytes[] {
  const strings: Bytes[] = [];
  while (reader.offset < end) strings.push(copyOf(reader.string()));
  return strings.length === 0 ? [new Uint8Array(0)] : strings;
}

/** RFC 4034 §4.1.2: windows ascending, each of 1–32 bytes. */
function readTypeBitmaps(reader: Reader, end: number): number[] {
  const types: number[] = [];
  let previous = -1;
  while (reader.offset < end) {
    const window = reader.uint8();
    const bitmap = reader.bytes(reader.uint8());
    if (window <= previous || bitmap.length === 0 || bitmap.length > 32)
      throw malformed('a type bitmap out of order');
    previous = window;
    for (let bit = 0; bit < bitmap.length * 8; bit++) {
      if ((bitmap[bit >> 3]! & (0x80 >> (bit & 7))) !== 0) types.push(window * 256 + bit);
    }
    if (types.length > dnsNsecTypesMax) throw malformed('more types than one name has');
  }
  return types;
}

class Reader {
  readonly #bytes: Bytes;
  readonly #view: DataView;
  readonly #names = new Map<number, NameTail>();
  #offset = 0;

  constructor(bytes: Bytes) {
    this.#bytes = bytes;
    this.#view = viewOf(bytes);
  }

  get offset(): number {
    return this.#offset;
  }

  seek(offset: number): void {
    this.#offset = offset;
  }

  /** The offset `count` bytes from here, when there are as many. */
  within(count: number): number {
    const end = this.#offset + count;
    if (end > this.#bytes.length) throw malformed('cut short');
    return end;
  }

  bytes(count: number): Bytes {
    const end = this.within(count);
    const part = this.#bytes.subarray(this.#offset, end);
    this.#offset = end;
    return part;
  }

  uint8(): number {
    this.within(1);
    return this.#bytes[this.#offset++]!;
  }

  uint16(): number {
    this.within(2);
    this.#offset += 2;
    return this.#view.getUint16(this.#offset - 2);
  }

  uint32(): number {
    this.within(4);
    this.#offset += 4;
    return this.#view.getUint32(this.#offset - 4);
  }

  /** One length-prefixed string (RFC 1035 §3.3). */
  string(): Bytes {
    return this.bytes(this.uint8());
  }

  /**
   * RFC 1035 §4.1.4. `floor` falls with every pointer, which is what ends the loop. Most names of a message end like one
   * before them, and what a pointer leads to is read once.
   */
  name(): Name {
    const labels: string[] = [];
    const starts: NameStart[] = [];
    let floor = this.#offset;
    let resumeAt: number | undefined;
    let size = 1;
    for (let hops = 0; hops <= dnsLabelsMax; ) {
      const start = this.#offset;
      const length = this.uint8();
      if (length === 0) {
        if (resumeAt !== undefined) this.#offset = resumeAt;
        return this.#remember(labels, starts, size);
      }
      if (length < 0x40) {
        starts.push({ offset: start, sizeBefore: size });
        size += 1 + length;
        if (size > dnsNameBytesMax) break;
        labels.push(labelOf(this.bytes(length)));
      } else if (length >= 0xc0) {
        const target = ((length & 0x3f) << 8) | this.uint8();
        if (target >= floor) throw malformed('a compression pointer that does not lead backwards');
        resumeAt ??= this.#offset;
        const known = this.#tailAt(target);
        if (known !== undefined) {
          size += known.size;
          if (size > dnsNameBytesMax) break;
          this.#offset = resumeAt;
          // The very same where nothing comes before it, so that its key is worked out once.
          const whole = labels.length === 0 ? known.labels : [...labels, ...known.labels];
          return this.#remember(whole, starts, size);
        }
        floor = target;
        this.#offset = target;
        hops++;
      } else {
        throw malformed('a label of unknown kind');
      }
    }
    throw malformed('a name that is too long');
  }

  #remember(labels: Name, starts: readonly NameStart[], size: number): Name {
    for (const [index, { offset, sizeBefore }] of starts.entries()) {
      this.#names.set(offset, { labels, skipped: index, size: size - sizeBefore });
    }
    return labels;
  }

  /** Cut out when it is asked for: few of the ends of a name are, and there may be 127. */
  #tailAt(offset: number): NameTail | undefined {
    const tail = this.#names.get(offset);
    if (tail === undefined || tail.skipped === 0) return tail;
    const cut = { ...tail, labels: tail.labels.slice(tail.skipped), skipped: 0 };
    this.#names.set(offset, cut);
    return cut;
  }
}

interface NameStart {
  readonly offset: number;
  readonly sizeBefore: number;
}

/** What stands from one offset on: labels but the first `skipped`, and what they take on the wire without the root. */
interface NameTail {
  readonly labels: Name;
  readonly skipped: number;
  readonly size: number;
}
