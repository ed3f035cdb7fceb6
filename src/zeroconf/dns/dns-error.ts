import { AetherError } from '../../base/errors.ts';

/** `DNS_MALFORMED`: bytes that are no DNS message, or a message that no bytes can carry. */
export type DnsErrorCode = 'DNS_MALFORMED';

export function malformed(what: string): AetherError<DnsErrorCode> {
  return new AetherError('DNS_MALFORMED', `DNS: ${what}`, {
    help: 'A device on this network sends broken discovery packets; it is ignored.',
  });
}
