import type { Bytes } from '../../base/bytes.ts';
import { SeededEntropy } from '../seeded-entropy.ts';
import type { CorpusEntry } from './corpus.ts';
import type { FuzzSubject, FuzzTarget, Stopwatch } from './fuzz-target.ts';
import { mutate, noise } from './mutation.ts';

/** A packet that takes longer is a finding: a stranger who sends twenty a second would have the whole processor. */
export const slowMs = 50;
/** The kernel may count a thread's time in steps of this. */
const cpuTickMs = 4;
/** Packets before the one at fault that a replay is given as well, for what they left behind. */
const packetsKept = 64;
/** Kinds of findings after which a run ends: by then the code is broken, not the packets. */
const findingsMax = 10;
const noiseShare = 0.03;

export interface Finding {
  readonly kind: 'threw' | 'broke' | 'slow';
  /** From 0. */
  readonly index: number;
  /** What was thrown, with its place; or how long it took. */
  readonly what: string;
  /** The packet at fault is the last. */
  readonly packets: readonly Bytes[];
}

export interface FuzzReport {
  readonly packets: number;
  readonly findings: readonly Finding[];
  /** The longest turn of the event loop that a packet took. */
  readonly slowestMs: number;
  /** Processor time of the target alone: of this thread's, the share of the wall's that it took. */
  readonly cpuSeconds: number;
  readonly figures: Readonly<Record<string, number>>;
}

export interface FuzzOptions {
  readonly seed: number;
  readonly count: number;
  /** Called before each packet goes in: who looks from outside must know it even when it never comes out. */
  readonly before?: (index: number, bytes: Bytes) => void;
}

/** Packet `index` of a run: first the corpus as it is, then what a seed makes of it. */
export class PacketSource {
  readonly #target: FuzzTarget;
  readonly #corpus: readonly CorpusEntry[];
  readonly #seed: number;

  constructor(target: FuzzTarget, seed: number) {
    this.#target = target;
    this.#corpus = target.corpus();
    this.#seed = seed;
  }

  packet(index: number): Bytes {
    const whole = this.#corpus[index];
    if (whole !== undefined) return whole.bytes;
    const entropy = new SeededEntropy(this.#seed ^ Math.imul(index + 1, 0x9e3779b1));
    if (entropy.chance(noiseShare)) return noise(entropy);
    const one = this.#corpus[entropy.below(this.#corpus.length)]!.bytes;
    const other = this.#corpus[entropy.below(this.#corpus.length)]!.bytes;
    return mutate(one, this.#target.layoutOf, entropy, other);
  }
}

/** Sends a target the packets of a seed. After a finding the target starts afresh. */
export async function fuzz(target: FuzzTarget, options: FuzzOptions): Promise<FuzzReport> {
  const source = new PacketSource(target, options.seed);
  const session = new FuzzSession(target);
  for (let index = 0; index < options.count && !session.isOver; index++) {
    const bytes = source.packet(index);
    options.before?.(index, bytes);
    await session.receive(bytes);
  }
  return session.report();
}

/** One target under packets, one after the other. */
export class FuzzSession {
  readonly #target: FuzzTarget;
  readonly #findings = new Map<string, Finding>();
  readonly #recent: Bytes[] = [];
  readonly #startedMs = performance.now();
  readonly #cpuAtStart = process.threadCpuUsage();
  #subject: FuzzSubject | undefined;
  #packets = 0;
  #slowestMs = 0;
  #busyMs = 0;

  constructor(target: FuzzTarget) {
    this.#target = target;
  }

  get isOver(): boolean {
    return this.#findings.size >= findingsMax;
  }

  async receive(bytes: Bytes): Promise<void> {
    const subject = this.#subject ?? (await this.#target.start());
    this.#subject = subject;
    this.#recent.push(bytes);
    if (this.#recent.length > packetsKept) this.#recent.shift();
    const thrown = await this.#measured(subject, bytes);
    if (thrown !== undefined) this.#find('threw', thrown.text);
    else {
      try {
        subject.check();
      } catch (error) {
        this.#find('broke', textOf(error));
      }
    }
    this.#packets++;
  }

  report(): FuzzReport {
    const { user, system } = process.threadCpuUsage(this.#cpuAtStart);
    const cpuSeconds = (user + system) / 1e6;
    return {
      packets: this.#packets,
      findings: [...this.#findings.values()],
      slowestMs: this.#slowestMs,
      cpuSeconds: (this.#busyMs / (performance.now() - this.#startedMs)) * cpuSeconds,
      figures: this.#subject?.figures() ?? {},
    };
  }

  async #measured(subject: FuzzSubject, bytes: Bytes): Promise<{ readonly text: string } | undefined> {
    const timed: Stopwatch = (work) => {
      const cpuBefore = process.threadCpuUsage();
      const startedMs = performance.now();
      try {
        return work();
      } finally {
        this.#note(performance.now() - startedMs, cpuBefore);
      }
    };
    let thrown: { readonly text: string } | undefined;
    try {
      const pending = subject.receive(bytes, timed);
      if (pending !== undefined) await pending;
    } catch (error) {
      thrown = { text: textOf(error) };
    }
    return thrown;
  }

  #note(wallMs: number, cpuBefore: NodeJS.CpuUsage): void {
    this.#busyMs += wallMs;
    if (wallMs <= this.#slowestMs) return;
    const { user, system } = process.threadCpuUsage(cpuBefore);
    // Neither a busy machine nor the kernel's coarse count makes a packet slow.
    const tookMs = Math.min(wallMs, (user + system) / 1000 + cpuTickMs);
    if (tookMs <= this.#slowestMs) return;
    this.#slowestMs = tookMs;
    if (tookMs > slowMs) this.#find('slow', `${tookMs.toFixed(0)} ms in one turn of the event loop`);
  }

  /** The first of each kind is kept, and the slowest packet; numbers do not tell kinds apart. */
  #find(kind: Finding['kind'], what: string): void {
    const key = kind === 'slow' ? kind : what.replace(/\d+/g, 'N');
    if (!this.#findings.has(key) || kind === 'slow') {
      this.#findings.set(key, { kind, index: this.#packets, what, packets: [...this.#recent] });
    }
    if (kind === 'slow') return;
    this.#recent.length = 0;
    this.#subject = undefined;
  }
}

function textOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const place = error.stack?.split('\n').find((line) => /^ +at /.test(line) && !line.includes('node:'));
  return `${error.name}: ${error.message.split('\n')[0]} ${place?.trim() ?? ''}`.trim();
}
