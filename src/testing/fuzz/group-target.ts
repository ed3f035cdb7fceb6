import assert from 'node:assert/strict';
import { createCipheriv } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { type Bytes, concat, equalBytes } from '../../base/bytes.ts';
import { groupMemberPackets, groupPackets } from '../../base/discovery-limits.ts';
import { decodePoolSummary } from '../../files/pool-summary.ts';
import {
  type GroupEvent,
  type GroupState,
  groupDueMs,
  groupMemberFacts,
  groupStep,
  startGroup,
} from '../../zeroconf/multicast/group-machine.ts';
import {
  groupSummaryBytesMax,
  maskSession,
  readUint48,
  senderNamesOf,
  sessionKeyOf,
  writeUint48,
} from '../../zeroconf/multicast/group-message.ts';
import { parseCorpus } from './corpus.ts';
import type { FuzzSubject, FuzzTarget, Stopwatch } from './fuzz-target.ts';
import type { Field } from './mutation.ts';
import { drawsOf } from './packet-draws.ts';

/** As the corpus was made. */
const groupKey = new Uint8Array(32).fill(1);
const self = new Uint8Array(32).fill(2);
const members = [3, 4].map((number) => new Uint8Array(32).fill(number));
const session = new Uint8Array(16).fill(5);
const headerBytes = 31;
const sessionAt = 9;
const counterAt = 25;
const sealBytes = 16;
const packetsBeforeRestart = 25;
const ticksMax = 10_000;

/** docs/formats.md §10; from 31 on what is sealed. */
const fields: readonly Field[] = [
  { offset: 0, size: 1, kind: 'value' },
  { offset: 1, size: 4, kind: 'value' },
  { offset: 9, size: 4, kind: 'value' },
  { offset: 25, size: 2, kind: 'value' },
  { offset: 27, size: 4, kind: 'value' },
  { offset: 31, size: 1, kind: 'value' },
  { offset: 32, size: 2, kind: 'value' },
  { offset: 34, size: 4, kind: 'value' },
  { offset: 38, size: 2, kind: 'length' },
];

export const groupTarget: FuzzTarget = {
  name: 'group',
  about:
    'opens packets of the group channel, of strangers and of members gone bad, down to what they summarise',
  corpus: () => parseCorpus(readFileSync(new URL('corpora/group.hex', import.meta.url), 'utf8')),
  layoutOf: (bytes) => ({
    fields: fields.filter(({ offset, size }) => offset + size <= bytes.length),
    units: [],
  }),
  start: () => new GroupSubject(),
};

class GroupSubject implements FuzzSubject {
  #now = 0;
  #state: GroupState = this.#started();
  #packets = 0;
  #counter = 1;
  readonly #counts = { heard: 0, summaries: 0, sent: 0, refused: 0, restarts: 0 };

  receive(bytes: Bytes, timed: Stopwatch): void {
    const { afterMs, from, draw } = drawsOf(bytes);
    if (++this.#packets % packetsBeforeRestart === 0) this.#restart();
    this.#runTo(this.#now + 100 + afterMs, draw, timed);
    const packet = this.#sealed(bytes);
    const source = { interfaceName: 'eth0', address: from.address };
    timed(() => this.#step({ kind: 'packet', bytes: packet, from: source }));
  }

  check(): void {
    const { senders, places, bucket } = this.#state;
    assert.equal(senders.length, members.length);
    assert.equal(places.size, members.length);
    assert.ok(bucket.tokens >= 0 && bucket.tokens <= groupPackets.burst, `${bucket.tokens} tokens`);
    for (const sender of senders) {
      const { tokens } = sender.bucket;
      assert.ok(tokens >= 0 && tokens <= groupMemberPackets.burst, `${tokens} tokens of a member`);
      const window = sender.session?.window;
      assert.ok(window === undefined || window.seen < 2n ** 64n, 'a window of more than 64 bits');
    }
    for (const { lost } of groupMemberFacts(this.#state, this.#now))
      assert.ok(Number.isSafeInteger(lost) && lost >= 0, `${lost} packets lost`);
    const dueMs = groupDueMs(this.#state);
    assert.ok(Number.isFinite(dueMs) && dueMs >= this.#now, `due at ${dueMs}, it is ${this.#now}`);
  }

  figures(): Readonly<Record<string, number>> {
    return { ...this.#counts, refused: this.#counts.refused + this.#refused() };
  }

  #started(): GroupState {
    const state = startGroup({ groupKey, self, session }, this.#now, 0.5);
    return groupStep(state, { kind: 'members', memberIds: [self, ...members] }, this.#now).state;
  }

  /** Sessions go only forward: once a member has claimed the last there is, it is not heard any more. */
  #restart(): void {
    this.#counts.refused += this.#refused();
    this.#counts.restarts++;
    this.#state = this.#started();
  }

  #refused(): number {
    const { foreign, strangers } = this.#state.refused;
    return this.#state.senders.reduce((sum, { refused }) => sum + refused, foreign + strangers);
  }

  /**
   * A packet that ends in zeros instead of a seal, sealed as the member could who is the first: whatever it says then
   * is read. Zeros as its session or counter stand for what comes next.
   */
  #sealed(bytes: Bytes): Bytes {
    const end = bytes.length - sealBytes;
    if (end < headerBytes || bytes.subarray(end).some((byte) => byte !== 0)) return bytes;
    const header = new Uint8Array(bytes.subarray(0, headerBytes));
    const [member] = members;
    const names = senderNamesOf(groupKey, member!);
    const sent = header.subarray(sessionAt, counterAt);
    if (sent.every((byte) => byte === 0)) header.set(maskSession(session, names), sessionAt);
    if (readUint48(header, counterAt) === 0) writeUint48(header, counterAt, this.#counter++);
    const key = sessionKeyOf(groupKey, member!, maskSession(sent, names));
    const nonce = concat([new Uint8Array(6), header.subarray(counterAt)]);
    const cipher = createCipheriv('aes-256-gcm', key, nonce);
    cipher.setAAD(header);
    const body = cipher.update(bytes.subarray(headerBytes, end));
    return concat([header, body, cipher.final(), cipher.getAuthTag()]);
  }

  #runTo(endMs: number, draw: number, timed: Stopwatch): void {
    let ticks = 0;
    for (let due = groupDueMs(this.#state); due <= endMs; due = groupDueMs(this.#state)) {
      assert.ok(ticks++ < ticksMax, 'ticks without end');
      this.#now = Math.max(this.#now, due);
      timed(() => this.#step({ kind: 'tick', draw }));
    }
    this.#now = endMs;
  }

  #step(event: GroupEvent): void {
    const step = groupStep(this.#state, event, this.#now);
    this.#state = step.state;
    for (const action of step.actions) {
      if (action.kind === 'send') this.#counts.sent++;
      if (action.kind !== 'heard') continue;
      this.#counts.heard++;
      const { memberId, message } = action;
      assert.ok(
        members.some((member) => equalBytes(member, memberId)),
        'heard of nobody',
      );
      assert.ok(message.summary.length <= groupSummaryBytesMax);
      if (decodePoolSummary(message.summary) !== undefined) this.#counts.summaries++;
    }
  }
}
