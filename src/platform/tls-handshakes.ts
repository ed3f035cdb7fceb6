import { handshakesMax, handshakesPerAddressMax } from '../base/limits.ts';

interface Destroyable {
  destroy(): void;
}

/**
 * The handshakes under way of one listener. Whoever opens a connection and says nothing holds a place here, so that
 * each new one takes the place of the oldest, of its own address first: an honest handshake is over long before.
 */
export class Handshakes<Socket extends Destroyable> {
  /** With the address each came from, the oldest first. */
  readonly #underway = new Map<Socket, string>();

  begin(socket: Socket, address: string): void {
    const ofAddress = [...this.#underway].filter(([, other]) => other === address);
    const oldest = ofAddress.length >= handshakesPerAddressMax ? ofAddress[0] : undefined;
    if (oldest !== undefined) this.#giveUp(oldest[0]);
    else if (this.#underway.size >= handshakesMax) this.#giveUp(this.#underway.keys().next().value!);
    this.#underway.set(socket, address);
  }

  /** It succeeded, failed, or was closed. */
  end(socket: Socket): void {
    this.#underway.delete(socket);
  }

  #giveUp(socket: Socket): void {
    this.#underway.delete(socket);
    socket.destroy();
  }
}
