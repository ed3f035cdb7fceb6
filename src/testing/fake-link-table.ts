import { AetherError } from '../base/errors.ts';
import type {
  AddressChange,
  AddressOrigin,
  LinkAddress,
  LinkErrorCode,
  LinkState,
  LinkTable,
} from '../ports/link-table.ts';

/** A host's interfaces, which a test plugs, unplugs and gives addresses. Listeners hear of a change a moment later. */
export class FakeLinkTable implements LinkTable {
  readonly #listeners = new Set<() => void>();
  #links: readonly LinkState[] = [];
  #index = 0;
  /** What changing addresses fails with, if anything. */
  refuses: LinkErrorCode | undefined;

  /** Adds an interface that is down, `eth0` of the host with this number. */
  add(name: string, number: number): void {
    const mac = new Uint8Array([2, 0, 0, 0, this.#index, number]);
    const link = { index: ++this.#index, name, mac, isEthernet: true, isUp: false, carrierChanges: 0 };
    this.#links = [...this.#links, { ...link, addresses: [] }];
    this.#tell();
  }

  remove(name: string): void {
    this.#links = this.#links.filter((link) => link.name !== name);
    this.#tell();
  }

  plug(name: string): void {
    this.#change(name, (link) => ({ ...link, isUp: true, carrierChanges: link.carrierChanges + 1 }));
  }

  unplug(name: string): void {
    this.#change(name, (link) => ({ ...link, isUp: false, carrierChanges: link.carrierChanges + 1 }));
  }

  /** As a DHCP client, a person or another program would. */
  give(name: string, address: string, origin: AddressOrigin = 'dhcp'): void {
    const given: LinkAddress = { family: 'ipv4', address, prefixLength: 24, origin, isTentative: false };
    this.#change(name, (link) => ({ ...link, addresses: [...link.addresses, given] }));
  }

  take(name: string, address: string): void {
    this.#change(name, (link) => ({
      ...link,
      addresses: link.addresses.filter((one) => one.address !== address),
    }));
  }

  addressesOf(name: string): readonly string[] {
    return this.#find(name)?.addresses.map(({ address }) => address) ?? [];
  }

  links(): readonly LinkState[] {
    return this.#links;
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async addAddress({ interfaceName, address }: AddressChange): Promise<void> {
    this.#check(interfaceName);
    if (this.addressesOf(interfaceName).includes(address)) return;
    this.give(interfaceName, address, address.startsWith('169.254.') ? 'link-local' : 'static');
  }

  async removeAddress({ interfaceName, address }: AddressChange): Promise<void> {
    this.#check(interfaceName);
    this.take(interfaceName, address);
  }

  async close(): Promise<void> {
    this.#listeners.clear();
  }

  #check(name: string): void {
    const code = this.refuses ?? (this.#find(name) === undefined ? 'LINK_GONE' : undefined);
    if (code !== undefined)
      throw new AetherError<LinkErrorCode>(code, `addresses of ${name} cannot be changed`);
  }

  #find(name: string): LinkState | undefined {
    return this.#links.find((link) => link.name === name);
  }

  #change(name: string, change: (link: LinkState) => LinkState): void {
    this.#links = this.#links.map((link) => (link.name === name ? change(link) : link));
    this.#tell();
  }

  #tell(): void {
    queueMicrotask(() => {
      for (const listener of this.#listeners) listener();
    });
  }
}
