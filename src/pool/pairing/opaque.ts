import { type Bytes, toHex } from '../../base/bytes.ts';

/**
 * OPAQUE (RFC 9807: ristretto255, SHA-512, Argon2id) as pairing uses it, over bytes. The library is WebAssembly and
 * draws its own randomness from the operating system: the one draw here that does not come from the entropy port, so
 * the bytes of two runs differ while their outcomes do not.
 *
 * The box's member id is OPAQUE's server identity. The desktop's cannot be the client identity: that is part of what
 * is registered, and the box registers its code before it knows who will come. Both ids go into the keys that the
 * session key is stretched to (`sealed-message.ts`), which binds the exchange to both just the same.
 */
export interface Opaque {
  /** What a box keeps in place of its code. Costs one key stretching. */
  register(code: string, boxMemberId: Bytes): CodeRegistration;
  /** The box's answer to a desktop's first message; undefined when that is no OPAQUE message. */
  answer(registration: CodeRegistration, boxMemberId: Bytes, start: Bytes): BoxExchange | undefined;
  /** The desktop's first message. */
  begin(code: string): DesktopExchange;
}

export interface CodeRegistration {
  readonly setup: string;
  readonly record: string;
}

export interface BoxExchange {
  readonly answer: Bytes;
  /** The session key (64 bytes) when the desktop knew the code; else undefined. */
  finish(proof: Bytes): Bytes | undefined;
}

export interface DesktopExchange {
  readonly start: Bytes;
  /** Undefined when the box has registered another code, or is not the box of that member id. */
  finish(
    answer: Bytes,
    boxMemberId: Bytes,
  ): { readonly proof: Bytes; readonly sessionKey: Bytes } | undefined;
}

/**
 * Argon2id with 8 MiB and one pass. Stretching guards a stolen registration record alone, which lies beside the code
 * it was made from; guesses at a distance are limited to five. The library's own least choice, 64 MiB, stays in a
 * box's memory for good, because a WebAssembly memory never shrinks.
 */
const keyStretching = { 'argon2id-custom': { iterations: 1, memory: 8192, parallelism: 1 } };

/** One user each box: the holder of its code. */
const userIdentifier = 'aetherstore pairing';

/** Loads the library when pairing is first needed: a claimed box that nobody pairs with never does. */
export async function loadOpaque(): Promise<Opaque> {
  const { client, server, ready } = await import('@serenity-kit/opaque');
  await ready;
  return {
    register(code, boxMemberId) {
      const setup = server.createSetup();
      const start = client.startRegistration({ password: code });
      const { registrationRequest, clientRegistrationState } = start;
      const params = { serverSetup: setup, userIdentifier, registrationRequest };
      const { registrationResponse } = server.createRegistrationResponse(params);
      const { registrationRecord } = client.finishRegistration({
        password: code,
        registrationResponse,
        clientRegistrationState,
        identifiers: { server: toHex(boxMemberId) },
        keyStretching,
      });
      return { setup, record: registrationRecord };
    },

    answer({ setup, record }, boxMemberId, start) {
      const identifiers = { server: toHex(boxMemberId) };
      return unlessThrown(() => {
        const { serverLoginState, loginResponse } = server.startLogin({
          serverSetup: setup,
          registrationRecord: record,
          startLoginRequest: toText(start),
          userIdentifier,
          identifiers,
        });
        const finish = (proof: Bytes) =>
          unlessThrown(() => {
            const finishLoginRequest = toText(proof);
            return fromText(
              server.finishLogin({ serverLoginState, finishLoginRequest, identifiers }).sessionKey,
            );
          });
        return { answer: fromText(loginResponse), finish };
      });
    },

    begin(code) {
      const { clientLoginState, startLoginRequest } = client.startLogin({ password: code });
      const finish = (answer: Bytes, boxMemberId: Bytes) =>
        unlessThrown(() => {
          const result = client.finishLogin({
            password: code,
            clientLoginState,
            loginResponse: toText(answer),
            identifiers: { server: toHex(boxMemberId) },
            keyStretching,
          });
          return (
            result && { proof: fromText(result.finishLoginRequest), sessionKey: fromText(result.sessionKey) }
          );
        });
      return { start: fromText(startLoginRequest), finish };
    },
  };
}

/** The library throws for what is malformed or does not verify; to us both are the other side's failure. */
function unlessThrown<T>(compute: () => T): T | undefined {
  try {
    return compute();
  } catch {
    return undefined;
  }
}

function toText(bytes: Bytes): string {
  return Buffer.from(bytes).toString('base64url');
}

function fromText(text: string): Bytes {
  return new Uint8Array(Buffer.from(text, 'base64url'));
}
