import { mdnsHeardHostsMax } from '../../base/discovery-limits.ts';
import type { Message } from '../dns/message.ts';
import type { Name } from '../dns/name.ts';

/** A host that said its own address by multicast DNS. */
export interface HeardHost {
  readonly name: Name;
  /** The one it spoke from. */
  readonly address: string;
  readonly interfaceName: string;
  readonly heardMs: number;
}

/** By address and interface, the one heard last at the end. Never changed: {@link withHeard} gives the next. */
export type HeardHosts = ReadonlyMap<string, HeardHost>;

/** Takes note of who sent a response: the host whose address records name the sender's address. */
export function withHeard(
  hosts: HeardHosts,
  message: Message,
  address: string,
  interfaceName: string,
  now: number,
): HeardHosts {
  const key = `${address}%${interfaceName}`;
  const own = [...message.answers, ...message.additionals].find(
    ({ data, ttlSeconds }) =>
      ttlSeconds > 0 && (data.kind === 'a' || data.kind === 'aaaa') && data.address === address,
  );
  const name = own?.name ?? hosts.get(key)?.name;
  if (name === undefined) return hosts;
  const next = new Map(hosts);
  next.delete(key);
  next.set(key, { name, address, interfaceName, heardMs: now });
  const oldest = next.keys().next();
  if (next.size > mdnsHeardHostsMax && !oldest.done) next.delete(oldest.value);
  return next;
}
