import { countOf, formatAge } from '../../base/format.ts';
import type { FoundCondition } from '../condition.ts';
import type { ApplianceFacts, PeerFacts } from '../facts.ts';

/** Right after its start a box has not yet met its peers and knows nothing of what they have; that is not news. */
const peerGraceMs = 15_000;

/** Of the copies, and of the boxes that keep them. */
export function copyConditions(facts: ApplianceFacts): readonly FoundCondition[] {
  if (facts.pool === null) return [];
  const found: FoundCondition[] = [];
  const settled = facts.box.uptimeMs >= peerGraceMs;
  if (facts.peers.length === 0) {
    found.push({
      code: 'POOL_OF_ONE',
      severity: 'notice',
      subject: null,
      message: 'This is the only box of its pool: there is one copy of everything.',
      help: 'Claim a second box into the pool, then put again what is stored: each file is then kept on two.',
    });
  } else if (facts.copies.missing > 0 && (settled || facts.peers.every((peer) => peer.reachable))) {
    found.push({
      code: 'COPIES_MISSING',
      severity: 'warning',
      subject: null,
      message:
        facts.copies.missing === 1
          ? `1 piece of data has fewer than ${facts.pool.replicas} copies.`
          : `${countOf(facts.copies.missing, 'piece')} of data have fewer than ${facts.pool.replicas} copies.`,
      help: facts.peers.every((peer) => peer.reachable)
        ? 'Keep all boxes running; free space on them if they are full.'
        : 'Bring the boxes that are away back to the network.',
    });
  }
  if (settled) {
    found.push(...facts.peers.filter((peer) => !peer.reachable).map(boxAway));
  }
  return found;
}

/** The age is in the help: the message stays the same for as long as the condition does. */
function boxAway(peer: PeerFacts): FoundCondition {
  const heard =
    peer.lastSeenAgoMs === null
      ? 'it has not answered since this box started'
      : `it last answered ${formatAge(peer.lastSeenAgoMs)}`;
  return {
    code: 'BOX_AWAY',
    severity: 'warning',
    subject: peer.name,
    message: `Box ${peer.name} is away.`,
    help: `Check power and network of ${peer.name}; ${heard}.`,
  };
}
