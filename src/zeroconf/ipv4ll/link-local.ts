import { linkLocalInterfacesMax } from '../../base/discovery-limits.ts';
import type { LinkState } from '../../ports/link-table.ts';
import {
  LinkClaimer,
  type LinkLocalFacts,
  type LinkLocalMemory,
  type LinkLocalPorts,
} from './link-claimer.ts';
import type { LinkLocalMode } from './policy.ts';

export interface LinkLocalOptions {
  readonly mode: LinkLocalMode;
  readonly memory: LinkLocalMemory;
}

/**
 * Gives every Ethernet interface an address of 169.254/16 where nobody else does (RFC 3927), as interfaces come, go
 * and change. Addresses that others gave are never touched. Without the rights for it, `facts` says so.
 */
export class LinkLocal {
  readonly #options: LinkLocalOptions;
  readonly #ports: LinkLocalPorts;
  readonly #claimers = new Map<string, LinkClaimer>();
  readonly #unsubscribe: () => void;
  #closing: Promise<unknown> = Promise.resolve();

  private constructor(options: LinkLocalOptions, ports: LinkLocalPorts) {
    this.#options = options;
    this.#ports = { ...ports, log: ports.log.part('ipv4ll') };
    this.#unsubscribe = ports.links.onChange(() => this.#follow());
    this.#follow();
  }

  static start(options: LinkLocalOptions, ports: LinkLocalPorts): LinkLocal {
    return new LinkLocal(options, ports);
  }

  /** Of each interface that could have one. */
  facts(): readonly LinkLocalFacts[] {
    return [...this.#claimers.values()].map((claimer) => claimer.facts());
  }

  /** Takes our addresses off the interfaces; they are remembered. */
  async close(): Promise<void> {
    this.#unsubscribe();
    await Promise.all([this.#closing, ...[...this.#claimers.values()].map((claimer) => claimer.close())]);
    this.#claimers.clear();
  }

  #follow(): void {
    const all = this.#ports.links.links();
    const links = new Map(
      all
        .filter(({ isEthernet, mac }) => isEthernet && mac.length === 6)
        .slice(0, linkLocalInterfacesMax)
        .map((link): [string, LinkState] => [link.name, link]),
    );
    for (const [name, claimer] of this.#claimers) {
      const link = links.get(name);
      if (link !== undefined && claimer.isFor(link)) continue;
      this.#claimers.delete(name);
      this.#closing = Promise.all([this.#closing, claimer.close({ isGone: !claimer.isAmong(all) })]);
    }
    for (const [name, link] of links) {
      const claimer = this.#claimers.get(name);
      if (claimer !== undefined) claimer.changed(link);
      else {
        const { mode, memory } = this.#options;
        this.#claimers.set(name, new LinkClaimer(link, mode, memory, this.#ports));
      }
    }
  }
}
