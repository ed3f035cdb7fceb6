import { AetherError } from '../base/errors.ts';
import type { LinkErrorCode } from '../ports/secure-transport.ts';

/** The one place where errors of sockets and of OpenSSL become {@link LinkErrorCode}s. */

const codes: Readonly<Record<string, LinkErrorCode>> = {
  ECONNREFUSED: 'LINK_REFUSED',
  ETIMEDOUT: 'LINK_TIMEOUT',
  EHOSTUNREACH: 'LINK_UNREACHABLE',
  ENETUNREACH: 'LINK_UNREACHABLE',
  EHOSTDOWN: 'LINK_UNREACHABLE',
  ENETDOWN: 'LINK_UNREACHABLE',
  EADDRNOTAVAIL: 'LINK_UNREACHABLE',
  ENOTFOUND: 'LINK_UNREACHABLE',
  EAI_AGAIN: 'LINK_UNREACHABLE',
  EADDRINUSE: 'LINK_ADDRESS_IN_USE',
  EACCES: 'LINK_DENIED',
  ECONNRESET: 'LINK_CLOSED',
  EPIPE: 'LINK_CLOSED',
};

const helps: Readonly<Record<LinkErrorCode, string>> = {
  LINK_REFUSED: 'Check that AetherStore runs there.',
  LINK_TIMEOUT: 'Check that the box is switched on and its network cable is in.',
  LINK_UNREACHABLE: 'Check the address and this machine’s own network.',
  LINK_HANDSHAKE: 'Check that AetherStore, not another program, listens at this address.',
  LINK_ADDRESS_IN_USE: 'Stop the other program that listens there, or choose another port with --listen.',
  LINK_DENIED: 'Choose a port above 1023 with --listen.',
  LINK_CLOSED: 'Try again; if it happens often, look into the log of the box.',
};

export function linkError(code: LinkErrorCode, message: string, cause?: unknown): AetherError<LinkErrorCode> {
  return new AetherError(code, message, { help: helps[code], cause });
}

/** What Node tells of a socket's failure. */
interface SocketError extends Error {
  readonly code?: string;
  readonly address?: string;
  readonly port?: number;
}

/** What went wrong with a socket, in `phase`. */
export function translateSocketError(
  error: SocketError,
  phase: 'listen' | 'handshake' | 'open',
): AetherError<LinkErrorCode> {
  const known = error.code === undefined ? undefined : codes[error.code];
  if (known === undefined || (known === 'LINK_CLOSED' && phase === 'handshake')) {
    return linkError(phase === 'handshake' ? 'LINK_HANDSHAKE' : 'LINK_CLOSED', error.message, error);
  }
  return linkError(known, plainWords(known, error), error);
}

/** For the failures that people meet; the system's words for the others. */
function plainWords(code: LinkErrorCode, { address, port, message }: SocketError): string {
  const at = address === undefined || port === undefined ? 'there' : `at ${address}, port ${port}`;
  if (code === 'LINK_REFUSED') return `nothing listens ${at}`;
  if (code === 'LINK_TIMEOUT') return `nobody answers ${at}`;
  if (code === 'LINK_ADDRESS_IN_USE' && port !== undefined) return `port ${port} is in use already`;
  return message;
}
