import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import type { Bytes } from '../../base/bytes.ts';
import { parseIpv4 } from '../../base/ip-address.ts';
import { arpAnnouncement, arpProbe, decodeArp } from '../../zeroconf/ipv4ll/arp-packet.ts';
import { isCandidate } from '../../zeroconf/ipv4ll/candidate.ts';
import { type ClaimEvent, type ClaimState, claimStep, newClaim } from '../../zeroconf/ipv4ll/claim.ts';
import { parseCorpus } from './corpus.ts';
import type { FuzzSubject, FuzzTarget, Stopwatch } from './fuzz-target.ts';
import type { Field } from './mutation.ts';
import { drawsOf } from './packet-draws.ts';

const mac = new Uint8Array([2, 0, 0, 0, 0, 1]);
/** What the corpus speaks of. */
const firstAddress = '169.254.2.131';
const packetsBeforeReset = 500;
const ticksMax = 1000;
const addressOffsets = [28, 38];
/** RFC 826, from the Ethernet header on: types, lengths, operation, addresses. */
const fields: readonly Field[] = [
  { offset: 12, size: 2, kind: 'value' },
  { offset: 14, size: 2, kind: 'value' },
  { offset: 16, size: 2, kind: 'value' },
  { offset: 18, size: 1, kind: 'length' },
  { offset: 19, size: 1, kind: 'length' },
  { offset: 20, size: 2, kind: 'value' },
  { offset: 28, size: 4, kind: 'value' },
  { offset: 38, size: 4, kind: 'value' },
];

export const arpTarget: FuzzTarget = {
  name: 'arp',
  about: 'decodes an ARP frame and gives it to a machine that claims and defends a link-local address',
  corpus: () => parseCorpus(readFileSync(new URL('corpora/arp.hex', import.meta.url), 'utf8')),
  layoutOf: (bytes) => ({
    fields: fields.filter(({ offset, size }) => offset + size <= bytes.length),
    units: [],
  }),
  start: () => new ArpSubject(),
};

class ArpSubject implements FuzzSubject {
  #state: ClaimState = newClaim(mac, firstAddress);
  #now = 0;
  #packets = 0;
  readonly #counts = { decoded: 0, probes: 0, announcements: 0, claimed: 0, lost: 0 };

  receive(bytes: Bytes, timed: Stopwatch): void {
    const { afterMs, draw } = drawsOf(bytes);
    if (this.#packets++ % packetsBeforeReset === 0) this.#restart(draw);
    this.#runTo(this.#now + afterMs, draw, timed);
    const frame = this.#aimed(bytes);
    const packet = timed(() => decodeArp(frame));
    if (packet === undefined) return;
    this.#counts.decoded++;
    timed(() => this.#step({ kind: 'arp', packet, draw }));
  }

  check(): void {
    const { phase, address, nextMs, conflicts, conflictsSeen } = this.#state;
    assert.ok(isCandidate(address), `${address} is none that a host may take`);
    assert.ok(phase !== 'probing' || nextMs !== undefined, 'probing without a next step');
    assert.ok(nextMs === undefined || nextMs <= this.#now + 70_000, `due in ${nextMs! - this.#now} ms`);
    assert.ok(Number.isSafeInteger(conflicts) && Number.isSafeInteger(conflictsSeen));
  }

  figures(): Readonly<Record<string, number>> {
    return { ...this.#counts, conflicts: this.#state.conflictsSeen };
  }

  #restart(draw: number): void {
    this.#step({ kind: 'stop' });
    this.#state = newClaim(mac, firstAddress);
    this.#step({ kind: 'start', draw });
  }

  /** The frame about the address that the machine has now, where it was about the first. */
  #aimed(bytes: Bytes): Bytes {
    const frame = new Uint8Array(bytes);
    const first = parseIpv4(firstAddress)!;
    for (const offset of addressOffsets) {
      const isFirst = first.every((byte, index) => frame[offset + index] === byte);
      if (isFirst) frame.set(parseIpv4(this.#state.address)!, offset);
    }
    return frame;
  }

  #runTo(endMs: number, draw: number, timed: Stopwatch): void {
    let ticks = 0;
    for (let due = this.#state.nextMs; due !== undefined && due <= endMs; due = this.#state.nextMs) {
      assert.ok(ticks++ < ticksMax, 'ticks without end');
      this.#now = Math.max(this.#now, due);
      timed(() => this.#step({ kind: 'tick', draw }));
    }
    this.#now = endMs;
  }

  #step(event: ClaimEvent): void {
    const step = claimStep(this.#state, event, this.#now);
    this.#state = step.state;
    for (const { kind, address } of step.actions) {
      if (kind === 'probe') this.#counts.probes++;
      else if (kind === 'announce') this.#counts.announcements++;
      else this.#counts[kind]++;
      const said = decodeArp(kind === 'probe' ? arpProbe(mac, address) : arpAnnouncement(mac, address));
      assert.equal(said?.targetAddress, address, 'a frame of ours that is none');
    }
  }
}
