import type { Member } from '../src/pool/membership/member-set.ts';
import { PeerDispatcher } from '../src/pool/transfer/peer-dispatcher.ts';
import { noise } from './harness.ts';

/** The `number`-th chunk of `size` bytes that server, client and nginx all agree on. */
export function transferChunk(size: number, number: number): Buffer {
  return noise(`transfer ${size} ${number}`, size);
}

/** A dispatcher that takes whoever connects for a member: the look-up costs what a real one does, a map's. */
export function openDispatcher(role: 'box' | 'desktop'): PeerDispatcher {
  const members = new Map<string, Member>();
  return new PeerDispatcher({
    hello: () => ({ role, name: 'bench', pool: undefined, state: 'ok' }),
    memberOf: (memberId) => {
      const key = Buffer.from(memberId).toString('latin1');
      const known = members.get(key);
      if (known !== undefined) return known;
      const member: Member = {
        memberId,
        publicKey: new Uint8Array(0),
        role: 'desktop',
        name: 'bench',
        at: 0,
        issuer: memberId,
        capacityUnits: 0,
      };
      members.set(key, member);
      return member;
    },
  });
}
