import { AetherError } from '../base/errors.ts';
import { decodeEnrolmentAnswer, type EnrolmentAnswer } from '../pool/pairing/enrolment-message.ts';
import { pairWithBox } from '../pool/pairing/pairing-desktop.ts';
import type { Hello } from '../pool/transfer/hello.ts';
import { methods } from '../pool/transfer/methods.ts';
import type { PeerConnection } from '../pool/transfer/peer-connection.ts';
import { PeerDirectory } from '../pool/transfer/peer-directory.ts';
import { PeerDispatcher } from '../pool/transfer/peer-dispatcher.ts';
import type { PeerAddress } from '../ports/secure-transport.ts';
import { type Desktop, desktopPorts, desktopTransport } from './desktop.ts';
import { BoxFinder, parseAddress } from './find-boxes.ts';
import type { Output } from './output.ts';

/** A box that is being paired with. */
export interface BoxContact {
  readonly connection: PeerConnection;
  readonly hello: Hello;
  readonly address: PeerAddress;
  close(): void;
}

/** First contact with the box that `wanted` names: its name, host name, id or address. */
export async function contactBox(desktop: Desktop, wanted: string, signal: AbortSignal): Promise<BoxContact> {
  const addresses = await addressesFor(wanted, signal);
  const directory = new PeerDirectory(
    {
      self: desktop.identity.memberId,
      transport: desktopTransport(desktop.identity),
      // Nobody is a member here: a box that is paired with has no say over this desktop.
      dispatcher: new PeerDispatcher({
        hello: () => ({ role: 'desktop', name: 'aether', pool: undefined, state: 'pairing' }),
        memberOf: () => undefined,
      }),
      pool: () => undefined,
    },
    desktopPorts,
  );
  let failure: unknown;
  for (const address of addresses) {
    try {
      const connection = await directory.dial(address);
      const hello = connection.hello ?? (await connection.greet());
      return { connection, hello, address, close: () => connection.close() };
    } catch (error) {
      failure = error;
    }
  }
  throw failure;
}

/** Proves `code` to the box and hands over `message`. Errors: those of pairing and of the link. */
export async function pair(
  desktop: Desktop,
  { connection }: BoxContact,
  code: string,
  message: Uint8Array,
): Promise<EnrolmentAnswer> {
  const { identity } = desktop;
  const answer = await pairWithBox(
    { code, identity, boxMemberId: connection.peer.memberId, message },
    (step, payload) => connection.request(step === 'start' ? methods.pairStart : methods.pairFinish, payload),
  );
  return decodeEnrolmentAnswer(answer);
}

/** The code of the option, or as a person types it. */
export async function askForCode(
  given: string | undefined,
  question: string,
  output: Output,
): Promise<string> {
  const code = given ?? (await output.ask(question));
  if (code !== undefined && code.trim() !== '') return code.trim();
  throw new AetherError('USAGE', 'the code of the box is needed', {
    help: 'Give it with --code; the box shows it on its console.',
  });
}

async function addressesFor(wanted: string, signal: AbortSignal): Promise<readonly PeerAddress[]> {
  const address = parseAddress(wanted);
  if (address !== undefined) return [address];
  const finder = await BoxFinder.start();
  try {
    return await finder.find(wanted, signal);
  } finally {
    await finder.close();
  }
}
