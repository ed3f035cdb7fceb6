import { toHex } from '../../base/bytes.ts';
import { AetherError } from '../../base/errors.ts';
import { loginMessage } from '../../pool/pairing/desktop-enrolment.ts';
import { usageError } from '../arguments.ts';
import type { Command } from '../command.ts';
import { Desktop } from '../desktop.ts';
import { askForCode, contactBox, pair } from '../enrol.ts';
import { exitCodes } from '../exit-codes.ts';
import { byAdmission } from '../pool-session.ts';

export const login: Command = {
  name: 'login',
  summary: "make this desktop a member of a box's pool",
  usage: 'BOX [--code CODE]',
  options: {
    code: { type: 'string', value: 'CODE', help: 'the login code (asked for when left out)' },
    name: { type: 'string', value: 'NAME', help: 'what the pool calls this desktop' },
  },
  notes: [
    'The box makes a login code when somebody types `pair` on its console; it is good once, for 10 minutes.',
  ],
  run: async (line, { homePath, output, signal, desktopName }) => {
    const [wanted, ...more] = line.positionals;
    if (wanted === undefined || more.length > 0)
      throw usageError('login takes one box', 'aether login --help');
    const desktop = await Desktop.open(homePath);
    if (desktop.pool !== undefined) throw alreadyMember(homePath);
    const contact = await contactBox(desktop, wanted, signal);
    try {
      const { hello, connection, address } = contact;
      if (hello.pool === undefined) throw notClaimed(hello.name);
      const code = await askForCode(line.text('code'), `Login code of ${hello.name}: `, output);
      const { publicKey } = desktop.identity;
      const message = loginMessage({ publicKey, name: line.text('name') ?? desktopName });
      const answer = await pair(desktop, contact, code, message);
      const { secrets, roster } = await desktop.enter(answer.secrets, answer.records);
      desktop.addresses.seen(connection.peer.memberId, address);
      const boxes = byAdmission(roster.boxes()).map(({ name }) => name);
      output.result({ pool: toHex(secrets.pool), boxes }, [
        `This desktop is a member of the pool of ${boxes.join(', ')}.`,
      ]);
    } finally {
      contact.close();
      await desktop.addresses.settled();
    }
    return exitCodes.done;
  },
};

function alreadyMember(homePath: string): AetherError {
  return new AetherError('ALREADY_MEMBER', 'this desktop belongs to a pool already', {
    help: `Use another folder with --home, or remove ${homePath} to forget the pool.`,
  });
}

function notClaimed(name: string): AetherError {
  return new AetherError('NOT_CLAIMED', `${name} belongs to no pool yet`, {
    help: `Claim it: aether claim ${name}`,
  });
}
