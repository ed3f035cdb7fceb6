import { type Bytes, toHex } from '../base/bytes.ts';
import { CborFields, encodeCbor } from '../base/cbor.ts';
import { rememberedLinksMax } from '../base/discovery-limits.ts';
import { describeError } from '../base/errors.ts';
import { stateFileBytesMax } from '../base/limits.ts';
import type { Log } from '../base/log.ts';
import type { Disk } from '../ports/disk.ts';
import { readFile, replaceFile } from '../ports/replace-file.ts';

/** Where it lives: CBOR `{v: 1, names?: {wanted, host, instance}, linkLocal: [{mac, address}]}`. */
export const networkMemoryPath = 'network.cbor';

/** Names as they were after any conflict, and the name a person had wanted when they were chosen. */
export interface RememberedNames {
  readonly wanted: string;
  /** Without `.local`. */
  readonly host: string;
  readonly instance: string;
}

/**
 * What a box takes up again after a restart: the names it had to choose (RFC 6762 §9) and the link-local address it
 * had last on each interface (RFC 3927 §2.1). Hints only: a damaged file is dropped with a warning.
 */
export class NetworkMemory {
  readonly #disk: Disk;
  readonly #log: Log;
  /** By hardware address, the one used last at the end. */
  readonly #linkLocal = new Map<string, string>();
  #names: RememberedNames | undefined;
  #saving: Promise<void> = Promise.resolve();

  private constructor(disk: Disk, log: Log) {
    this.#disk = disk;
    this.#log = log;
  }

  static async open(disk: Disk, { log }: { readonly log: Log }): Promise<NetworkMemory> {
    const memory = new NetworkMemory(disk, log);
    try {
      const bytes = await readFile(disk, networkMemoryPath, stateFileBytesMax);
      if (bytes !== undefined) memory.#read(bytes);
    } catch (error) {
      log.warn('names and addresses used last cannot be read', { reason: describeError(error) });
    }
    return memory;
  }

  /** The names used last, when the person's wish is still the same. */
  namesFor(wanted: string): RememberedNames | undefined {
    return this.#names?.wanted === wanted ? this.#names : undefined;
  }

  rememberNames(names: RememberedNames): void {
    this.#names = names;
    this.#saveSoon();
  }

  linkLocalOf(mac: Bytes): string | undefined {
    return this.#linkLocal.get(toHex(mac));
  }

  rememberLinkLocal(mac: Bytes, address: string): void {
    const key = toHex(mac);
    if (this.#linkLocal.get(key) === address) return;
    this.#linkLocal.delete(key);
    this.#linkLocal.set(key, address);
    const [oldest] = this.#linkLocal.keys();
    if (this.#linkLocal.size > rememberedLinksMax) this.#linkLocal.delete(oldest!);
    this.#saveSoon();
  }

  /** Nothing is known of earlier names and addresses any more. */
  forget(): void {
    this.#names = undefined;
    this.#linkLocal.clear();
    this.#saveSoon();
  }

  /** Resolves when everything told so far is kept. */
  settled(): Promise<void> {
    return this.#saving;
  }

  #saveSoon(): void {
    this.#saving = this.#saving.then(() => this.#save());
  }

  async #save(): Promise<void> {
    const linkLocal = [...this.#linkLocal].map(([key, address]) => ({ mac: key, address }));
    const names = this.#names === undefined ? {} : { names: { ...this.#names } };
    try {
      await replaceFile(this.#disk, networkMemoryPath, encodeCbor({ v: 1, ...names, linkLocal }));
    } catch (error) {
      this.#log.warn('names and addresses used last cannot be kept', { reason: describeError(error) });
    }
  }

  #read(bytes: Bytes): void {
    const fields = CborFields.decode(bytes);
    if (fields.count('v') !== 1) return;
    if (fields.has('names')) {
      const names = fields.map('names');
      this.#names = {
        wanted: names.text('wanted'),
        host: names.text('host'),
        instance: names.text('instance'),
      };
    }
    for (const entry of fields.list('linkLocal').slice(-rememberedLinksMax)) {
      const link = new CborFields(entry);
      this.#linkLocal.set(link.text('mac'), link.text('address'));
    }
  }
}
