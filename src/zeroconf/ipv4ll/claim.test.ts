import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Bytes } from '../../base/bytes.ts';
import { arpReply } from '../../testing/fake-arp-wire.ts';
import { type ArpPacket, arpAnnouncement, arpProbe, decodeArp } from './arp-packet.ts';
import { candidateAddress, isCandidate } from './candidate.ts';
import { type ClaimEvent, type ClaimState, claimStep, newClaim } from './claim.ts';

const mac = new Uint8Array([2, 0, 0, 0, 0, 1]);
const rival = new Uint8Array([2, 0, 0, 0, 0, 9]);

/** One claim machine on a virtual clock; every draw is the same. */
class ClaimRun {
  now = 0;
  readonly said: string[] = [];
  readonly #draw: number;
  state: ClaimState;

  constructor(draw = 0.5, lastGood?: string) {
    this.#draw = draw;
    this.state = newClaim(mac, lastGood);
  }

  /** One that holds its address and has announced it. */
  static claimed(lastGood?: string): ClaimRun {
    const run = new ClaimRun(0.5, lastGood);
    run.start();
    run.runTo(60_000);
    run.said.length = 0;
    return run;
  }

  start(): void {
    this.step({ kind: 'start', draw: this.#draw });
  }

  hear(frame: Bytes): void {
    this.step({ kind: 'arp', packet: decodeArp(frame)!, draw: this.#draw });
  }

  runTo(endMs: number): void {
    for (let due = this.state.nextMs; due !== undefined && due <= endMs; due = this.state.nextMs) {
      this.now = Math.max(this.now, due);
      this.step({ kind: 'tick', draw: this.#draw });
    }
    this.now = endMs;
  }

  step(event: ClaimEvent): void {
    const step = claimStep(this.state, event, this.now);
    this.state = step.state;
    for (const { kind, address } of step.actions) this.said.push(`${this.now} ${kind} ${address}`);
  }
}

const first = candidateAddress(mac, 0);
const second = candidateAddress(mac, 1);

test('L1: three probes 1–2 s apart after 0–1 s, sender IP 0, link-layer broadcast (RFC 3927 §2.2.1)', () => {
  for (const draw of [0, 0.25, 0.999]) {
    const run = new ClaimRun(draw);
    run.start();
    run.runTo(draw * 1000 + 2 * (1000 + draw * 1000) + 1999);
    const gapMs = 1000 + draw * 1000;
    assert.deepEqual(
      run.said,
      [0, 1, 2].map((number) => `${draw * 1000 + number * gapMs} probe ${first}`),
    );
  }
  const frame = arpProbe(mac, first);
  assert.deepEqual(frame.subarray(0, 6), new Uint8Array(6).fill(0xff));
  assert.deepEqual(frame.subarray(6, 12), mac);
  assert.deepEqual(decodeArp(frame), {
    operation: 'request',
    senderMac: mac,
    senderAddress: '0.0.0.0',
    targetAddress: first,
  } satisfies ArpPacket);
});

test('L2: whoever says that the candidate is theirs, by reply or by any other ARP, has it (RFC 3927 §2.2.1)', () => {
  for (const frame of [arpReply(rival, first, mac), arpAnnouncement(rival, first)]) {
    const run = new ClaimRun();
    run.start();
    run.runTo(700);
    run.hear(frame);
    run.runTo(20_000);
    assert.match(run.said.find((line) => line.includes('claimed'))!, new RegExp(`claimed ${second}`));
    assert.equal(run.state.conflictsSeen, 1);
    assert.deepEqual(run.state.lastRival, rival);
  }
});

test('L3: another host’s probe for the candidate is a conflict, a normal request for it is none (RFC 3927 §2.2.1)', () => {
  const request = arpAnnouncement(rival, '169.254.77.77');
  request.set(arpAnnouncement(rival, first).subarray(38, 42), 38);
  const run = new ClaimRun();
  run.start();
  run.runTo(700);
  run.hear(request);
  run.hear(arpProbe(mac, first));
  assert.equal(run.state.address, first);
  run.hear(arpProbe(rival, first));
  assert.equal(run.state.address, second);
});

test('L4: after ten conflicts one new address a minute, until one is claimed (RFC 3927 §2.2.1)', () => {
  const run = new ClaimRun(0);
  run.start();
  const deny = () => {
    run.runTo(run.state.nextMs!);
    run.hear(arpReply(rival, run.state.address, mac));
  };
  for (let conflict = 0; conflict < 10; conflict++) deny();
  assert.equal(run.now, 0);
  for (let minute = 1; minute <= 3; minute++) {
    deny();
    assert.equal(run.state.nextMs, run.now + 60_000);
  }
  const tried = new Set(run.said.filter((line) => line.includes('probe')).map((line) => line.split(' ')[2]));
  assert.equal(tried.size, 13);
  run.runTo(run.now + 70_000);
  assert.equal(run.state.phase, 'claimed');
  assert.equal(run.state.conflicts, 0);
});

test('L4: denials while it waits its minute change the candidate and not the time (RFC 3927 §2.2.1)', () => {
  const run = new ClaimRun(0);
  run.start();
  for (let conflict = 0; conflict < 11; conflict++) {
    run.runTo(run.state.nextMs!);
    run.hear(arpReply(rival, run.state.address, mac));
  }
  const due = run.state.nextMs;
  for (let denial = 0; denial < 1000; denial++) run.hear(arpReply(rival, run.state.address, mac));
  assert.equal(run.state.nextMs, due);
});

test('L5: claimed 2 s after the last probe, announced then and 2 s later, by broadcast (RFC 3927 §2.4)', () => {
  const run = new ClaimRun(0);
  run.start();
  run.runTo(60_000);
  assert.deepEqual(run.said.slice(3), [
    `4000 claimed ${first}`,
    `4000 announce ${first}`,
    `6000 announce ${first}`,
  ]);
  const frame = arpAnnouncement(mac, first);
  assert.deepEqual(frame.subarray(0, 6), new Uint8Array(6).fill(0xff));
  const packet = decodeArp(frame)!;
  assert.deepEqual([packet.senderAddress, packet.targetAddress], [first, first]);
});

test('L6: a conflict is answered once; a second within 10 s, and the address is given up (RFC 3927 §2.5)', () => {
  const run = ClaimRun.claimed();
  run.hear(arpAnnouncement(rival, first));
  assert.deepEqual(run.said, [`60000 announce ${first}`]);
  run.runTo(69_999);
  run.hear(arpAnnouncement(rival, first));
  assert.deepEqual(run.said.slice(1), [`69999 lost ${first}`]);
  run.runTo(120_000);
  assert.ok(run.said.some((line) => line.endsWith(`claimed ${second}`)));
});

test('L6: conflicts ten seconds apart are each answered (RFC 3927 §2.5)', () => {
  const run = ClaimRun.claimed();
  for (const atMs of [60_000, 70_000, 80_000]) {
    run.runTo(atMs);
    run.hear(arpAnnouncement(rival, first));
  }
  assert.deepEqual(
    run.said,
    [60, 70, 80].map((second_) => `${second_}000 announce ${first}`),
  );
});

test('L6: a probe for a held address, or a request for it, is no conflict: the kernel answers it (RFC 3927 §2.5)', () => {
  const run = ClaimRun.claimed();
  run.hear(arpProbe(rival, first));
  run.hear(arpAnnouncement(mac, first));
  assert.deepEqual(run.said, []);
});

test('L7: when the link is back the same address is asked for again, first of all (RFC 3927 §2.2)', () => {
  const run = ClaimRun.claimed('169.254.77.77');
  run.step({ kind: 'stop' });
  assert.deepEqual(run.said, ['60000 lost 169.254.77.77']);
  run.start();
  run.runTo(80_000);
  assert.deepEqual(
    run.said.slice(1).map((line) => line.split(' ').slice(1).join(' ')),
    [
      'probe 169.254.77.77',
      'probe 169.254.77.77',
      'probe 169.254.77.77',
      'claimed 169.254.77.77',
      'announce 169.254.77.77',
      'announce 169.254.77.77',
    ],
  );
});

test('L8: candidates are of 169.254.1.0–169.254.254.255, the same for one MAC, spread over all (RFC 3927 §2.1)', () => {
  const arbitraryMac = fc.uint8Array({ minLength: 6, maxLength: 6 });
  fc.assert(
    fc.property(arbitraryMac, fc.nat(100_000), (bytes, index) => {
      const address = candidateAddress(new Uint8Array(bytes), index);
      assert.ok(isCandidate(address), address);
      assert.equal(address, candidateAddress(new Uint8Array(bytes), index));
    }),
  );
  const thirds = new Set(
    Array.from({ length: 3000 }, (_, index) => candidateAddress(mac, index).split('.')[2]),
  );
  assert.ok(thirds.size > 240, `${thirds.size} of 254 networks`);
  for (const outside of ['169.254.0.9', '169.254.255.9', '169.253.7.7', '10.0.0.1', 'nonsense'])
    assert.equal(isCandidate(outside), false, outside);
});

test('L8: the last good address comes before the MAC’s own sequence (RFC 3927 §2.1)', () => {
  const run = new ClaimRun(0, '169.254.77.77');
  run.start();
  run.runTo(0);
  run.hear(arpReply(rival, '169.254.77.77', mac));
  run.runTo(0);
  assert.deepEqual(run.said, ['0 probe 169.254.77.77', `0 probe ${first}`]);
});

test('an address that the interface does not take is probed for again a minute later, unless denied meanwhile', () => {
  const run = ClaimRun.claimed();
  run.step({ kind: 'refused', draw: 0.5 });
  run.runTo(120_499);
  assert.deepEqual(run.said, []);
  run.runTo(120_500);
  assert.deepEqual(run.said, [`120500 probe ${first}`]);

  const denied = ClaimRun.claimed();
  denied.step({ kind: 'refused', draw: 0.5 });
  denied.hear(arpAnnouncement(rival, first));
  denied.runTo(120_500);
  assert.deepEqual(denied.said, [`120500 probe ${second}`]);

  const stopped = ClaimRun.claimed();
  stopped.step({ kind: 'stop' });
  stopped.step({ kind: 'refused', draw: 0.5 });
  assert.equal(stopped.state.phase, 'off');
});

test('L9: every frame of ours goes to all on the link (RFC 3927 §2.5)', () => {
  for (const frame of [arpProbe(mac, first), arpAnnouncement(mac, first)]) {
    assert.equal(frame.length, 60);
    assert.deepEqual(frame.subarray(0, 6), new Uint8Array(6).fill(0xff));
  }
});

test('frames too short, of another protocol or with other lengths are no ARP for us', () => {
  const good = arpProbe(mac, first);
  for (let length = 0; length < 42; length++) assert.equal(decodeArp(good.slice(0, length)), undefined);
  assert.notEqual(decodeArp(good.slice(0, 42)), undefined);
  for (const offset of [12, 13, 14, 15, 16, 17, 18, 19, 20, 21]) {
    const bad = new Uint8Array(good);
    bad[offset]! ^= 0x40;
    assert.equal(decodeArp(bad), undefined, `byte ${offset}`);
  }
  fc.assert(fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => void decodeArp(new Uint8Array(bytes))));
});
