import { CborFields, decodeCbor, encodeCbor } from '../base/cbor.ts';
import { newNodeSeed } from '../files/node-id.ts';
import type { RemotePath } from '../files/remote-path.ts';
import { type Change, changesToCbor } from '../files/tree/change.ts';
import { entryFromCbor, type RemoteEntry } from '../files/tree/remote-entry.ts';
import { methods } from '../pool/transfer/methods.ts';
import { desktopPorts } from './desktop.ts';
import type { PoolSession } from './pool-session.ts';

/** The pool's tree as a desktop asks for it. */
export class RemoteTree {
  readonly #session: Pick<PoolSession, 'ask'>;
  readonly #seed = newNodeSeed(desktopPorts.clock.wallMs(), desktopPorts.entropy);

  constructor(session: Pick<PoolSession, 'ask'>) {
    this.#session = session;
  }

  /** Errors: `PATH_NOT_FOUND`, `NOT_A_DIRECTORY`, `POOL_UNREACHABLE`. */
  async stat(path: RemotePath): Promise<RemoteEntry> {
    return entryFromCbor(decodeCbor(await this.#session.ask(methods.treeStat, encodeCbor(path))));
  }

  /** Every entry of a directory, sorted by name, fetched a page at a time. Errors: as `stat`. */
  async *list(path: RemotePath): AsyncGenerator<RemoteEntry> {
    let after: string | null = null;
    for (;;) {
      const answer = await this.#session.ask(methods.treeList, encodeCbor({ path, after, limit: null }));
      const fields: CborFields = CborFields.decode(answer);
      const entries = fields.list('entries').map(entryFromCbor);
      yield* entries;
      const last = entries.at(-1);
      if (!fields.flag('more') || last === undefined) return;
      after = last.name;
    }
  }

  /**
   * Durable on return, in `copies` boxes. Sent again, to another box too, the same changes make the same nodes.
   * Errors: of `tree.commit`.
   */
  async commit(changes: readonly Change[]): Promise<{ readonly copies: number }> {
    const answer = await this.#session.ask(
      methods.treeCommit,
      encodeCbor({ seed: this.#seed, changes: changesToCbor(changes) }),
    );
    return { copies: CborFields.decode(answer).count('copies') };
  }
}
