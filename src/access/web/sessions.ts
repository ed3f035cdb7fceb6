import { type Bytes, equalBytes, fromHex, toHex } from '../../base/bytes.ts';
import { webSessionIdleMs, webSessionMs, webSessionsMax } from '../../base/face-limits.ts';
import type { ApplianceControl } from '../../control/appliance-control.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Entropy } from '../../ports/entropy.ts';

/** Somebody who has shown a code or the PIN, in one browser. */
export interface Session {
  /** In every form that changes something; a page of somebody else cannot know it. 32 hexadecimal digits. */
  readonly token: string;
  /** Shown once on the next page. */
  notice: string | undefined;
  /** By device: disks that are taken into use at its word; what came of it is shown until the next deed. */
  readonly adoptions: Map<string, Adoption>;
}

export interface Adoption {
  readonly state: 'running' | 'done' | 'failed';
  readonly words: string;
}

interface Entry extends Session {
  readonly id: Bytes;
  readonly endsMs: number;
  usedMs: number;
  /** How often the PIN had been changed when it began. */
  pinChanges: number;
}

const idBytes = 32;
const tokenBytes = 16;

/** The name says that it came over TLS, for this host and the whole of it, and browsers hold the setter to that. */
const cookieName = '__Host-aether';

export interface SessionsPorts {
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly control: Pick<ApplianceControl, 'pinChanges'>;
}

/** Sessions of browsers, in memory: a restart ends them all, and so does a new PIN, whoever set it. */
export class Sessions {
  readonly #clock: Clock;
  readonly #entropy: Entropy;
  readonly #control: SessionsPorts['control'];
  #entries: Entry[] = [];

  constructor({ clock, entropy, control }: SessionsPorts) {
    this.#clock = clock;
    this.#entropy = entropy;
    this.#control = control;
  }

  /** Begins one; the answer is the header that gives it to the browser. */
  begin(notice?: string): { readonly session: Session; readonly cookie: string } {
    const now = this.#clock.monotonicMs();
    const id = this.#entropy.bytes(idBytes);
    const entry: Entry = {
      id,
      token: toHex(this.#entropy.bytes(tokenBytes)),
      endsMs: now + webSessionMs,
      usedMs: now,
      pinChanges: this.#control.pinChanges,
      notice,
      adoptions: new Map(),
    };
    this.#expire(now);
    this.#entries.push(entry);
    if (this.#entries.length > webSessionsMax) this.#dropLeastUsed();
    const cookie = `${cookieName}=${toHex(id)}; Path=/; Secure; HttpOnly; SameSite=Strict`;
    return { session: entry, cookie };
  }

  /** The session that the `cookie` header of a request names, if it goes on; it is in use then. */
  find(cookieHeader: string | undefined): Session | undefined {
    const now = this.#clock.monotonicMs();
    this.#expire(now);
    const id = idIn(cookieHeader);
    const entry = id && this.#entries.find((each) => equalBytes(each.id, id) && this.#knewPin(each));
    if (entry !== undefined) entry.usedMs = now;
    return entry;
  }

  /** Ends it; the answer is the header that takes it from the browser. */
  end(session: Session): string {
    this.#entries = this.#entries.filter((each) => each !== session);
    return `${cookieName}=; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=0`;
  }

  /** Lets it go on although the PIN has changed: who set it stays. */
  keep(session: Session): void {
    const entry = this.#entries.find((each) => each === session);
    if (entry !== undefined) entry.pinChanges = this.#control.pinChanges;
  }

  /** Whether it goes on; to ask does not use it. */
  isLive(session: Session): boolean {
    this.#expire(this.#clock.monotonicMs());
    return this.#entries.some((each) => each === session && this.#knewPin(each));
  }

  /** Whether it began, or was kept, with the PIN that there is now. */
  #knewPin({ pinChanges }: Entry): boolean {
    return pinChanges === this.#control.pinChanges;
  }

  #expire(now: number): void {
    this.#entries = this.#entries.filter(
      ({ endsMs, usedMs }) => now < endsMs && now - usedMs < webSessionIdleMs,
    );
  }

  #dropLeastUsed(): void {
    const least = this.#entries.reduce((oldest, next) => (next.usedMs < oldest.usedMs ? next : oldest));
    this.#entries = this.#entries.filter((each) => each !== least);
  }
}

function idIn(cookieHeader = ''): Bytes | undefined {
  for (const cookie of cookieHeader.split(';')) {
    const [name, value = ''] = cookie.trim().split('=', 2);
    if (name !== cookieName) continue;
    const id = fromHex(value);
    return id?.length === idBytes ? id : undefined;
  }
  return undefined;
}
