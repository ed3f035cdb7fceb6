import {
  closeGraceMs,
  connectionsMax,
  refusalsMax,
  strangerConnectionsMax,
  strangerLifetimeMs,
} from '../../base/limits.ts';
import type { Log } from '../../base/log.ts';
import type { Clock } from '../../ports/clock.ts';
import type {
  ListenAddress,
  SecureListener,
  SecureStream,
  SecureTransport,
} from '../../ports/secure-transport.ts';
import { transferError } from './errors.ts';
import { PeerConnection } from './peer-connection.ts';
import type { PeerDispatcher } from './peer-dispatcher.ts';

export interface PeerServerOptions {
  readonly transport: SecureTransport;
  readonly dispatcher: PeerDispatcher;
  /** Hears of each accepted connection of a member, so that it can be asked on as well. */
  readonly onMember?: (connection: PeerConnection) => void;
}

/**
 * Lets peers in. Members come up to `connectionsMax`, strangers (who may only pair) up to `strangerConnectionsMax`
 * and for `strangerLifetimeMs`, so that they cannot keep members out. Handshakes count elsewhere, in the transport.
 */
export class PeerServer {
  readonly #options: PeerServerOptions;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #connections = new Set<PeerConnection>();
  /** Those that were no members when they came. */
  readonly #strangers = new Set<PeerConnection>();
  /** Those turned away that may still be hearing why. */
  #refused = 0;
  #listener: SecureListener | undefined;
  #closed = false;

  constructor(options: PeerServerOptions, { clock, log }: { readonly clock: Clock; readonly log: Log }) {
    this.#options = options;
    this.#clock = clock;
    this.#log = log;
  }

  /** Resolves with the port it listens on. Errors: `LINK_ADDRESS_IN_USE`, `LINK_DENIED`, `LINK_UNREACHABLE`. */
  async listen(address: ListenAddress): Promise<number> {
    this.#listener = await this.#options.transport.listen(address, (stream) => this.#accept(stream));
    return this.#listener.port;
  }

  /** Asks on the connections of strangers that have become members. */
  membersChanged(): void {
    for (const connection of this.#connections) {
      if (!this.#strangers.has(connection) || this.#isStranger(connection)) continue;
      this.#strangers.delete(connection);
      this.#options.onMember?.(connection);
    }
  }

  /** Those open now. */
  connections(): readonly PeerConnection[] {
    return [...this.#connections];
  }

  /** Accepts no more and closes what was accepted. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#listener?.close();
    for (const connection of this.#connections) connection.close();
  }

  #accept(stream: SecureStream): void {
    const { dispatcher, onMember } = this.#options;
    const stranger = dispatcher.memberOf(stream.peerKeyHash) === undefined;
    const full =
      this.#connections.size >= connectionsMax ||
      (stranger && this.#strangers.size >= strangerConnectionsMax);
    // A handshake may end when all is closed.
    if (this.#closed || (full && this.#refused >= refusalsMax)) {
      stream.destroy();
      return;
    }
    const ports = { clock: this.#clock, log: this.#log };
    const connection = new PeerConnection(stream, { direction: 'incoming', dispatcher }, ports);
    if (full) {
      this.#log.warn('connection refused: too many', { remote: stream.remote, stranger });
      this.#refused++;
      this.#clock.after(closeGraceMs, () => this.#refused--);
      connection.close(transferError('CONNECTIONS_FULL', 'this box has as many connections as it takes'));
      return;
    }
    this.#connections.add(connection);
    connection.closed.then(() => {
      this.#connections.delete(connection);
      this.#strangers.delete(connection);
    });
    if (stranger) this.#limitLifetime(connection);
    else onMember?.(connection);
  }

  #isStranger({ peer }: PeerConnection): boolean {
    return this.#options.dispatcher.memberOf(peer.memberId) === undefined;
  }

  #limitLifetime(connection: PeerConnection): void {
    this.#strangers.add(connection);
    const timer = this.#clock.after(strangerLifetimeMs, () => {
      this.membersChanged();
      if (!this.#strangers.has(connection)) return;
      connection.close(transferError('NOT_A_MEMBER', 'a stranger’s time to pair is over'));
    });
    connection.closed.then(() => timer.cancel());
  }
}
