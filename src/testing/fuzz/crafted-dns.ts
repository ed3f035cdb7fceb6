import { type Bytes, concat, fromHex, sizeOf, utf8 } from '../../base/bytes.ts';
import { dnsMessageBytesMax } from '../../base/discovery-limits.ts';
import { recordType } from '../../zeroconf/dns/message.ts';
import type { CorpusEntry } from './corpus.ts';

const { a, aaaa, any, hinfo, nsec, opt, ptr, srv, txt } = recordType;
const queryFlags = 0;
const truncatedFlags = 0x0200;
const responseFlags = 0x8400;
const internet = 1;
const flush = 0x8001;

/** What the publishers and browsers under test are called, and browse for. */
const types = label('_services', '_dns-sd', '_udp', 'local');
const http = label('_http', '_tcp', 'local');
const box = label('Mr. Box', '_http', '_tcp', 'local');
const host = label('alder', 'local');

/** Messages that no honest sender makes; each attacks something by name. */
export function craftedDns(): readonly CorpusEntry[] {
  return Object.entries({ ...headers, ...names, ...data, ...hostile, ...floods }).map(([name, make]) => ({
    name,
    bytes: make(),
  }));
}

type Makers = Readonly<Record<string, () => Bytes>>;

const headers: Makers = {
  nothing: () => bytes(),
  'header-cut': () => bytes(0, 0, 0x84, 0, 0, 0, 0, 0, 0, 0, 0),
  'header-only': () => message(queryFlags, {}),
  'zero-counts-then-bytes': () => concat([message(responseFlags, {}), label('trailing', 'bytes')]),
  'counts-of-65535': () => concat([uint16(0, 0, 0xffff, 0xffff, 0xffff, 0xffff), question(host, a)]),
  'counts-one-too-many': () => concat([uint16(0, responseFlags, 0, 2, 0, 0), addressOf(host)]),
  'every-flag': () => message(0xffff, { answers: [addressOf(host)] }),
  'opcode-15': () => message(0x7800, { questions: [question(host, any)] }),
  'rcode-15': () => message(0x840f, { answers: [addressOf(host)] }),
};

const names: Makers = {
  /** dns-js loops on it for ever. */
  'pointer-to-itself': () => fromHex('000000000001000000000000c00c000c0001')!,
  'pointer-to-each-other': () => message(queryFlags, { questions: [bytes(0xc0, 14, 0xc0, 12, 0, 12, 0, 1)] }),
  'pointer-forwards': () =>
    message(queryFlags, { questions: [question(pointer(18), ptr), question(http, ptr)] }),
  'pointer-into-header': () => message(queryFlags, { questions: [question(pointer(0), ptr)] }),
  'pointer-past-the-end': () => message(queryFlags, { questions: [question(pointer(0x3fff), ptr)] }),
  'pointer-cut': () => message(queryFlags, { questions: [bytes(0xc0)] }),
  'pointer-loop-by-a-label': () =>
    message(queryFlags, { questions: [question(concat([bytes(1, 0x61), pointer(12)]), ptr)] }),
  /** Each of 300 pointers leads two bytes back, to the one before. */
  'pointer-chain': () => {
    const chain = Array.from({ length: 300 }, (_, index) => pointer(index === 0 ? 12 : 22 + 2 * index));
    const opaque = record(bytes(0), 65_280, internet, 1, concat([bytes(0), ...chain]));
    return message(responseFlags, { answers: [opaque, record(pointer(622), ptr, internet, 1, bytes(0))] });
  },
  'label-of-63': () => message(queryFlags, { questions: [question(label('x'.repeat(63), 'local'), a)] }),
  'label-kind-01': () =>
    message(queryFlags, { questions: [question(bytes(0x40, ...new Array(64).fill(97), 0), a)] }),
  'label-kind-10': () => message(queryFlags, { questions: [question(bytes(0x80, 1, 0), a)] }),
  'label-past-the-end': () => message(queryFlags, { questions: [bytes(63, 0x61, 0x62)] }),
  'name-of-255': () => message(queryFlags, { questions: [question(shortLabels(127), a)] }),
  'name-of-257': () => message(queryFlags, { questions: [question(shortLabels(128), a)] }),
  'name-without-end': () => message(queryFlags, { questions: [concat(new Array(4000).fill(bytes(1, 97)))] }),
  /** 255 bytes that a pointer makes longer. */
  'name-over-255-by-pointer': () =>
    message(queryFlags, {
      questions: [
        question(shortLabels(100), a),
        question(concat([label('x'.repeat(60)).subarray(0, -1), pointer(12)]), a),
      ],
    }),
  'name-root': () => message(queryFlags, { questions: [question(bytes(0), any)] }),
  'name-not-utf-8': () =>
    message(responseFlags, {
      answers: [record(http, ptr, internet, 4500, concat([bytes(4, 0xff, 0, 0xc3, 0x28), http]))],
    }),
  'name-with-dots-and-capitals': () =>
    message(queryFlags, { questions: [question(label('MR. BOX', '_HTTP', '_tcp', 'LOCAL'), any)] }),
};

const data: Makers = {
  'address-of-3-bytes': () => answer(record(host, a, flush, 120, bytes(1, 2, 3))),
  'address-of-5-bytes': () => answer(record(host, a, flush, 120, bytes(1, 2, 3, 4, 5))),
  'address-without-bytes': () => answer(record(host, aaaa, flush, 120, bytes())),
  'data-past-the-end': () => answer(concat([host, uint16(txt, flush, 0, 120, 0xffff), bytes(1, 0x61)])),
  'data-length-too-small': () => answer(concat([host, uint16(ptr, internet, 0, 120, 1), http])),
  'text-past-its-data': () => answer(record(box, txt, flush, 4500, bytes(9, 0x61)), addressOf(host)),
  'text-without-bytes': () => answer(record(box, txt, flush, 4500, bytes())),
  'text-of-keys-only': () => answer(record(box, txt, flush, 4500, bytes(1, 0x3d, 0, 1, 0x61, 2, 0x61, 0x3d))),
  'text-named-proto': () => answer(...service(), record(box, txt, flush, 4500, string('__proto__=1'))),
  'hinfo-cut': () => answer(record(host, hinfo, flush, 120, bytes(1, 0x61, 2, 0x61))),
  'srv-without-target': () => answer(record(box, srv, flush, 120, uint16(0, 0, 80))),
  'srv-to-the-root': () => answer(record(box, srv, flush, 120, concat([uint16(0, 0, 0), bytes(0)]))),
  'srv-to-itself': () =>
    answer(record(http, ptr, internet, 120, box), record(box, srv, flush, 120, serviceTo(box))),
  'pointer-to-own-type': () => answer(record(http, ptr, internet, 4500, http)),
  'nsec-windows-backwards': () =>
    answer(record(host, nsec, flush, 120, concat([host, bytes(1, 1, 64, 0, 1, 64)]))),
  'nsec-window-empty': () => answer(record(host, nsec, flush, 120, concat([host, bytes(0, 0)]))),
  'nsec-window-of-33': () =>
    answer(record(host, nsec, flush, 120, concat([host, bytes(0, 33, ...new Array(33).fill(0xff))]))),
  'nsec-window-cut': () => answer(record(host, nsec, flush, 120, concat([host, bytes(0, 8, 64)]))),
  'nsec-without-types': () => answer(...service(), record(host, nsec, flush, 120, host)),
  'nsec-of-65536-types': () =>
    answer(record(http, ptr, internet, 4500, box), record(box, nsec, flush, 4500, concat([box, allTypes()]))),
  'opt-with-owner': () =>
    message(queryFlags, {
      questions: [question(http, ptr)],
      additionals: [
        record(bytes(0), opt, 1440, 0x1194, concat([uint16(4, 8), bytes(0, 1, 2, 0xae, 0, 0, 0, 6)])),
      ],
    }),
};

/** Well-formed, and against what we hold or look for. */
const hostile: Makers = {
  'lifetime-of-136-years': () => answer(...service(0xffff_ffff)),
  'lifetime-without-sign': () => answer(...service(0x8000_0000)),
  'goodbye-to-everything': () => answer(...service(0)),
  'address-that-conflicts': () => answer(addressOf(host)),
  'srv-that-conflicts': () => answer(record(box, srv, flush, 120, serviceTo(label('other', 'local')))),
  'class-any': () => message(queryFlags, { questions: [concat([host, uint16(any, 255)])] }),
  'class-0-and-7fff': () =>
    message(responseFlags, {
      answers: [record(host, a, 0, 120, bytes(1, 1, 1, 1)), record(host, a, 0xffff, 120, bytes(2, 2, 2, 2))],
    }),
  'probe-that-wins': () =>
    message(queryFlags, {
      questions: [question(host, any)],
      authorities: [record(host, 65_280, internet, 120, bytes(0xff))],
    }),
  'unicast-asked-for': () => message(queryFlags, { questions: [concat([types, uint16(any, flush)])] }),
  'truncated-then-answers': () =>
    message(truncatedFlags, { questions: [question(http, any), question(types, ptr)] }),
  'answers-without-question': () =>
    message(truncatedFlags, { answers: [record(http, ptr, internet, 4500, box)] }),
  'text-that-is-its-own-name': () => textThatIsItsOwnName(),
};

const floods: Makers = {
  'questions-1024': () => flood(queryFlags, 4, question(pointer(12), ptr), question(types, any)),
  'questions-1025': () =>
    concat([uint16(0, 0, 1025, 0, 0, 0), ...new Array(1025).fill(question(bytes(0), any))]),
  'questions-of-127-labels': () =>
    flood(queryFlags, 4, question(pointer(12), any), question(shortLabels(127), any)),
  'questions-of-127-pointers': () => {
    const chain = Array.from({ length: 126 }, (_, index) => pointer(index === 0 ? 12 : 21 + 2 * index));
    const first = record(bytes(0), 65_280, internet, 1, concat(chain));
    return flood(responseFlags, 6, record(pointer(273), a, internet, 1, bytes(1, 1, 1, 1)), first);
  },
  'known-answers-of-one': () =>
    flood(
      queryFlags,
      6,
      record(pointer(12), ptr, internet, 4500, pointer(12)),
      record(http, ptr, internet, 4500, box),
    ),
  'truncated-with-1024-questions': () =>
    flood(truncatedFlags, 4, question(pointer(12), any), question(types, any)),
  'instances-of-one-type': () =>
    many(responseFlags, (index) =>
      record(http, ptr, internet, 4500, concat([label(`i${index}`).subarray(0, -1), pointer(12)])),
    ),
  ...series('hosts-of-one-instance', 5, (part) =>
    many(responseFlags, (index) =>
      index === 0
        ? record(http, ptr, internet, 4500, box)
        : record(box, srv, internet, 4500, serviceTo(label(`h${index}`, `part${part}`))),
    ),
  ),
  /** Names that share no end, so that none is shortened. */
  ...series('instances-of-126-labels', 8, (part) =>
    many(responseFlags, (index) =>
      record(
        index === 0 ? http : pointer(12),
        ptr,
        internet,
        4500,
        concat([shortLabels(124).subarray(0, -1), label(`${part}${index}`)]),
      ),
    ),
  ),
  'questions-for-an-instance': () => flood(queryFlags, 4, question(pointer(12), srv), question(box, srv)),
  ...series('services-of-one-host', 2, (part) => servicesOfOneHost(part)),
  'addresses-of-one-host': () =>
    many(responseFlags, (index) =>
      index < 3 ? service()[index]! : record(host, a, internet, 120, uint16(2560, index)),
    ),
  'proposals-for-one-name': () =>
    flood(
      queryFlags,
      8,
      record(pointer(12), a, internet, 120, bytes(255, 255, 255, 255)),
      question(host, any),
    ),
  'text-of-8900-bytes': () =>
    answer(
      record(http, ptr, internet, 4500, box),
      record(box, txt, flush, 4500, concat(new Array(34).fill(bytes(255, ...new Array(255).fill(0x61))))),
    ),
  'text-of-empty-strings': () =>
    answer(record(http, ptr, internet, 4500, box), record(box, txt, flush, 4500, new Uint8Array(8800))),
  'one-record-of-8952-bytes': () =>
    answer(record(host, 65_280, flush, 120, new Uint8Array(dnsMessageBytesMax - 12 - host.length - 10))),
  'one-record-of-8953-bytes': () =>
    answer(record(host, 65_280, flush, 120, new Uint8Array(dnsMessageBytesMax - 11 - host.length - 10))),
};

/**
 * A TXT record whose name is a pointer to the header: that is read as a label of 24 bytes, which reaches into the
 * record's data, where the name goes on. Two bytes here, it takes 43 when it is written out; with as much data as a
 * message can have, no packet could carry the record again.
 */
export function textThatIsItsOwnName(): Bytes {
  const nameBytes = 2;
  let left = dnsMessageBytesMax - 12 - nameBytes - 10;
  const strings: Bytes[] = [];
  while (left > 0) {
    const string = new Uint8Array(Math.min(left, 256)).fill(0x61);
    string[0] = string.length - 1;
    if (strings.length === 0) string.set(http, 1);
    strings.push(string);
    left -= string.length;
  }
  const whole = answer(record(pointer(0), txt, internet, 10, concat(strings)));
  whole[0] = 24;
  return whole;
}

/** 150 instances, all on the host `alder`. */
function servicesOfOneHost(part: number): Bytes {
  const answers: Bytes[] = [
    record(http, ptr, internet, 4500, box),
    record(box, srv, internet, 4500, serviceTo(host)),
  ];
  let size = 12 + sizeOf(answers);
  const hostAt = size - host.length;
  for (let index = 0; index < 150; index++) {
    const instance = concat([string(`s${part}.${index}`), pointer(12)]);
    const nameAt = size + 12;
    const three = [
      record(pointer(12), ptr, internet, 4500, instance),
      record(pointer(nameAt), srv, internet, 4500, serviceTo(pointer(hostAt))),
      record(pointer(nameAt), txt, internet, 4500, bytes(0)),
    ];
    answers.push(...three);
    size += sizeOf(three);
  }
  return answer(...answers);
}

/** A service, its host and its address. */
function service(ttl = 4500): readonly Bytes[] {
  return [
    record(http, ptr, internet, ttl, box),
    record(box, srv, flush, ttl, serviceTo(host)),
    record(box, txt, flush, ttl, string('path=/')),
    addressOf(host, ttl),
  ];
}

function serviceTo(target: Bytes): Bytes {
  return concat([uint16(0, 0, 80), target]);
}

function addressOf(name: Bytes, ttl = 120): Bytes {
  return record(name, a, flush, ttl, bytes(10, 0, 0, 66));
}

function allTypes(): Bytes {
  return concat(Array.from({ length: 256 }, (_, window) => bytes(window, 32, ...new Array(32).fill(0xff))));
}

function answer(...answers: readonly Bytes[]): Bytes {
  return message(responseFlags, { answers });
}

/** `first`, then `one` as often as 1024 records and 8952 bytes allow; `countAt` as in the header. */
function flood(flags: number, countAt: 4 | 6 | 8, one: Bytes, first: Bytes): Bytes {
  const count = Math.min(1023, Math.floor((dnsMessageBytesMax - 12 - first.length) / one.length));
  const header = new Uint8Array(12);
  header.set(uint16(0, flags));
  // Whatever section is flooded, a question that comes first is counted as one.
  const isQuestionFirst = countAt === 8;
  if (isQuestionFirst) header.set(uint16(1), 4);
  header.set(uint16(count + (isQuestionFirst ? 0 : 1)), countAt);
  return concat([header, first, ...new Array<Bytes>(count).fill(one)]);
}

/** As many different answers as fit. */
function many(flags: number, one: (index: number) => Bytes): Bytes {
  const answers: Bytes[] = [];
  let size = 12;
  for (
    let next = one(0);
    size + next.length <= dnsMessageBytesMax && answers.length < 1024;
    next = one(answers.length)
  ) {
    answers.push(next);
    size += next.length;
  }
  return message(flags, { answers });
}

/** Packets of one kind that together are more than one can be. */
function series(name: string, count: number, make: (part: number) => Bytes): Makers {
  return Object.fromEntries(
    Array.from({ length: count }, (_, part) => [`${name}-${part + 1}`, () => make(part + 1)]),
  );
}

interface Sections {
  readonly questions?: readonly Bytes[];
  readonly answers?: readonly Bytes[];
  readonly authorities?: readonly Bytes[];
  readonly additionals?: readonly Bytes[];
}

function message(flags: number, sections: Sections): Bytes {
  const { questions = [], answers = [], authorities = [], additionals = [] } = sections;
  const counts = [questions, answers, authorities, additionals].map((section) => section.length);
  return concat([uint16(0, flags, ...counts), ...questions, ...answers, ...authorities, ...additionals]);
}

function question(name: Bytes, type: number): Bytes {
  return concat([name, uint16(type, internet)]);
}

function record(name: Bytes, type: number, classAndBit: number, ttl: number, rdata: Bytes): Bytes {
  return concat([name, uint16(type, classAndBit, ttl >>> 16, ttl & 0xffff, rdata.length), rdata]);
}

function label(...labels: readonly string[]): Bytes {
  return concat([...labels.map(string), bytes(0)]);
}

function string(text: string): Bytes {
  return concat([bytes(utf8(text).length), utf8(text)]);
}

function shortLabels(count: number): Bytes {
  return concat([...new Array<Bytes>(count).fill(bytes(1, 0x61)), bytes(0)]);
}

function pointer(offset: number): Bytes {
  return bytes(0xc0 | (offset >> 8), offset & 0xff);
}

function uint16(...values: readonly number[]): Bytes {
  return Uint8Array.from(values.flatMap((value) => [value >> 8, value & 0xff]));
}

function bytes(...values: readonly number[]): Bytes {
  return Uint8Array.from(values);
}
