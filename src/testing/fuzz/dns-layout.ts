import { type Bytes, viewOf } from '../../base/bytes.ts';
import { recordType } from '../../zeroconf/dns/message.ts';
import type { Field, Layout, Unit } from './mutation.ts';

const headerBytes = 12;
const stringTypes: readonly number[] = [recordType.txt, recordType.hinfo];
/** Record types whose data has a name, and how many bytes stand before it. */
const nameAt = new Map<number, number>([
  [recordType.ptr, 0],
  [recordType.srv, 6],
  [recordType.nsec, 0],
]);

/** The fields of a DNS message (RFC 1035 §4.1), as far as it can be followed. */
export function dnsLayout(bytes: Bytes): Layout {
  return new LayoutReader(bytes).read();
}

class LayoutReader {
  readonly #bytes: Bytes;
  readonly #view: DataView;
  readonly #fields: Field[] = [];
  readonly #units: Unit[] = [];
  #offset = headerBytes;

  constructor(bytes: Bytes) {
    this.#bytes = bytes;
    this.#view = viewOf(bytes);
  }

  read(): Layout {
    if (this.#bytes.length >= headerBytes) {
      this.#note(2, 2, 'value');
      for (let countAt = 4; countAt < headerBytes; countAt += 2) this.#note(countAt, 2, 'count');
      for (let countAt = 4; countAt < headerBytes; countAt += 2) {
        let left = this.#view.getUint16(countAt);
        while (left-- > 0 && this.#unit(countAt));
      }
    }
    return { fields: this.#fields, units: this.#units };
  }

  /** One question or record; false where the message ends before it does. */
  #unit(countAt: number): boolean {
    const start = this.#offset;
    if (!this.#name() || !this.#has(4)) return false;
    const type = this.#view.getUint16(this.#offset);
    this.#take(2, 'value');
    this.#take(2, 'value');
    if (countAt > 4) {
      if (!this.#has(6)) return false;
      this.#take(4, 'value');
      const end = this.#offset + 2 + this.#view.getUint16(this.#offset);
      this.#take(2, 'length');
      if (end > this.#bytes.length) return false;
      this.#data(type, end);
      this.#offset = end;
    }
    this.#units.push({ start, end: this.#offset, countAt });
    return true;
  }

  #data(type: number, end: number): void {
    const before = nameAt.get(type);
    if (before !== undefined) {
      this.#offset += before;
      if (!this.#name()) return;
    }
    if (type === recordType.nsec) {
      this.#offset++;
      if (this.#offset < end) this.#take(1, 'length');
    }
    while (stringTypes.includes(type) && this.#offset < end) {
      const size = this.#bytes[this.#offset]!;
      this.#take(1, 'length');
      this.#offset += size;
    }
  }

  #name(): boolean {
    while (this.#has(1)) {
      const length = this.#bytes[this.#offset]!;
      this.#take(1, 'label');
      if (length === 0) return true;
      this.#offset += length < 0x40 ? length : 1;
      if (length >= 0x40) return this.#offset <= this.#bytes.length;
    }
    return false;
  }

  #has(count: number): boolean {
    return this.#offset + count <= this.#bytes.length;
  }

  #take(size: Field['size'], kind: Field['kind']): void {
    this.#note(this.#offset, size, kind);
    this.#offset += size;
  }

  #note(offset: number, size: Field['size'], kind: Field['kind']): void {
    if (offset + size <= this.#bytes.length) this.#fields.push({ offset, size, kind });
  }
}
