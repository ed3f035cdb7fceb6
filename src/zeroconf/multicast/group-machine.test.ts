import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Bytes } from '../../base/bytes.ts';
import {
  groupMemberPackets,
  groupPackets,
  groupSendGapMs,
  groupSilenceMs,
} from '../../base/discovery-limits.ts';
import {
  type GroupAction,
  type GroupEvent,
  type GroupState,
  groupDueMs,
  groupMemberFacts,
  groupStep,
  startGroup,
} from './group-machine.ts';
import { maskSession, sealGroupMessage, senderNamesOf, sessionKeyOf } from './group-message.ts';

const groupKey = new Uint8Array(32).fill(1);
const idOf = (number: number) => new Uint8Array(32).fill(number);
const sessionOf = (number: number) => new Uint8Array(16).fill(number);
const [self, peer] = [idOf(1), idOf(2)];
const from = { interfaceName: 'eth0', address: '192.0.2.2' };

/** A machine that is fed and asked; time is given with each call. */
class Member {
  state: GroupState;
  actions: GroupAction[] = [];

  constructor(memberIds: readonly Bytes[] = [self, peer], session = sessionOf(5)) {
    this.state = startGroup({ groupKey, self, session }, 0, 0.5);
    this.feed({ kind: 'members', memberIds }, 0);
  }

  feed(event: GroupEvent, now: number): readonly GroupAction[] {
    const { state, actions } = groupStep(this.state, event, now);
    this.state = state;
    this.actions.push(...actions);
    return actions;
  }

  hear(bytes: Bytes, now: number): boolean {
    return this.feed({ kind: 'packet', bytes, from }, now).some(({ kind }) => kind === 'heard');
  }

  /** Ticks whenever it is due, and answers the times at which it spoke. */
  runTo(endMs: number, draw = 0.5): readonly number[] {
    const spoke: number[] = [];
    for (let dueMs = groupDueMs(this.state); dueMs <= endMs; dueMs = groupDueMs(this.state)) {
      const actions = this.feed({ kind: 'tick', draw }, dueMs);
      if (actions.some(({ kind }) => kind === 'send')) spoke.push(dueMs);
    }
    return spoke;
  }

  facts(now = 0) {
    return groupMemberFacts(this.state, now)[0]!;
  }
}

/** A packet as `sender` seals it. */
function packet(counter: number, { sender = peer, session = sessionOf(7), key = groupKey } = {}): Bytes {
  const names = senderNamesOf(key, sender);
  const header = { tag: names.tag, session: maskSession(session, names), counter };
  const message = { kind: 'heartbeat', port: 4270, freeGiB: 1, summary: new Uint8Array(1) } as const;
  return sealGroupMessage(sessionKeyOf(key, sender, session), header, message);
}

/** A packet with the header of one that is authentic, and another body. */
function forged(counter: number, session = sessionOf(7)): Bytes {
  const bytes = packet(counter, { session });
  bytes[60]! ^= 1;
  return bytes;
}

test('heartbeats come every four to six seconds as the draws say, the first within a second', () => {
  assert.deepEqual(new Member().runTo(20_000), [500, 5500, 10_500, 15_500]);
  assert.deepEqual(new Member().runTo(20_000, 0), [500, 4500, 8500, 12_500, 16_500]);
  const late = new Member().runTo(20_000, 0.999).map(Math.round);
  assert.deepEqual(late, [500, 6498, 12_496, 18_494]);
});

test('a change is said at once, many changes are said together, and never more than four times a second', () => {
  const member = new Member();
  member.runTo(1000);
  member.feed({ kind: 'changed', draw: 0.5 }, 1000);
  const spoke: number[] = [...member.runTo(1100)];
  assert.deepEqual(spoke, [1050]);
  assert.deepEqual(
    member.actions.map((action) => action.kind === 'send' && action.messageKind),
    ['heartbeat', 'change'],
  );
  for (let now = 1100; now < 3100; now += 10) {
    member.feed({ kind: 'changed', draw: 0.5 }, now);
    spoke.push(...member.runTo(now + 9));
  }
  for (const [index, atMs] of spoke.entries()) {
    if (index > 0) assert.ok(atMs - spoke[index - 1]! >= groupSendGapMs, `${spoke}`);
  }
  assert.ok(spoke.length >= 6 && spoke.length <= 9, `${spoke}`);
});

test('what is said for a change does for the heartbeat', () => {
  const member = new Member();
  member.runTo(5400);
  member.feed({ kind: 'changed', draw: 0 }, 5400);
  assert.deepEqual(member.runTo(10_500), [5400, 10_400]);
});

test('a link that opens hears of this box within a second', () => {
  const member = new Member();
  member.runTo(600);
  member.feed({ kind: 'linked', draw: 0.4 }, 2000);
  assert.deepEqual(member.runTo(5000), [2400]);
});

test('every packet has a counter of its own', () => {
  const member = new Member();
  for (let now = 0; now < 60_000; now += 700) {
    member.feed({ kind: 'changed', draw: 0 }, now);
    member.runTo(now + 699);
  }
  const counters = member.actions.flatMap((action) =>
    action.kind === 'send' ? [action.header.counter] : [],
  );
  assert.deepEqual(
    counters,
    [...counters.keys()].map((index) => counters[0]! + index),
  );
});

test('a member is heard with what it says and from where, once for all copies', () => {
  const member = new Member();
  assert.equal(member.hear(packet(0), 1000), true);
  assert.equal(member.hear(packet(0), 1001), false);
  assert.deepEqual(member.actions.at(-1), {
    kind: 'heard',
    memberId: peer,
    from,
    message: { kind: 'heartbeat', port: 4270, freeGiB: 1, summary: new Uint8Array(1) },
  });
  assert.deepEqual(member.facts(3000), {
    memberId: peer,
    heard: { address: '192.0.2.2', agoMs: 2000, freeGiB: 1 },
    lost: 0,
    refused: 0,
  });
});

test('what does not come is counted, what comes late is not', () => {
  const member = new Member();
  for (const counter of [10, 11, 15, 13]) member.hear(packet(counter), 1000);
  assert.equal(member.facts().lost, 2);
  member.hear(packet(0, { session: sessionOf(8) }), 2000);
  member.hear(packet(2, { session: sessionOf(8) }), 3000);
  assert.equal(member.facts().lost, 3);
});

test('everything that was recorded and is sent again is refused, also of a session that ended', () => {
  const member = new Member();
  const recorded = Array.from({ length: 200 }, (_, counter) => packet(counter));
  for (const [index, bytes] of recorded.entries()) assert.equal(member.hear(bytes, index * 5000), true);
  for (const bytes of recorded) assert.equal(member.hear(bytes, 1_000_000), false);
  assert.equal(member.hear(packet(0, { session: sessionOf(8) }), 1_100_000), true);
  for (const bytes of recorded) assert.equal(member.hear(bytes, 1_200_000), false);
  assert.equal(member.hear(packet(1000), 1_300_000), false, 'nor what the old session never said');
  assert.ok(member.facts().refused > 200);
});

test('a forged packet moves no window and begins no session, whatever its header claims', () => {
  const member = new Member();
  assert.equal(member.hear(packet(5), 0), true);
  assert.equal(member.hear(forged(2 ** 40), 10_000), false);
  assert.equal(member.hear(forged(0, sessionOf(255)), 20_000), false);
  assert.equal(member.hear(packet(6), 30_000), true);
  assert.deepEqual([member.facts().refused, member.facts().lost], [2, 0]);
});

test('another epoch, another pool, and a member that is not enrolled here are strangers', () => {
  const member = new Member();
  const key = new Uint8Array(32).fill(200);
  assert.equal(member.hear(packet(0, { key }), 0), false);
  assert.equal(member.hear(packet(0, { sender: idOf(3) }), 0), false);
  assert.equal(member.hear(new Uint8Array(300), 0), false);
  assert.deepEqual(member.state.refused, { foreign: 1, strangers: 2 });
  member.feed({ kind: 'members', memberIds: [self, peer, idOf(3)] }, 0);
  assert.equal(member.hear(packet(1, { sender: idOf(3) }), 0), true);
  member.feed({ kind: 'members', memberIds: [self, peer] }, 0);
  assert.equal(member.hear(packet(2, { sender: idOf(3) }), 0), false);
});

test('what is known of a member outlives changes of the member set', () => {
  const member = new Member();
  member.hear(packet(5), 0);
  member.feed({ kind: 'members', memberIds: [self, peer, idOf(3)] }, 10);
  assert.equal(member.hear(packet(5), 20), false);
  assert.equal(member.facts(20).heard?.agoMs, 20);
});

test('own packets that come back are no news', () => {
  const member = new Member();
  assert.equal(member.hear(packet(0, { sender: self }), 0), false);
  assert.deepEqual([member.state.refused, member.facts().refused], [{ foreign: 0, strangers: 0 }, 0]);
});

test('a flood in the name of one member is looked at as often as a member may be heard, and no more', () => {
  const member = new Member([self, peer, idOf(3)]);
  const bytes = forged(0);
  let looks = 0;
  for (let now = 0; now < 10_000; now++) {
    const before = member.state.bucket;
    member.hear(bytes, now);
    if (member.state.bucket !== before) looks++;
  }
  const { burst, perSecond } = groupMemberPackets;
  assert.equal(looks, Math.floor(burst + perSecond * 9.999));
  assert.equal(member.facts().refused, 10_000);
  assert.equal(
    member.hear(packet(0, { sender: idOf(3) }), 10_000),
    true,
    'another member is heard all the same',
  );
  assert.equal(member.hear(packet(1), 11_000), true, 'and that one when the flood is over');
});

test('a flood in the name of all members is bounded for all together', () => {
  const ids = Array.from({ length: 100 }, (_, index) => idOf(index + 10));
  const member = new Member(ids);
  const floods = ids.map((sender) => {
    const bytes = packet(0, { sender });
    bytes[100]! ^= 1;
    return bytes;
  });
  let looks = 0;
  for (let now = 0; now < 1000; now += 10) {
    for (const bytes of floods) {
      const before = member.state.bucket;
      member.hear(bytes, now);
      if (member.state.bucket !== before) looks++;
    }
  }
  assert.equal(looks, Math.floor(groupPackets.burst + groupPackets.perSecond * 0.99));
});

test('after a minute in which nobody is heard the groups are joined again, and so on every minute', () => {
  const member = new Member();
  member.hear(packet(0), 30_000);
  member.runTo(4 * groupSilenceMs);
  const rejoins = member.actions.filter(({ kind }) => kind === 'rejoin');
  assert.equal(rejoins.length, 3);
  const alone = new Member([self]);
  alone.runTo(4 * groupSilenceMs);
  assert.ok(!alone.actions.some(({ kind }) => kind === 'rejoin'), 'a pool of one has nobody to miss');
});

test('whatever comes in whatever order, each authentic packet is heard at most once, and all is bounded', () => {
  const genuine = Array.from({ length: 40 }, (_, index) =>
    packet(index % 20, { session: sessionOf(index < 20 ? 7 : 8) }),
  );
  const event = fc.oneof(
    fc.record({ kind: fc.constant('genuine' as const), index: fc.nat(39) }),
    fc.record({ kind: fc.constant('bent' as const), index: fc.nat(39), at: fc.nat(174), bit: fc.nat(7) }),
    fc.record({ kind: fc.constant('noise' as const), bytes: fc.uint8Array({ maxLength: 300 }) }),
    fc.record({ kind: fc.constant('wait' as const), ms: fc.nat(10_000) }),
  );
  fc.assert(
    fc.property(fc.array(event, { maxLength: 120 }), (events) => {
      const member = new Member();
      const heard = new Set<number>();
      let now = 0;
      for (const one of events) {
        if (one.kind === 'wait') now += one.ms;
        else if (one.kind === 'noise') assert.equal(member.hear(one.bytes, now), false);
        else if (one.kind === 'bent') {
          const bytes = new Uint8Array(genuine[one.index]!);
          bytes[one.at]! ^= 1 << one.bit;
          assert.equal(member.hear(bytes, now), false);
        } else if (member.hear(genuine[one.index]!, now)) {
          assert.ok(!heard.has(one.index));
          if (one.index < 20) assert.ok(![...heard].some((index) => index >= 20), 'an old session came back');
          heard.add(one.index);
        }
        assert.equal(member.state.senders.length, 1);
      }
    }),
    { numRuns: 60 },
  );
});
