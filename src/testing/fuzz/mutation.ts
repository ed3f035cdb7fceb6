import { type Bytes, concat, viewOf } from '../../base/bytes.ts';
import type { SeededEntropy } from '../seeded-entropy.ts';

/** What a number in a packet says. */
export interface Field {
  readonly offset: number;
  readonly size: 1 | 2 | 4;
  /** `label`: the length byte of a label, or the first of a compression pointer. */
  readonly kind: 'count' | 'length' | 'label' | 'value';
}

/** A part of a packet that may stand there many times, and the offset of the 16 bits that say how often. */
export interface Unit {
  readonly start: number;
  readonly end: number;
  readonly countAt: number;
}

export interface Layout {
  readonly fields: readonly Field[];
  readonly units: readonly Unit[];
}

/** Longer than any packet that is accepted, so that the limit is met from both sides. */
const packetBytesMax = 9216;
const stepsMax = 3;
const notableBytes = [0, 1, 0x3f, 0x40, 0x7f, 0x80, 0xbf, 0xc0, 0xfe, 0xff];

/** What changes a packet. `other` is another packet of the corpus. */
type Mutator = (
  bytes: Bytes,
  layout: Layout,
  entropy: SeededEntropy,
  other: Bytes,
  layoutOf: (bytes: Bytes) => Layout,
) => Bytes;

/** One to four changes, each after a new look at where the fields are. */
export function mutate(
  original: Bytes,
  layoutOf: (bytes: Bytes) => Layout,
  entropy: SeededEntropy,
  other: Bytes,
): Bytes {
  let bytes = original;
  const steps = entropy.chance(0.75) ? 1 : 1 + entropy.below(stepsMax);
  for (let step = 0; step < steps; step++) {
    const change = mutators[entropy.below(mutators.length)]!;
    bytes = change(bytes, layoutOf(bytes), entropy, other, layoutOf).subarray(0, packetBytesMax);
  }
  return bytes;
}

/** Bytes without any sense; half of them with a DNS header that promises some. */
export function noise(entropy: SeededEntropy): Bytes {
  const longest = entropy.chance(0.05) ? packetBytesMax : entropy.chance(0.5) ? 64 : 600;
  const bytes = entropy.bytes(entropy.below(longest + 1));
  if (bytes.length < 12 || entropy.chance(0.5)) return bytes;
  bytes.set([0, 0, entropy.chance(0.5) ? 0x84 : 0, 0]);
  for (let offset = 4; offset < 12; offset += 2) bytes.set([0, entropy.below(3)], offset);
  return bytes;
}

const flipBit: Mutator = (bytes, _, entropy) => {
  const changed = new Uint8Array(bytes);
  if (bytes.length > 0) changed[entropy.below(bytes.length)]! ^= 1 << entropy.below(8);
  return changed;
};

const setByte: Mutator = (bytes, _, entropy) => {
  const changed = new Uint8Array(bytes);
  if (bytes.length > 0) changed[entropy.below(bytes.length)] = pick(notableBytes, entropy)!;
  return changed;
};

const cut: Mutator = (bytes, _, entropy) => bytes.subarray(0, entropy.below(bytes.length + 1));

const removeRange: Mutator = (bytes, _, entropy) => {
  const [start, end] = range(bytes.length, entropy);
  return concat([bytes.subarray(0, start), bytes.subarray(end)]);
};

const repeatRange: Mutator = (bytes, _, entropy) => {
  const [start, end] = range(bytes.length, entropy);
  return concat([bytes.subarray(0, end), bytes.subarray(start)]);
};

const insertNoise: Mutator = (bytes, _, entropy) => {
  const at = entropy.below(bytes.length + 1);
  return concat([bytes.subarray(0, at), entropy.bytes(1 + entropy.below(16)), bytes.subarray(at)]);
};

const splice: Mutator = (bytes, _, entropy, other) => {
  const [start] = range(other.length, entropy);
  return concat([bytes.subarray(0, entropy.below(bytes.length + 1)), other.subarray(start)]);
};

/** A number that lies: one off, none, the most there can be, or the start of a pointer. */
const setField: Mutator = (bytes, { fields }, entropy, other, layoutOf) => {
  const field = pick(fields, entropy);
  if (field === undefined) return flipBit(bytes, noLayout, entropy, other, layoutOf);
  const changed = new Uint8Array(bytes);
  const view = viewOf(changed);
  const bits = 8 * field.size;
  const now = field.size === 1 ? view.getUint8(field.offset) : view.getUint16(field.offset + field.size - 2);
  const lies = [
    0,
    1,
    now - 1,
    now + 1,
    2 ** bits - 1,
    2 ** (bits - 1),
    0xc00c,
    entropy.below(2 ** bits),
    bytes.length,
  ];
  const lie = Math.max(0, pick(lies, entropy)!) % 2 ** bits;
  if (field.size === 1) view.setUint8(field.offset, lie);
  else if (field.size === 2) view.setUint16(field.offset, lie);
  else view.setUint32(field.offset, lie);
  return changed;
};

/** A compression pointer, to itself, shortly before, to the header, to a label, forwards, anywhere. */
const plantPointer: Mutator = (bytes, { fields }, entropy) => {
  const labels = fields.filter(({ kind }) => kind === 'label').map(({ offset }) => offset);
  const at = (entropy.chance(0.8) ? pick(labels, entropy) : undefined) ?? entropy.below(bytes.length + 1);
  if (at + 2 > bytes.length) return bytes;
  const places = [
    at,
    at - 1,
    at - 2,
    at + 2,
    0,
    12,
    pick(labels, entropy) ?? 12,
    entropy.below(bytes.length),
  ];
  const target = Math.max(0, pick(places, entropy)!) & 0x3fff;
  const changed = new Uint8Array(bytes);
  changed.set([0xc0 | (target >> 8), target & 0xff], at);
  return changed;
};

/** A label of 62–65 bytes, or so many labels that the name has more than 255 bytes. */
const growName: Mutator = (bytes, { fields }, entropy, other, layoutOf) => {
  const label = pick(
    fields.filter(({ kind }) => kind === 'label'),
    entropy,
  );
  if (label === undefined) return insertNoise(bytes, noLayout, entropy, other, layoutOf);
  const size = 62 + entropy.below(4);
  const one = concat([Uint8Array.of(size), new Uint8Array(size).fill(0x61)]);
  const short = entropy.chance(0.5);
  const count = short ? 1 + entropy.below(140) : 1 + entropy.below(5);
  const labels = new Array<Bytes>(count).fill(short ? Uint8Array.of(1, 0x61) : one);
  return concat([bytes.subarray(0, label.offset), ...labels, bytes.subarray(label.offset)]);
};

/** One question or record many times over, and the count that says so. */
const multiply: Mutator = (bytes, { units }, entropy, other, layoutOf) => {
  const unit = pick(units, entropy);
  if (unit === undefined) return repeatRange(bytes, noLayout, entropy, other, layoutOf);
  const room = Math.floor((packetBytesMax - bytes.length) / Math.max(1, unit.end - unit.start));
  const more = Math.min(room, entropy.chance(0.9) ? 1 + entropy.below(8) : entropy.below(1100));
  const copies = new Array<Bytes>(Math.max(0, more)).fill(bytes.subarray(unit.start, unit.end));
  const changed = concat([bytes.subarray(0, unit.end), ...copies, bytes.subarray(unit.end)]);
  const whole = new Uint8Array(changed);
  const view = viewOf(whole);
  view.setUint16(unit.countAt, view.getUint16(unit.countAt) + copies.length);
  return whole;
};

/** A question or record of another packet; its pointers then lead to whatever stands there here. */
const addUnit: Mutator = (bytes, { units }, entropy, other, layoutOf) => {
  const unit = pick(layoutOf(other).units, entropy);
  const place = pick(units, entropy);
  if (unit === undefined || place === undefined) return splice(bytes, noLayout, entropy, other, layoutOf);
  const whole = concat([
    bytes.subarray(0, place.end),
    other.subarray(unit.start, unit.end),
    bytes.subarray(place.end),
  ]);
  const view = viewOf(whole);
  view.setUint16(place.countAt, view.getUint16(place.countAt) + 1);
  return whole;
};

/** Those that lie about structure more often than those that only break bytes. */
const mutators: readonly Mutator[] = [
  flipBit,
  setByte,
  cut,
  removeRange,
  repeatRange,
  insertNoise,
  splice,
  setField,
  setField,
  setField,
  setField,
  plantPointer,
  plantPointer,
  growName,
  multiply,
  multiply,
  addUnit,
  addUnit,
  addUnit,
  addUnit,
  addUnit,
];

const noLayout: Layout = { fields: [], units: [] };

function range(length: number, entropy: SeededEntropy): readonly [number, number] {
  const start = entropy.below(length + 1);
  return [start, Math.min(length, start + entropy.below(64))];
}

function pick<T>(items: readonly T[], entropy: SeededEntropy): T | undefined {
  return items[entropy.below(items.length)];
}
