import { type Bytes, fromHex, toHex } from '../base/bytes.ts';
import { CborFields, encodeCbor } from '../base/cbor.ts';
import { describeError } from '../base/errors.ts';
import { addressesPerMemberMax, membersMax, stateFileBytesMax } from '../base/limits.ts';
import type { Log } from '../base/log.ts';
import type { Disk } from '../ports/disk.ts';
import { readFile, replaceFile } from '../ports/replace-file.ts';
import type { PeerAddress } from '../ports/secure-transport.ts';

/** Where the addresses live: CBOR `{v: 1, boxes: [{member, addresses: [{host, port}]}]}`. */
export const addressBookPath = 'addresses.cbor';

/**
 * Where the boxes of the pool were last seen, so that a member that starts finds them before, or without,
 * multicast. A hint only: damage to the file costs nothing but time, so it is dropped with a warning.
 */
export class AddressBook {
  readonly #disk: Disk;
  readonly #log: Log;
  readonly #addresses = new Map<string, readonly PeerAddress[]>();
  #saving: Promise<void> = Promise.resolve();

  private constructor(disk: Disk, log: Log) {
    this.#disk = disk;
    this.#log = log;
  }

  static async open(disk: Disk, { log }: { readonly log: Log }): Promise<AddressBook> {
    const book = new AddressBook(disk, log);
    try {
      const bytes = await readFile(disk, addressBookPath, stateFileBytesMax);
      if (bytes !== undefined) book.#read(bytes);
    } catch (error) {
      log.warn('the address book cannot be read and is made anew', { reason: describeError(error) });
    }
    return book;
  }

  /** Newest first; empty when the member was never seen. */
  addressesOf(member: Bytes): readonly PeerAddress[] {
    return this.#addresses.get(toHex(member)) ?? [];
  }

  members(): readonly Bytes[] {
    return [...this.#addresses.keys()].flatMap((name) => fromHex(name) ?? []);
  }

  /** Remembers that `member` was reached at `address`, and keeps that, some time soon. */
  seen(member: Bytes, address: PeerAddress): void {
    const name = toHex(member);
    const known = this.#addresses.get(name) ?? [];
    if (known[0]?.host === address.host && known[0].port === address.port) return;
    if (!this.#addresses.has(name) && this.#addresses.size >= membersMax) return;
    const others = known.filter(({ host, port }) => host !== address.host || port !== address.port);
    this.#addresses.set(name, [address, ...others].slice(0, addressesPerMemberMax));
    this.#saving = this.#saving.then(() => this.#save());
  }

  /** Resolves when everything seen so far is kept. */
  settled(): Promise<void> {
    return this.#saving;
  }

  async #save(): Promise<void> {
    const boxes = [...this.#addresses].map(([name, addresses]) => ({
      member: fromHex(name)!,
      addresses: addresses.map(({ host, port }) => ({ host, port })),
    }));
    try {
      await replaceFile(this.#disk, addressBookPath, encodeCbor({ v: 1, boxes }));
    } catch (error) {
      this.#log.warn('the address book cannot be written', { reason: describeError(error) });
    }
  }

  #read(bytes: Bytes): void {
    const fields = CborFields.decode(bytes);
    if (fields.count('v') !== 1) return;
    for (const entry of fields.list('boxes')) {
      const box = new CborFields(entry);
      const addresses = box.list('addresses').map((value) => {
        const address = new CborFields(value);
        return { host: address.text('host'), port: address.count('port') };
      });
      this.#addresses.set(toHex(box.bytes('member', 32)), addresses.slice(0, addressesPerMemberMax));
    }
  }
}
