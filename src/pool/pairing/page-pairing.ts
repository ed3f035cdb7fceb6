import type { Clock } from '../../ports/clock.ts';
import type { Entropy } from '../../ports/entropy.ts';
import type { Identity } from '../identity.ts';
import { startPool } from './desktop-enrolment.ts';
import type { BoxEnrolment } from './enrolment.ts';
import type { PairingHost } from './pairing-host.ts';

export interface PagePairingOptions {
  readonly host: PairingHost;
  readonly enrolment: BoxEnrolment;
  readonly identity: Identity;
  /** What the pool will call this box. */
  readonly name: string;
}

/** Pairing by the box's own page: the box plays the part of the desktop itself. */
export class PagePairing {
  readonly #options: PagePairingOptions;
  readonly #ports: { readonly clock: Clock; readonly entropy: Entropy };

  constructor(options: PagePairingOptions, ports: { readonly clock: Clock; readonly entropy: Entropy }) {
    this.#options = options;
    this.#ports = ports;
  }

  get claimed(): boolean {
    return this.#options.enrolment.enrolled !== undefined;
  }

  /** Proves a code that is in force. Errors: those of {@link PairingHost.prove}. */
  prove(code: string): Promise<void> {
    return this.#options.host.prove(code);
  }

  /** A pool of this box alone. Nothing has happened until `finish`, which rejects with `ALREADY_CLAIMED`. */
  newPool(): { readonly words: readonly string[]; finish(): Promise<void> } {
    const { identity, name, host } = this.#options;
    const { words, message } = startPool({ box: { publicKey: identity.publicKey, name } }, this.#ports);
    return { words: words.split(' '), finish: () => host.claimHere(message) };
  }
}
