import type { RemotePath } from './remote-path.ts';
import type { Change } from './tree/change.ts';
import type { RemoteEntry } from './tree/remote-entry.ts';

/** The pool's tree, as those who store and fetch ask for it. Errors: those of `TreeService`, and of the link. */
export interface PoolTree {
  /** Durable on return, in `copies` boxes; all changes or none. */
  commit(changes: readonly Change[]): Promise<{ readonly copies: number }>;
  stat(path: RemotePath): Promise<RemoteEntry>;
  /** Every entry of a directory, sorted by name. */
  list(path: RemotePath): AsyncIterable<RemoteEntry>;
}
