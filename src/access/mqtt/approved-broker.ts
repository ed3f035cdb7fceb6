import { CborFields, encodeCbor } from '../../base/cbor.ts';
import { AetherError, describeError } from '../../base/errors.ts';
import { addressesPerMemberMax, stateFileBytesMax } from '../../base/limits.ts';
import type { Log } from '../../base/log.ts';
import type { Disk } from '../../ports/disk.ts';
import { readFile, replaceFile } from '../../ports/replace-file.ts';
import type { OfferedBroker } from './found-brokers.ts';

/** Where it lives: CBOR `{v: 1, broker?: {instance, host, port, addresses}}`. */
export const approvedBrokerPath = 'mqtt.cbor';

/** Which found broker a person has approved; one, or none. */
export class ApprovedBroker {
  readonly #disk: Disk;
  #broker: OfferedBroker | null = null;
  #saving: Promise<void> = Promise.resolve();

  private constructor(disk: Disk) {
    this.#disk = disk;
  }

  /** A damaged file is as good as none: the box then says nothing to anybody until a person approves again. */
  static async open(disk: Disk, { log }: { readonly log: Log }): Promise<ApprovedBroker> {
    const approved = new ApprovedBroker(disk);
    try {
      const bytes = await readFile(disk, approvedBrokerPath, stateFileBytesMax);
      if (bytes !== undefined) approved.#broker = parse(bytes);
    } catch (error) {
      log.warn('which MQTT broker was approved cannot be read', { reason: describeError(error) });
    }
    return approved;
  }

  get broker(): OfferedBroker | null {
    return this.#broker;
  }

  /** Durable on return. Errors: those of the disk. */
  async set(broker: OfferedBroker | null): Promise<void> {
    const kept = broker && { ...broker, addresses: broker.addresses.slice(0, addressesPerMemberMax) };
    const saved = this.#saving.then(() => replaceFile(this.#disk, approvedBrokerPath, format(kept)));
    this.#saving = saved.catch(() => {});
    await saved;
    this.#broker = kept;
  }
}

function format(broker: OfferedBroker | null): Uint8Array {
  return encodeCbor({ v: 1, ...(broker === null ? {} : { broker: { ...broker } }) });
}

function parse(bytes: Uint8Array): OfferedBroker | null {
  const fields = CborFields.decode(bytes);
  if (fields.count('v') !== 1) throw new AetherError('STATE_FILE_NEWER', 'a newer version wrote this file');
  if (!fields.has('broker')) return null;
  const broker = fields.map('broker');
  const addresses = broker.list('addresses').filter((address) => typeof address === 'string');
  return {
    instance: broker.text('instance'),
    host: broker.text('host'),
    port: broker.count('port'),
    addresses,
  };
}
