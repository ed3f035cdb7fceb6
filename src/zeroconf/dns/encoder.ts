import { type Bytes, concat, emptyBytes, viewOf } from '../../base/bytes.ts';
import { dnsMessageBytesMax } from '../../base/discovery-limits.ts';
import { parseIpv4, parseIpv6 } from '../../base/ip-address.ts';
import { malformed } from './dns-error.ts';
import { type Message, type Question, type RecordData, type ResourceRecord, typeOf } from './message.ts';
import { type Name, nameLabels, sameName } from './name.ts';

/** How names are shortened: in plain DNS the target of an SRV record must not be (RFC 6762 §18.14). */
export type Compression = 'multicast' | 'legacy' | 'none';

/** The message in one piece; `DNS_MALFORMED` when no bytes can carry it or it takes more than 9000. */
export function encodeMessage(message: Message, compression: Compression = 'multicast'): Bytes {
  const writer = new MessageWriter(message, compression);
  for (const question of message.questions) writer.question(question);
  for (const section of sections) for (const record of message[section]) writer.record(section, record);
  if (writer.size > dnsMessageBytesMax) throw malformed('longer than 9000 bytes');
  return writer.finish(message.truncated);
}

/**
 * The message in packets of at most `bytesMax`, save a record that alone is larger (up to 9000). Answers that do not
 * fit go on in further packets: those of a query are known answers, so the packet before them has the TC bit
 * (RFC 6762 §7.2). Additionals fill what the last packet leaves, a unique set whole or not at all (§10.2).
 */
export function encodePackets(message: Message, bytesMax: number): readonly Bytes[] {
  const packets: Bytes[] = [];
  const empty = { ...message, questions: [], answers: [], authorities: [], additionals: [] };
  let writer = new MessageWriter(empty, 'multicast');
  const put = (write: () => void, isKnownAnswer: boolean) => {
    if (writer.fits(bytesMax, write)) return;
    if (!writer.isEmpty) {
      packets.push(writer.finish(isKnownAnswer));
      writer = new MessageWriter(empty, 'multicast');
      if (writer.fits(bytesMax, write)) return;
    }
    if (!writer.fits(dnsMessageBytesMax, write)) throw malformed('a record that no packet can carry');
  };
  for (const question of message.questions) put(() => writer.question(question), false);
  for (const answer of message.answers) put(() => writer.record('answers', answer), !message.response);
  for (const authority of message.authorities) put(() => writer.record('authorities', authority), false);
  putAdditionals(writer, message.additionals, bytesMax);
  packets.push(writer.finish(message.truncated));
  return packets;
}

/** As plain DNS, in one packet of at most `bytesMax`; TC when an answer had to be left out (RFC 6762 §6.7). */
export function encodeLegacyReply(message: Message, bytesMax: number): Bytes {
  const writer = new MessageWriter(message, 'legacy');
  for (const question of message.questions) writer.question(question);
  const isWhole = message.answers.every((answer) =>
    writer.fits(bytesMax, () => writer.record('answers', answer)),
  );
  if (isWhole) putAdditionals(writer, message.additionals, bytesMax);
  return writer.finish(!isWhole);
}

function putAdditionals(writer: MessageWriter, records: readonly ResourceRecord[], bytesMax: number): void {
  for (const set of setsOf(records)) {
    writer.fits(bytesMax, () => {
      for (const record of set) writer.record('additionals', record);
    });
  }
}

/** Neighbours that are of one set. */
function setsOf(records: readonly ResourceRecord[]): readonly (readonly ResourceRecord[])[] {
  const sets: ResourceRecord[][] = [];
  for (const record of records) {
    const set = sets.at(-1);
    const [first] = set ?? [];
    if (
      first !== undefined &&
      typeOf(first.data) === typeOf(record.data) &&
      sameName(first.name, record.name)
    )
      set!.push(record);
    else sets.push([record]);
  }
  return sets;
}

/** The data of a record as RFC 6762 §8.2 compares it: names written out. */
export function uncompressedData(data: RecordData): Bytes {
  const writer = new Writer('none');
  writer.data(data);
  return writer.finish();
}

type Section = 'answers' | 'authorities' | 'additionals';
const sections: readonly Section[] = ['answers', 'authorities', 'additionals'];

/** Collects one message; its header is written last, when the counts are known. */
class MessageWriter {
  readonly #message: Message;
  readonly #writer: Writer;
  readonly #counts = { questions: 0, answers: 0, authorities: 0, additionals: 0 };

  constructor(message: Message, compression: Compression) {
    this.#message = message;
    this.#writer = new Writer(compression);
    this.#writer.bytes(new Uint8Array(12));
  }

  get size(): number {
    return this.#writer.size;
  }

  get isEmpty(): boolean {
    return this.size === 12;
  }

  /** Runs `write`, and undoes it when the message is then longer than `bytesMax`. */
  fits(bytesMax: number, write: () => void): boolean {
    const counts = { ...this.#counts };
    const mark = this.#writer.mark();
    write();
    if (this.size <= bytesMax) return true;
    this.#writer.rewind(mark);
    Object.assign(this.#counts, counts);
    return false;
  }

  question(question: Question): void {
    this.#counts.questions++;
    this.#writer.name(question.name);
    this.#writer.uint16(question.type);
    this.#writer.uint16(question.class | (question.unicastResponse ? 0x8000 : 0));
  }

  record(section: Section, record: ResourceRecord): void {
    this.#counts[section]++;
    this.#writer.name(record.name);
    this.#writer.uint16(typeOf(record.data));
    this.#writer.uint16(record.class | (record.cacheFlush ? 0x8000 : 0));
    this.#writer.uint32(record.ttlSeconds);
    this.#writer.lengthPrefixed(() => this.#writer.data(record.data));
  }

  finish(truncated: boolean): Bytes {
    const bytes = this.#writer.finish();
    const view = viewOf(bytes);
    const { id, response, opcode, authoritative, rcode } = this.#message;
    const bits = (response ? 0x8000 : 0) | (authoritative ? 0x0400 : 0) | (truncated ? 0x0200 : 0);
    const { questions, answers, authorities, additionals } = this.#counts;
    for (const [index, value] of [
      id,
      bits | (opcode << 11) | rcode,
      questions,
      answers,
      authorities,
      additionals,
    ].entries()) {
      view.setUint16(index * 2, value);
    }
    return bytes;
  }
}

interface Mark {
  readonly parts: number;
  readonly size: number;
}

/** Bytes in the making, and where in them which name stands. */
class Writer {
  readonly #compression: Compression;
  readonly #parts: Bytes[] = [];
  readonly #names = new Map<string, number>();
  #size = 0;

  constructor(compression: Compression) {
    this.#compression = compression;
  }

  get size(): number {
    return this.#size;
  }

  mark(): Mark {
    return { parts: this.#parts.length, size: this.#size };
  }

  rewind(mark: Mark): void {
    this.#parts.length = mark.parts;
    this.#size = mark.size;
    for (const [key, offset] of this.#names) if (offset >= mark.size) this.#names.delete(key);
  }

  bytes(bytes: Bytes): void {
    this.#parts.push(bytes);
    this.#size += bytes.length;
  }

  uint16(value: number): void {
    this.bytes(Uint8Array.of(value >> 8, value));
  }

  uint32(value: number): void {
    this.bytes(Uint8Array.of(value >>> 24, value >>> 16, value >>> 8, value));
  }

  string(bytes: Bytes): void {
    if (bytes.length > 255) throw malformed('a string of at most 255 bytes was expected');
    this.bytes(Uint8Array.of(bytes.length));
    this.bytes(bytes);
  }

  lengthPrefixed(write: () => void): void {
    const at = this.#parts.length;
    this.uint16(0);
    const start = this.#size;
    write();
    const length = this.#size - start;
    if (length > 0xffff) throw malformed('record data of at most 65535 bytes was expected');
    this.#parts[at] = Uint8Array.of(length >> 8, length);
  }

  name(name: Name, compression = this.#compression): void {
    const labels = nameLabels(name);
    const suffixes = suffixKeys(name);
    for (const [index, label] of labels.entries()) {
      const suffix = suffixes[index]!;
      const seenAt = compression === 'none' ? undefined : this.#names.get(suffix);
      if (seenAt !== undefined) {
        this.uint16(0xc000 | seenAt);
        return;
      }
      if (this.#size < 0x4000) this.#names.set(suffix, this.#size);
      this.string(label);
    }
    this.bytes(Uint8Array.of(0));
  }

  data(data: RecordData): void {
    switch (data.kind) {
      case 'a':
        this.bytes(parseIpv4(data.address) ?? noAddress());
        break;
      case 'aaaa':
        this.bytes(parseIpv6(data.address) ?? noAddress());
        break;
      case 'ptr':
        this.name(data.target);
        break;
      case 'srv':
        for (const value of [data.priority, data.weight, data.port]) this.uint16(value);
        this.name(data.target, this.#compression === 'legacy' ? 'none' : this.#compression);
        break;
      case 'txt':
        for (const string of data.strings.length === 0 ? [emptyBytes] : data.strings) this.string(string);
        break;
      case 'hinfo':
        this.string(data.cpu);
        this.string(data.os);
        break;
      case 'nsec':
        this.name(data.next);
        this.#typeBitmaps(data.types);
        break;
      case 'opaque':
        this.bytes(data.bytes);
    }
  }

  finish(): Bytes {
    return concat([...this.#parts, emptyBytes]);
  }

  /** RFC 4034 §4.1.2. */
  #typeBitmaps(types: readonly number[]): void {
    const windows = new Map<number, number[]>();
    for (const type of [...types].sort((a, b) => a - b)) {
      const window = windows.get(type >> 8);
      if (window === undefined) windows.set(type >> 8, [type & 0xff]);
      else window.push(type & 0xff);
    }
    for (const [window, bits] of windows) {
      const bitmap = new Uint8Array((bits.at(-1)! >> 3) + 1);
      for (const bit of bits) bitmap[bit >> 3]! |= 0x80 >> (bit & 7);
      this.bytes(Uint8Array.of(window, bitmap.length));
      this.bytes(bitmap);
    }
  }
}

/** For each label the text that it and those after it share with no other labels. */
function suffixKeys(name: Name): readonly string[] {
  const keys = new Array<string>(name.length);
  let key = '';
  for (let index = name.length - 1; index >= 0; index--) {
    key = `${name[index]!.length}.${name[index]}${key}`;
    keys[index] = key;
  }
  return keys;
}

function noAddress(): never {
  throw malformed('an address was expected');
}
