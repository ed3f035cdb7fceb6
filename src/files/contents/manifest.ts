import { type Bytes, concat } from '../../base/bytes.ts';
import { listReferencesMax, listReferencesMin, rootReferencesMax } from '../../base/limits.ts';
import type { SealedChunk } from '../../store/seal.ts';
import { type ChunkReference, type Content, encodeReference } from './content.ts';

interface Level {
  readonly references: Bytes[];
  fileBytes: number;
}

/** Collects references to the chunks of one file, in order, into its `content`, sealing long lists as they grow. */
export class ManifestWriter {
  readonly #sealList: (list: Bytes) => SealedChunk;
  #levels: Level[] = [];

  /** `sealList` seals a piece of a list and sees to it that the chunk is stored. */
  constructor(sealList: (list: Bytes) => SealedChunk) {
    this.#sealList = sealList;
  }

  add(reference: ChunkReference): void {
    this.#add(0, reference);
  }

  /** The content of all that was added, which is at least one reference; the writer is empty again. */
  finish(): Content {
    for (let depth = 0; ; depth++) {
      const level = this.#level(depth);
      const isRoot = this.#levels.length === depth + 1 && level.references.length <= rootReferencesMax;
      if (isRoot) {
        this.#levels = [];
        return { depth: depth + 1, chunks: concat([...level.references]) };
      }
      if (level.references.length > 0) this.#seal(depth);
    }
  }

  clear(): void {
    this.#levels = [];
  }

  #add(depth: number, reference: ChunkReference): void {
    const level = this.#level(depth);
    level.references.push(encodeReference(reference));
    level.fileBytes += reference.fileBytes;
    const count = level.references.length;
    // By the id, so that an edit moves the cuts near it only and versions share their other lists.
    const mayCut = reference.id[31] === 0 && count >= listReferencesMin;
    if (mayCut || count >= listReferencesMax) this.#seal(depth);
  }

  #seal(depth: number): void {
    const level = this.#level(depth);
    const { fileBytes } = level;
    const { id, key } = this.#sealList(concat(level.references));
    level.references.length = 0;
    level.fileBytes = 0;
    this.#add(depth + 1, { id, key, fileBytes });
  }

  #level(depth: number): Level {
    let level = this.#levels[depth];
    if (level === undefined) {
      level = { references: [], fileBytes: 0 };
      this.#levels[depth] = level;
    }
    return level;
  }
}
