import { type Bytes, toHex } from '../../base/bytes.ts';
import { AetherError } from '../../base/errors.ts';
import { joinBox, startPool } from '../../pool/pairing/desktop-enrolment.ts';
import { usageError } from '../arguments.ts';
import type { Command, CommandContext } from '../command.ts';
import { Desktop, desktopPorts } from '../desktop.ts';
import { askForCode, type BoxContact, contactBox, pair } from '../enrol.ts';
import { exitCodes } from '../exit-codes.ts';
import { PoolSession } from '../pool-session.ts';
import { forgetUnshownWords, keepUnshownWords, wordLines } from '../recovery-words.ts';

export const claim: Command = {
  name: 'claim',
  summary: 'make a new box yours: the first makes the pool, the next join it',
  usage: 'BOX [--code CODE]',
  options: {
    code: { type: 'string', value: 'CODE', help: "the box's claim code (asked for when left out)" },
    name: { type: 'string', value: 'NAME', help: 'what the pool calls this desktop (first claim only)' },
  },
  notes: ['BOX is a name that `aether scan` shows, or HOST:PORT.'],
  run: async (line, context) => {
    const [wanted, ...more] = line.positionals;
    if (wanted === undefined || more.length > 0)
      throw usageError('claim takes one box', 'aether claim --help');
    const desktop = await Desktop.open(context.homePath);
    const contact = await contactBox(desktop, wanted, context.signal);
    try {
      if (contact.hello.pool !== undefined) throw alreadyClaimed(contact.hello.name);
      const code = await askForCode(
        line.text('code'),
        `Claim code of ${contact.hello.name}: `,
        context.output,
      );
      if (desktop.pool === undefined) {
        await makePool(desktop, contact, code, line.text('name') ?? context.desktopName, context);
      } else await join(desktop, contact, code, context);
    } finally {
      contact.close();
      await desktop.addresses.settled();
    }
    return exitCodes.done;
  },
};

async function makePool(
  desktop: Desktop,
  contact: BoxContact,
  code: string,
  name: string,
  { output }: CommandContext,
): Promise<void> {
  const { connection, hello, address } = contact;
  const pool = startPool(
    {
      desktop: { publicKey: desktop.identity.publicKey, name },
      box: { publicKey: connection.peer.publicKey, name: hello.name },
    },
    desktopPorts,
  );
  // Whoever ends this program from now on leaves a pool whose words somebody has to see.
  await keepUnshownWords(desktop.disk, { pool: pool.secrets.pool, box: hello.name, words: pool.words });
  // Kept before it is sent: if the answer gets lost, the box may be claimed, and this desktop is its member.
  await desktop.enter(pool.secrets, pool.records);
  try {
    const answer = await pair(desktop, contact, code, pool.message);
    await desktop.enter(answer.secrets, answer.records);
  } catch (error) {
    const refused = isRefusal(error);
    if (refused) await desktop.leave();
    if (refused || (await output.note(uncertain(hello.name, pool.words))))
      await forgetUnshownWords(desktop.disk);
    throw error;
  }
  desktop.addresses.seen(connection.peer.memberId, address);
  const written = await output.result(
    { claimed: hello.name, pool: toHex(pool.secrets.pool), madePool: true, recoveryWords: pool.words },
    [
      `${hello.name} is yours, and the first box of a new pool.`,
      '',
      'These 24 words are the root of the pool. They are shown this once and kept nowhere:',
      'write them down on paper, in this order.',
      '',
      ...wordLines(pool.words),
      '',
      'Next: claim another box, so that files are kept twice; then store some:',
      '  aether put FOLDER',
    ],
  );
  if (!written) throw wordsUnshown(hello.name);
  await forgetUnshownWords(desktop.disk);
}

async function join(
  desktop: Desktop,
  contact: BoxContact,
  code: string,
  { output, signal }: CommandContext,
): Promise<void> {
  const { secrets, roster } = desktop.requirePool();
  const { connection, hello, address } = contact;
  const box = { publicKey: connection.peer.publicKey, name: hello.name };
  const { identity } = desktop;
  const { record, message } = joinBox({ identity, secrets, records: roster.records(), box }, desktopPorts);
  const answer = await pair(desktop, contact, code, message);
  await roster.add([record, ...answer.records]);
  desktop.addresses.seen(connection.peer.memberId, address);
  const told = await tellPool(desktop, connection.peer.memberId, signal);
  output.result({ claimed: hello.name, pool: toHex(secrets.pool), madePool: false, boxesTold: told }, [
    `${hello.name} has joined the pool.`,
    ...(roster.boxes().length === 2 ? secondBoxLines : []),
    ...(told > 0 ? [] : ['No other box answers now; they will hear of it when they are back.']),
  ]);
}

/**
 * Lets the other boxes know the new one at once: a session exchanges members with every box it reaches. Returns how many
 * were reached; the box has joined, whatever becomes of this.
 */
async function tellPool(desktop: Desktop, newcomer: Bytes, signal: AbortSignal): Promise<number> {
  try {
    const session = await PoolSession.open(desktop, { wait: 'all', signal });
    const told = session.reachable().filter(({ memberId }) => toHex(memberId) !== toHex(newcomer)).length;
    await session.close();
    return told;
  } catch (error) {
    if (!(error instanceof AetherError)) throw error;
    return 0;
  }
}

const secondBoxLines = [
  'Files that are put from now on are kept on both boxes.',
  'Put again what is stored already: it has one copy.',
];

/** Errors by which a box says that nothing was changed. */
function isRefusal(error: unknown): boolean {
  if (!(error instanceof AetherError)) return false;
  return (
    (error.code.startsWith('PAIRING_') && error.code !== 'PAIRING_ANSWER_INVALID') ||
    error.code === 'ALREADY_CLAIMED' ||
    error.code === 'ENROLMENT_INVALID'
  );
}

function alreadyClaimed(name: string): AetherError {
  return new AetherError('ALREADY_CLAIMED', `${name} belongs to a pool already`, {
    help: `If it is yours, log in: type \`pair\` on its console, then \`aether login ${name}\`.`,
  });
}

function wordsUnshown(name: string): AetherError<'WORDS_UNSHOWN'> {
  return new AetherError('WORDS_UNSHOWN', `${name} is yours, but its pool's recovery words were not shown`, {
    help: 'They are kept until then: run `aether status` on a terminal, and it shows them first.',
  });
}

function uncertain(name: string, words: string): string {
  return [
    `The connection broke before ${name} answered; it may be claimed. \`aether status\` tells.`,
    'If it is, these are the recovery words of its pool; write them down:',
    ...wordLines(words),
  ].join('\n');
}
