import { assert } from '../../base/assert.ts';
import { type Bytes, equalBytes } from '../../base/bytes.ts';
import type { AetherError } from '../../base/errors.ts';
import type { Member } from '../membership/member-set.ts';
import type { ToldTime } from '../pool-time.ts';
import type { Answer } from './answerer.ts';
import { transferError } from './errors.ts';
import { decodeHello, encodeHello, type Hello } from './hello.ts';
import { type Method, type MethodDescription, methodDescriptions, methods } from './methods.ts';
import { PayloadPool } from './payload-pool.ts';
import type { PeerConnection, PeerIdentity } from './peer-connection.ts';

export interface RequestContext {
  readonly connection: PeerConnection;
  readonly peer: PeerIdentity;
  /** Who asks, when it is a member of our pool. */
  readonly member: Member | undefined;
}

/**
 * Answers one request. The payload is the handler's own, except for methods with `lentPayload`, where it is valid
 * until the promise settles. An `AetherError` thrown reaches the asker; anything else it hears of as `INTERNAL`.
 */
export type RequestHandler = (payload: Bytes, context: RequestContext) => Promise<Answer>;

export interface PeerDispatcherOptions {
  /** What we say of ourselves, now. */
  readonly hello: () => Hello;
  /** The member of our pool with this id, by the member list as it is now. */
  readonly memberOf: (memberId: Bytes) => Member | undefined;
  /** Hears what a member says of its clock. */
  readonly onTime?: (member: Member, told: ToldTime) => void;
}

/**
 * Which requests we answer, and to whom: one for all connections of a box or a desktop, incoming and outgoing.
 * Membership is looked up at each request, so that whoever is admitted or removed is so at once.
 */
export class PeerDispatcher {
  /** Where payloads of `lentPayload` methods are received into. */
  readonly payloads = new PayloadPool();
  readonly #options: PeerDispatcherOptions;
  readonly #handlers = new Map<number, RequestHandler>();

  constructor(options: PeerDispatcherOptions) {
    this.#options = options;
    this.handle(methods.hello, async (payload, { connection }) => {
      this.hear(payload, connection);
      return this.encodedHello();
    });
  }

  /** Answers `method` with `handler` from now on. */
  handle(method: Method, handler: RequestHandler): void {
    assert(!this.#handlers.has(method), 'a method has one handler');
    this.#handlers.set(method, handler);
  }

  memberOf(memberId: Bytes): Member | undefined {
    return this.#options.memberOf(memberId);
  }

  encodedHello(): Bytes {
    return encodeHello(this.#options.hello());
  }

  /** Takes in what the other side of a connection says of itself. Errors: those of {@link decodeHello}. */
  hear(payload: Bytes, connection: PeerConnection): Hello {
    const hello = decodeHello(payload);
    connection.hello = hello;
    const member = this.memberOf(connection.peer.memberId);
    if (hello.clock !== undefined && member !== undefined) this.#options.onTime?.(member, hello.clock);
    return hello;
  }

  /** Errors: those of the handler, `METHOD_UNKNOWN`, `NOT_A_MEMBER`, `FOREIGN_POOL`, `NOT_A_BOX`. */
  async dispatch(method: number, payload: Bytes, connection: PeerConnection): Promise<Answer> {
    const description = methodDescriptions.get(method);
    if (description === undefined) throw methodUnknown(method);
    const member = this.#options.memberOf(connection.peer.memberId);
    if (description.caller !== 'anyone') this.#authorise(description, member, connection);
    // Said after who asks is known: what a machine can do is no stranger's business.
    const handler = this.#handlers.get(method);
    if (handler === undefined) throw methodUnknown(method);
    return handler(payload, { connection, peer: connection.peer, member });
  }

  #authorise(description: MethodDescription, member: Member | undefined, { hello }: PeerConnection): void {
    const fields = { method: description.name };
    if (member === undefined) {
      const own = this.#options.hello().pool;
      const foreign = hello?.pool !== undefined && own !== undefined && !equalBytes(hello.pool, own);
      if (foreign) throw transferError('FOREIGN_POOL', 'the asker belongs to another pool', { fields });
      throw transferError('NOT_A_MEMBER', 'the asker is no member of this pool', { fields });
    }
    if (description.caller === 'box' && member.role !== 'box') {
      throw transferError('NOT_A_BOX', 'only a box of the pool may ask this', { fields });
    }
  }
}

function methodUnknown(method: number): AetherError {
  return transferError('METHOD_UNKNOWN', 'this machine does not answer this method', { fields: { method } });
}
