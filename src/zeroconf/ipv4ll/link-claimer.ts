import { type Bytes, toHex } from '../../base/bytes.ts';
import { AetherError, describeError, hasCode } from '../../base/errors.ts';
import { isLinkLocalIpv4 } from '../../base/ip-address.ts';
import type { Log } from '../../base/log.ts';
import type { ArpLink, ArpNetwork } from '../../ports/arp-network.ts';
import type { Clock, Timer } from '../../ports/clock.ts';
import { type Entropy, uniform } from '../../ports/entropy.ts';
import type { LinkState, LinkTable } from '../../ports/link-table.ts';
import { arpAnnouncement, arpProbe, decodeArp } from './arp-packet.ts';
import { linkLocalPrefixLength } from './candidate.ts';
import { type ClaimAction, type ClaimEvent, type ClaimState, claimStep, newClaim } from './claim.ts';
import { isWanted, type LinkLocalMode, newPolicy, type PolicyEvent, policyStep } from './policy.ts';

export interface LinkLocalPorts {
  readonly links: LinkTable;
  readonly arp: ArpNetwork;
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly log: Log;
}

/** Which address each interface, known by its hardware address, had last. */
export interface LinkLocalMemory {
  linkLocalOf(mac: Bytes): string | undefined;
  rememberLinkLocal(mac: Bytes, address: string): void;
}

/** How one interface stands. */
export interface LinkLocalFacts {
  readonly interfaceName: string;
  readonly phase: 'off' | 'waiting' | 'probing' | 'held' | 'unavailable';
  /** Held, or asked about; null when neither. */
  readonly address: string | null;
  /** Why there can be none, in words; null unless unavailable. */
  readonly reason: string | null;
  readonly conflicts: number;
  /** ARP frames that were none: too short, or of another protocol. */
  readonly framesRefused: number;
}

/** Claims and defends an address on one interface: policy and claim machine, their timer, their ARP socket. */
export class LinkClaimer {
  readonly #ports: LinkLocalPorts;
  readonly #memory: LinkLocalMemory;
  readonly #name: string;
  #link: LinkState;
  #policy;
  #claim: ClaimState;
  #arp: ArpLink | undefined;
  #timer: Timer | undefined;
  /** On the interface by our doing. */
  #held: string | undefined;
  /** Taken off the interface last: notices from before tell of it, and without the kernel's word it may be there. */
  #removed: string | undefined;
  /** Whether the kernel has told that the held address is there. */
  #seen = false;
  #unavailable: string | undefined;
  /** What is done to the interface, one thing after the other. */
  #work: Promise<void> = Promise.resolve();
  #framesRefused = 0;
  #closed = false;

  constructor(link: LinkState, mode: LinkLocalMode, memory: LinkLocalMemory, ports: LinkLocalPorts) {
    this.#ports = ports;
    this.#memory = memory;
    this.#name = link.name;
    this.#link = link;
    this.#policy = newPolicy(mode);
    this.#claim = newClaim(link.mac, memory.linkLocalOf(link.mac));
    this.#do(async () => this.#follow(await this.#clearedUp(link)));
  }

  /** Whether this is still the interface it was made for. */
  isFor(link: LinkState): boolean {
    return link.index === this.#link.index && toHex(link.mac) === toHex(this.#link.mac);
  }

  /** Whether its interface is among these, whatever has become of its name and its hardware address. */
  isAmong(links: readonly LinkState[]): boolean {
    return links.some(({ index }) => index === this.#link.index);
  }

  /** The interface has changed. */
  changed(link: LinkState): void {
    this.#do(async () => this.#follow(link));
  }

  facts(): LinkLocalFacts {
    const { phase, address, conflictsSeen: conflicts } = this.#claim;
    const framesRefused = this.#framesRefused;
    const reason = this.#unavailable ?? null;
    const about = { interfaceName: this.#name, reason, conflicts, framesRefused };
    if (this.#unavailable !== undefined) return { ...about, phase: 'unavailable', address: null };
    if (this.#held !== undefined) return { ...about, phase: 'held', address: this.#held };
    if (phase === 'probing') return { ...about, phase, address };
    return { ...about, phase: this.#policy.phase === 'waiting' ? 'waiting' : 'off', address: null };
  }

  /** Takes the address away and ends. `isGone`: the interface is not there any more. */
  async close({ isGone = false } = {}): Promise<void> {
    this.#do(async () => {
      this.#closed = true;
      this.#timer?.cancel();
      if (!isGone) await this.#give({ kind: 'stop' });
      await this.#closeArp();
    });
    await this.#work;
  }

  /** An address that a run of ours left behind when it was killed is to be asked for anew before it is used. */
  async #clearedUp(link: LinkState): Promise<LinkState> {
    const left = this.#memory.linkLocalOf(link.mac);
    if (left === undefined || !link.addresses.some(({ address }) => address === left)) return link;
    try {
      await this.#ports.links.removeAddress(this.#change(left));
      return { ...link, addresses: link.addresses.filter(({ address }) => address !== left) };
    } catch (error) {
      this.#ports.log.debug('address of an earlier run stays', { reason: describeError(error) });
      return link;
    }
  }

  /** Brings policy and claim in line with the interface as it is now. */
  async #follow(link: LinkState): Promise<void> {
    const bounced = link.carrierChanges !== this.#link.carrierChanges;
    this.#link = link;
    const four = link.addresses.filter(({ family }) => family === 'ipv4').map(({ address }) => address);
    const isThere = this.#held !== undefined && four.includes(this.#held);
    const wasTaken = this.#seen && this.#held !== undefined && !isThere;
    this.#seen = isThere;
    if (this.#removed !== undefined && !four.includes(this.#removed)) this.#removed = undefined;
    const ours = [this.#held, this.#removed];
    const seen: PolicyEvent = {
      kind: 'link',
      isUp: link.isUp,
      hasRoutable: four.some((address) => !isLinkLocalIpv4(address)),
      hasForeign: four.some((address) => isLinkLocalIpv4(address) && !ours.includes(address)),
    };
    // A cable that was out for less than it takes to hear of it was out all the same (RFC 3927 §2.2).
    if (bounced && link.isUp) await this.#decide({ ...seen, isUp: false });
    if (wasTaken) {
      this.#held = undefined;
      await this.#give({ kind: 'stop' });
    }
    await this.#decide(seen);
  }

  async #decide(event: PolicyEvent): Promise<void> {
    this.#policy = policyStep(this.#policy, event, this.#now());
    const wanted = isWanted(this.#policy) && !this.#closed;
    if (wanted && this.#claim.phase === 'off' && (await this.#openArp())) {
      await this.#give({ kind: 'start', draw: this.#draw() });
    } else if (!wanted && this.#claim.phase !== 'off') {
      await this.#give({ kind: 'stop' });
      await this.#closeArp();
      this.#unavailable = undefined;
    }
    this.#setTimer();
  }

  async #give(event: ClaimEvent): Promise<void> {
    const step = claimStep(this.#claim, event, this.#now());
    this.#claim = step.state;
    for (const action of step.actions) await this.#carryOut(action);
    this.#setTimer();
  }

  async #carryOut({ kind, address }: ClaimAction): Promise<void> {
    const { mac } = this.#claim;
    switch (kind) {
      case 'probe':
        return this.#arp?.send(arpProbe(mac, address));
      case 'announce':
        // Of what could not be put on the interface nothing is said.
        if (this.#held === address) this.#arp?.send(arpAnnouncement(mac, address));
        return;
      case 'claimed':
        return this.#take(address);
      case 'lost':
        return this.#drop(address);
    }
  }

  async #take(address: string): Promise<void> {
    try {
      await this.#ports.links.addAddress(this.#change(address));
    } catch (error) {
      if (!hasCode(error, 'LINK_REFUSED')) return this.#giveUp(error);
      this.#noteUnavailable(error);
      // What was lost may be the kernel's answer only: then it is there, and nobody defends it.
      await this.#remove(address);
      return this.#give({ kind: 'refused', draw: this.#draw() });
    }
    this.#held = address;
    this.#unavailable = undefined;
    this.#memory.rememberLinkLocal(this.#claim.mac, address);
    this.#ports.log.info('link-local address claimed', { link: this.#name, address });
    if (this.#removed !== undefined && this.#removed !== address) await this.#remove(this.#removed);
  }

  async #drop(address: string): Promise<void> {
    if (this.#held === undefined) return;
    this.#held = undefined;
    this.#seen = false;
    if (await this.#remove(address))
      this.#ports.log.info('link-local address given up', { link: this.#name, address });
  }

  /** Whether it is off the interface. */
  async #remove(address: string): Promise<boolean> {
    this.#removed = address;
    try {
      await this.#ports.links.removeAddress(this.#change(address));
      return true;
    } catch (error) {
      if (!(error instanceof AetherError)) throw error;
      // That addresses are refused here is said once.
      if (!hasCode(error, 'LINK_GONE') && this.#unavailable === undefined)
        this.#ports.log.warn('address cannot be removed', { link: this.#name, error: describeError(error) });
      return false;
    }
  }

  /** RFC 3927 asks for nothing that cannot be done here: the box goes on with the addresses there are. */
  #giveUp(error: unknown): void {
    this.#noteUnavailable(error);
    this.#claim = { ...this.#claim, phase: 'off', nextMs: undefined };
  }

  #noteUnavailable(error: unknown): void {
    if (!(error instanceof AetherError)) throw error;
    if (this.#unavailable === undefined)
      this.#ports.log.warn('no link-local address here', { link: this.#name, reason: error.message });
    this.#unavailable = error.message;
  }

  async #openArp(): Promise<boolean> {
    if (this.#arp !== undefined) return true;
    try {
      const arp = await this.#ports.arp.open(this.#name);
      arp.onFrame((frame) => this.#hear(arp, frame));
      this.#arp = arp;
      this.#unavailable = undefined;
      return true;
    } catch (error) {
      this.#giveUp(error);
      return false;
    }
  }

  async #closeArp(): Promise<void> {
    const arp = this.#arp;
    this.#arp = undefined;
    await arp?.close();
  }

  #hear(arp: ArpLink, frame: Bytes): void {
    if (arp !== this.#arp) return;
    const packet = decodeArp(frame);
    if (packet === undefined) {
      this.#framesRefused++;
      return;
    }
    const event: ClaimEvent = { kind: 'arp', packet, draw: this.#draw() };
    const before = this.#claim;
    const step = claimStep(before, event, this.#now());
    this.#claim = step.state;
    if (step.state === before) return;
    this.#setTimer();
    if (step.actions.length > 0)
      this.#do(async () => {
        for (const action of step.actions) await this.#carryOut(action);
      });
  }

  #setTimer(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    const dues = [this.#policy.dueMs, this.#claim.nextMs].filter((due) => due !== undefined);
    if (dues.length === 0 || this.#closed) return;
    const delayMs = Math.max(0, Math.min(...dues) - this.#now());
    this.#timer = this.#ports.clock.after(delayMs, () =>
      this.#do(async () => {
        await this.#decide({ kind: 'tick' });
        await this.#give({ kind: 'tick', draw: this.#draw() });
      }),
    );
  }

  #do(action: () => Promise<void>): void {
    this.#work = this.#work.then(action);
  }

  #change(address: string) {
    return { interfaceName: this.#name, address, prefixLength: linkLocalPrefixLength };
  }

  #now(): number {
    return this.#ports.clock.monotonicMs();
  }

  #draw(): number {
    return uniform(this.#ports.entropy);
  }
}
