import type { Bytes } from '../base/bytes.ts';
import { AetherError, hasCode } from '../base/errors.ts';
import { silentLog } from '../base/log.ts';
import { NodeClock } from '../platform/node-clock.ts';
import { NodeDisk } from '../platform/node-disk.ts';
import { nodeEntropy } from '../platform/node-entropy.ts';
import { TlsTransport } from '../platform/tls-transport.ts';
import { AddressBook } from '../pool/address-book.ts';
import { loadPoolSecrets, type PoolSecrets, poolSecretsPath, savePoolSecrets } from '../pool/authority.ts';
import { type Identity, loadOrCreateIdentity } from '../pool/identity.ts';
import { Roster, rosterPath } from '../pool/membership/roster.ts';
import type { Disk } from '../ports/disk.ts';
import type { Suite } from '../store/seal.ts';
import { fastestSuite } from '../store/suite.ts';

export const desktopPorts = { clock: new NodeClock(), entropy: nodeEntropy, log: silentLog };

let suite: Suite | undefined;

/** The cipher for this computer, found out when first asked for. */
export function desktopSuite(): Suite {
  suite ??= fastestSuite(desktopPorts.clock);
  return suite;
}

/** Connections under this desktop's key. */
export function desktopTransport(identity: Identity): TlsTransport {
  return new TlsTransport({ ...identity, suite: desktopSuite() });
}

/** The pool this desktop is a member of. */
export interface DesktopPool {
  readonly secrets: PoolSecrets;
  readonly roster: Roster;
}

/** What this desktop keeps between two runs of `aether`: its key, its pool, and where the boxes were. */
export class Desktop {
  readonly identity: Identity;
  readonly addresses: AddressBook;
  /** The folder of all this. */
  readonly disk: Disk;
  #pool: DesktopPool | undefined;

  private constructor(disk: Disk, identity: Identity, addresses: AddressBook) {
    this.disk = disk;
    this.identity = identity;
    this.addresses = addresses;
  }

  /** Opens the folder, making key and folder on first use. Errors: those of the disk and of what it holds. */
  static async open(homePath: string): Promise<Desktop> {
    const disk = new NodeDisk(homePath);
    await disk.makeDirectory('');
    const identity = await loadOrCreateIdentity(disk, desktopPorts);
    const desktop = new Desktop(disk, identity, await AddressBook.open(disk, desktopPorts));
    const secrets = await loadPoolSecrets(disk);
    if (secrets !== undefined) desktop.#pool = await desktop.#open(secrets);
    return desktop;
  }

  get pool(): DesktopPool | undefined {
    return this.#pool;
  }

  /** The pool, or `NO_POOL`. */
  requirePool(): DesktopPool {
    if (this.#pool !== undefined) return this.#pool;
    throw new AetherError('NO_POOL', 'this desktop belongs to no pool yet', {
      help: 'Claim a new box with `aether claim BOX`, or log in to a pool with `aether login BOX`.',
    });
  }

  /** Makes this desktop a member, durable on return. */
  async enter(secrets: PoolSecrets, records: readonly Bytes[]): Promise<DesktopPool> {
    const pool = await this.#open(secrets);
    await pool.roster.add(records);
    await savePoolSecrets(this.disk, secrets);
    this.#pool = pool;
    return pool;
  }

  /** Takes {@link enter} back, when the box refused. */
  async leave(): Promise<void> {
    this.#pool = undefined;
    for (const path of [poolSecretsPath, rosterPath]) {
      await this.disk.remove(path).catch((error: unknown) => {
        if (!hasCode(error, 'DISK_NOT_FOUND')) throw error;
      });
    }
    await this.disk.syncDirectory('');
  }

  async #open(secrets: PoolSecrets): Promise<DesktopPool> {
    const { pool, authorityPublicKey } = secrets;
    return {
      secrets,
      roster: await Roster.open({ disk: this.disk, pool, authorityPublicKey }, desktopPorts),
    };
  }
}
