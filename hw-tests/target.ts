/**
 * A whole box that is tested from outside: by its serial line, its lights, its button, its network and its power. What
 * it is made of (a board on a desk, an emulator) is known to its target alone.
 */
import type { Provision } from '../scripts/flash/provision.ts';
import type { Place } from '../scripts/lan/processes.ts';
import type { BoxConsole } from './box-console.ts';
import type { RootShell } from './root-shell.ts';

/** What not every target can do. */
export const capabilityNames = [
  /** Its power can be cut, and given again. */
  'power',
  'lights',
  'button',
  /** Disks can be plugged in and pulled. */
  'disks',
  /** A disk that was pulled can be plugged in again as it was. */
  'same disk',
  /** A disk can be made not to answer, without an error. */
  'disks that hang',
  /** A memory stick can be plugged in, with an update on it. */
  'memory sticks',
  /** Its clock can be set while it is off. */
  'clock',
  /** Its network cable can be pulled. */
  'cable',
  /** Whether a DHCP server answers can be chosen. */
  'dhcp',
  /** Another computer on its switch that tests can use. */
  'second computer',
  /** Its card can be written anew, as at the factory. */
  'card',
  /** It can be brought back to a moment. */
  'snapshots',
  /** A root shell beside the console; development images only. */
  'root shell',
  /** There is a bundle of its version, signed by a key that is here. */
  'updates',
  /** More boxes of the same kind on the same switch. */
  'more boxes',
  /** Hardware that starts a system again which hangs. */
  'watchdog',
] as const;

export type Capability = (typeof capabilityNames)[number];

/** Of each capability either that it is there, or why not, as a sentence. */
export type Capabilities = Readonly<Record<Capability, true | string>>;

export interface Target {
  readonly name: string;
  readonly capabilities: Capabilities;
  /** How many times as long as on a board, or an emulated one that is fast, everything may take; at least 1. */
  readonly slowness: number;
  /** What stands on its label; undefined: nobody says. */
  readonly label?: Provision;
  readonly console: BoxConsole;
  readonly root: RootShell;
  readonly power: Power;
  readonly lights: Lights;
  readonly button: Button;
  readonly network: Network;
  readonly disks: Disks;
  readonly sticks: Sticks;
  readonly card: Card;
  readonly snapshots: Snapshots;
  readonly updates: Updates;
  /** Another box on the same switch, with a card of its own, switched off. */
  addBox(): Promise<Target>;
  /** Of this computer's processors, that it and the boxes beside it have used so far; undefined of what is not emulated. */
  processorSeconds(): number | undefined;
  close(): Promise<void>;
}

export interface Power {
  /** `clock`: what its clock says then, where that can be chosen. */
  on(clock?: Date): Promise<void>;
  /** Cuts it at once. */
  off(): Promise<void>;
  /** Of the last cut; undefined where nobody can tell. */
  forgotten(): Forgotten | undefined;
  /** Resolves when the box has switched itself off; rejects after `timeoutMs`. */
  switchedOff(timeoutMs: number): Promise<void>;
  /** How often it was started since it was given power, by itself or by a watchdog. */
  restarts(): number;
}

/** How many writes card and disks forgot, when the power went, of those that they had not been told to flush. */
export interface Forgotten {
  readonly card: number;
  readonly disks: number;
}

/** One look at the lights. */
export interface LightSample {
  readonly atMs: number;
  readonly green: boolean;
  readonly amber: boolean;
}

export interface Lights {
  sample(): Promise<LightSample>;
}

export interface Button {
  press(): Promise<void>;
  release(): Promise<void>;
}

export interface Network {
  /** Where `aether` runs: a person's computer on the same switch. */
  readonly desktop: Place;
  /** Another computer on it; throws where there is none. */
  readonly second: Place;
  /** The box's IPv4 address as the network's DHCP server, or whoever set this target up, knows it. */
  address(): Promise<string>;
  /** Whether a DHCP server answers from now on. */
  dhcp(on: boolean): Promise<void>;
  cable(plugged: boolean): Promise<void>;
}

export interface AttachedDisk {
  readonly id: string;
  readonly bytes: number;
}

export interface Disks {
  /** Plugs in a blank disk. */
  attach(bytes: number): Promise<AttachedDisk>;
  /** Pulls it. */
  detach(disk: AttachedDisk): Promise<void>;
  /** Pulls all; left out where a card that is written anew comes without disks. */
  detachAll?(): Promise<void>;
  /** Plugs in a disk that was pulled, with what is on it. */
  attachAgain(disk: AttachedDisk): Promise<void>;
  /** Whether it answers what it is asked; it does until this is called, and again after the power was cut. */
  answers(disk: AttachedDisk, answering: boolean): Promise<void>;
}

export interface Sticks {
  /** Plugs in a stick with this bundle on it, where a person puts it; it stays until the power goes. */
  plugIn(bundle: string): Promise<void>;
}

export interface Card {
  /** Writes the image to the card; the box is off before and after. */
  flash(): Promise<void>;
}

export interface Snapshots {
  save(name: string): Promise<void>;
  has(name: string): boolean;
  /** Brings the box back to that moment, running. Its clock is then as much behind. */
  restore(name: string): Promise<void>;
}

export interface Updates {
  /** The file of the bundle whose version the box runs. */
  bundle(): string;
}

/** Why this target cannot do what is needed, as one sentence; undefined when it can. */
export function whyNot(capabilities: Capabilities, needs: readonly Capability[]): string | undefined {
  const reasons = needs.map((need) => capabilities[need]).filter((reason) => reason !== true);
  return reasons.length === 0 ? undefined : [...new Set(reasons)].join(' ');
}
