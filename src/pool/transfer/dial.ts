import { type Bytes, equalBytes } from '../../base/bytes.ts';
import { connectTimeoutMs, dialStaggerMs } from '../../base/limits.ts';
import type { Log } from '../../base/log.ts';
import type { Clock, Timer } from '../../ports/clock.ts';
import type { PeerAddress, SecureTransport } from '../../ports/secure-transport.ts';
import { transferError } from './errors.ts';
import { PeerConnection } from './peer-connection.ts';
import type { PeerDispatcher } from './peer-dispatcher.ts';

export interface DialOptions {
  readonly transport: SecureTransport;
  readonly dispatcher: PeerDispatcher;
  /** Our pool; a peer that says it belongs to another is refused. Undefined takes any. */
  readonly pool: () => Bytes | undefined;
}

export interface DialPorts {
  readonly clock: Clock;
  readonly log: Log;
}

export interface Dialled {
  readonly connection: PeerConnection;
  readonly address: PeerAddress;
}

/**
 * Connects to whoever is at `address` (or to `memberId` only, where given) and exchanges hellos. Errors: those of
 * the transport, `PEER_IDENTITY_MISMATCH`, `FOREIGN_POOL`, `REQUEST_TIMEOUT`, those of `greet`.
 */
export async function dial(
  address: PeerAddress,
  memberId: Bytes | undefined,
  { transport, dispatcher, pool }: DialOptions,
  ports: DialPorts,
): Promise<PeerConnection> {
  const stream = await transport.connect(address, { timeoutMs: connectTimeoutMs });
  if (memberId !== undefined && !equalBytes(stream.peerKeyHash, memberId)) {
    stream.destroy();
    throw transferError('PEER_IDENTITY_MISMATCH', `another machine answers at ${stream.remote}`);
  }
  const connection = new PeerConnection(stream, { direction: 'outgoing', dispatcher }, ports);
  try {
    const hello = await connection.greet({ timeoutMs: connectTimeoutMs });
    const own = pool();
    if (own !== undefined && hello.pool !== undefined && !equalBytes(own, hello.pool)) {
      throw transferError('FOREIGN_POOL', `the machine at ${stream.remote} belongs to another pool`);
    }
    return connection;
  } catch (error) {
    connection.close();
    throw error;
  }
}

/**
 * Dials the addresses of one member in their order, the next one as soon as one fails or has not answered for
 * `dialStaggerMs` (after RFC 8305), and takes the first that answers. Rejects with the last error.
 */
export function dialAny(
  addresses: readonly PeerAddress[],
  memberId: Bytes,
  options: DialOptions,
  ports: DialPorts,
): Promise<Dialled> {
  return new Promise((resolve, reject) => {
    let next = 0;
    let underway = 0;
    let settled = false;
    let stagger: Timer | undefined;
    const dialNext = () => {
      const address = addresses[next++];
      if (address === undefined || settled) return;
      underway++;
      stagger = ports.clock.after(dialStaggerMs, dialNext);
      dial(address, memberId, options, ports).then(
        (connection) => {
          stagger?.cancel();
          if (settled) connection.close();
          else resolve({ connection, address });
          settled = true;
        },
        (error) => {
          underway--;
          if (settled) return;
          stagger?.cancel();
          if (next < addresses.length) dialNext();
          else if (underway === 0) reject(error);
        },
      );
    };
    dialNext();
  });
}
