import { formatDuration } from '../base/format.ts';
import {
  type Condition,
  conditionCodes,
  conditionKey,
  type FoundCondition,
  severities,
} from './condition.ts';
import { copyConditions } from './conditions/copies.ts';
import { diskConditions } from './conditions/disks.ts';
import { updateConditions } from './conditions/updates.ts';
import type { ApplianceFacts, HardwareFacts } from './facts.ts';

/** A Raspberry Pi slows itself down from 80 °C on. */
const hotCelsius = 80;

/** With less the kernel begins to throw away what it will read again. */
const memoryLowFraction = 0.05;

/** A start writes some megabytes: journal, state, an index that is rebuilt. */
const recordsRoomMin = 32 * 1024 ** 2;

const helpToKnowTheTime =
  'Connect the box to a network with a time server, or use it from a desktop of its pool: it goes by the clock of that then.';

/**
 * Everything that `facts` give reason to say, worst first, what nobody has acknowledged before what somebody has, then
 * by importance, then as the facts are ordered.
 */
export function conditionsOf(facts: ApplianceFacts): readonly Condition[] {
  if (facts.box.phase === 'safe') return [{ ...safeMode, acknowledged: false }];
  const found = [
    ...diskConditions(facts),
    ...copyConditions(facts),
    ...networkConditions(facts),
    ...hardwareConditions(facts),
    ...updateConditions(facts),
    ...pairingConditions(facts),
  ].map((each) => ({ ...each, acknowledged: facts.acknowledged.includes(conditionKey(each)) }));
  return found.sort(
    (a, b) =>
      severities.indexOf(b.severity) - severities.indexOf(a.severity) ||
      Number(a.acknowledged) - Number(b.acknowledged) ||
      conditionCodes.indexOf(a.code) - conditionCodes.indexOf(b.code),
  );
}

function networkConditions({ network, hardware }: ApplianceFacts): readonly FoundCondition[] {
  const noisy = hardware.networkErrors.map(networkErrors);
  if (network.interfaces.some((each) => each.addresses.length > 0)) return noisy;
  return [network.interfaces.length === 0 ? noLink : noNetwork, ...noisy];
}

/** Nothing else is known then. */
const safeMode: FoundCondition = {
  code: 'SAFE_MODE',
  severity: 'warning',
  subject: null,
  message: 'This box is in safe mode: its program does not run, and nobody can reach the files on it.',
  help: 'Nothing is lost. Type log to see why; try restart, or bring an update on a memory stick.',
};

const noLink: FoundCondition = {
  code: 'NO_LINK',
  severity: 'warning',
  subject: null,
  message: 'This box is connected to no network.',
  help: 'Plug in a network cable, or check the switch.',
};

const noNetwork: FoundCondition = {
  code: 'NO_NETWORK',
  severity: 'warning',
  subject: null,
  message: 'This box has no network address.',
  help: 'Wait a little; if it stays like this, check the router and the cable.',
};

/** A count of this minute would change the sentence every minute: it is in the help. */
function networkErrors(each: HardwareFacts['networkErrors'][number]): FoundCondition {
  return {
    code: 'NETWORK_ERRORS',
    severity: 'notice',
    subject: each.interface,
    message: `Packets arrive damaged at ${each.interface}.`,
    help: `${each.perMinute} in the last minute: replace the cable, or try another port of the switch.`,
  };
}

function hardwareConditions({ hardware }: ApplianceFacts): readonly FoundCondition[] {
  const found: FoundCondition[] = [];
  const { temperatureCelsius, underVoltage, memory, recordsReadOnly, recordsSpace, clock } = hardware;
  if (temperatureCelsius !== null && temperatureCelsius >= hotCelsius) {
    found.push({
      code: 'TOO_HOT',
      severity: 'warning',
      subject: null,
      message: 'This box is too hot and slows itself down.',
      help: `It has ${temperatureCelsius} °C: give it air, or move it to a cooler place.`,
    });
  }
  if (underVoltage === 'now' || underVoltage === 'before') {
    found.push({
      code: 'UNDER_VOLTED',
      severity: underVoltage === 'now' ? 'warning' : 'notice',
      subject: null,
      message:
        underVoltage === 'now'
          ? 'The power supply is too weak: disks may drop out.'
          : 'The power supply was too weak at some time since the start.',
      help: 'Use the power supply made for this board, and power disks of their own.',
    });
  }
  if (recordsReadOnly === true) {
    found.push({
      code: 'RECORDS_READ_ONLY',
      severity: 'warning',
      subject: null,
      message: "What keeps this box's own records takes no more writing: no new file is taken.",
      help: 'Shut the box down and give it power anew: it looks through its card then. If it comes again, replace the card or disk.',
    });
  }
  if (recordsSpace !== null && recordsSpace.freeBytes < recordsRoomMin) {
    found.push({
      code: 'RECORDS_NO_ROOM',
      severity: 'warning',
      subject: null,
      message: "There is no room left for this box's own records.",
      help: 'Free some on the disk of its folder; a box of its own needs a larger card, or a support bundle of this one.',
    });
  }
  if (clock === 'unset') {
    found.push({
      code: 'CLOCK_UNSET',
      severity: 'warning',
      subject: null,
      message: 'The clock of this box is not set.',
      help: helpToKnowTheTime,
    });
  }
  if (clock === 'holdover') {
    found.push({
      code: 'CLOCK_UNSET',
      severity: 'notice',
      subject: null,
      message:
        'What time it is this box has from before its start: no time server and no other box has said it since.',
      help: helpToKnowTheTime,
    });
  }
  if (memory !== null && memory.availableBytes < memory.totalBytes * memoryLowFraction) {
    found.push({
      code: 'MEMORY_LOW',
      severity: 'notice',
      subject: null,
      message: 'This box has little memory left.',
      help: 'Stop other programs on it; if there are none, restart it and send a support bundle.',
    });
  }
  return found;
}

function pairingConditions(facts: ApplianceFacts): readonly FoundCondition[] {
  const found: FoundCondition[] = [];
  if (facts.pool === null) {
    found.push({
      code: 'NOT_CLAIMED',
      severity: 'notice',
      subject: null,
      message: 'This box belongs to nobody yet.',
      help: `On a desktop, run: aether claim ${facts.box.name}`,
    });
  }
  if (facts.pairing.locked) {
    const wait = facts.pairing.lockedForMs;
    found.push({
      code: 'PAIRING_LOCKED',
      severity: 'notice',
      subject: null,
      message: 'Pairing is locked: too many wrong codes were tried.',
      help: `${wait === null ? 'Wait a while' : `Wait ${formatDuration(wait)}`}, then use the new code that this box shows.`,
    });
  }
  return found;
}
