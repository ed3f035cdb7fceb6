import { filesError } from '../files-error.ts';
import { foldName } from '../remote-path.ts';
import type { RemoteEntry } from '../tree/remote-entry.ts';
import { suffixedName, suffixOf } from '../tree/shown-names.ts';

/** Names for the entries of one remote directory in one local one. */
export class LocalNames {
  readonly #foldsNames: boolean;
  readonly #taken = new Set<string>();

  constructor({ foldsNames }: { readonly foldsNames: boolean }) {
    this.#foldsNames = foldsNames;
  }

  /**
   * The name `entry` gets. Where the local system would take it for one that is taken, it gets a suffix. Errors:
   * `PATH_INVALID` when the pool names two entries the same, which no honest box does.
   */
  claim(entry: Pick<RemoteEntry, 'name' | 'node'>): string {
    const names = [entry.name];
    if (this.#foldsNames) names.push(suffixedName(entry.name, suffixOf(entry.node)));
    const name = names.find((candidate) => !this.#taken.has(this.#keyOf(candidate)));
    if (name === undefined) throw filesError('PATH_INVALID', 'the pool has two entries of one name');
    this.#taken.add(this.#keyOf(name));
    return name;
  }

  #keyOf(name: string): string {
    return this.#foldsNames ? foldName(name) : name;
  }
}
