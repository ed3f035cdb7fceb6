import { setTimeout as delay } from 'node:timers/promises';
import type { LightSample, Lights } from './target.ts';

/** What one light does: stretches of milliseconds, negative while it is dark, over and over. */
type Stretches = readonly number[];

interface Rhythm {
  readonly green: Stretches;
  readonly amber: Stretches;
}

const always = [1000];
const never = [-1000];

/** Amber is on, and goes dark for so many flashes, every five seconds. */
function flashes(count: number): Rhythm {
  const between = Array.from({ length: count - 1 }, () => [200, -200]).flat();
  return { green: never, amber: [-400, ...between, 200, -400, 4400 - 400 * count] };
}

/** How each state looks to a person, as the manual says it. Steady ones first: what does not change is no part of a rhythm. */
export const rhythms = {
  healthy: { green: always, amber: never },
  'needs a person': { green: never, amber: always },
  'button pressed': { green: always, amber: always },
  'safe to unplug': { green: never, amber: never },
  booting: { green: [500, -500], amber: never },
  working: { green: always, amber: [-500, 1000, -500] },
  'needs a person, 1 flash': flashes(1),
  'needs a person, 2 flashes': flashes(2),
  'needs a person, 3 flashes': flashes(3),
  'needs a person, 4 flashes': flashes(4),
  'needs a person, 5 flashes': flashes(5),
  'needs a person, 6 flashes': flashes(6),
  'needs a person, 7 flashes': flashes(7),
  'needs a person, 8 flashes': flashes(8),
  'not claimed': { green: [500, -500], amber: [-500, 500] },
  updating: { green: [125, -125], amber: never },
  'data at risk': { green: never, amber: [200, -200, 200, -200, 200, -1200] },
  identify: { green: [50, -50], amber: [50, -50] },
  'button at reset': { green: [100, -100], amber: [100, -100] },
  'button at shutdown': { green: [250, -250], amber: [250, -250] },
} as const satisfies Readonly<Record<string, Rhythm>>;

export type RhythmName = keyof typeof rhythms;

/** The kernel's heartbeat on amber: the box lives, its program does not. How fast it beats is by the load. */
const heartbeat = 'program gone';
const beatMsMax = 150;

const sampleMs = 10;
/** A fraction of every stretch. */
const slotMs = 5;
/** What of the time a light may be otherwise than it should: a machine that is emulated is late now and then. */
const wrongShareMax = 0.2;
/** The same of lights that do not change at all. */
const wrongShareOfSteadyMax = 0.03;
/** Twenty when on time; while the button is held for a reset the lights change ten times. */
const identifyChangesPerSecondMin = 14;
/** Out of time, and so none of the rhythms that are slower. */
const identifyChangesPerSecondLate = 6;

/** Looks at the lights for a while. */
export async function watchLights(lights: Lights, durationMs: number): Promise<readonly LightSample[]> {
  const samples: LightSample[] = [];
  const endMs = performance.now() + durationMs;
  while (performance.now() < endMs) {
    samples.push(await lights.sample());
    await delay(sampleMs);
  }
  return samples;
}

/** Which rhythm this is: the one that fits best, if any fits; otherwise what was seen. */
export function rhythmOf(samples: readonly LightSample[]): string {
  if (isFastTogether(samples, identifyChangesPerSecondMin)) return 'identify';
  if (isHeartbeat(samples)) return heartbeat;
  const names = Object.keys(rhythms) as readonly RhythmName[];
  const fits = names.map((name) => ({ name, wrong: wrongShare(samples, rhythms[name]) }));
  const best = fits.reduce((one, other) => (other.wrong < one.wrong ? other : one));
  const { green, amber } = rhythms[best.name];
  const isSteady = green.length + amber.length === 2;
  if (best.wrong <= (isSteady ? wrongShareOfSteadyMax : wrongShareMax)) return best.name;
  return isFastTogether(samples, identifyChangesPerSecondLate) ? 'identify' : drawn(samples);
}

/**
 * Both lights together, faster than any other rhythm: told by counting, since a machine that is emulated keeps no beat of
 * 50 ms.
 */
function isFastTogether(samples: readonly LightSample[], changesPerSecondMin: number): boolean {
  const together = samples.filter(({ green, amber }) => green === amber).length / samples.length;
  const changes = samples.filter(
    ({ green }, index) => index > 0 && green !== samples[index - 1]!.green,
  ).length;
  const seconds = (samples.at(-1)!.atMs - samples[0]!.atMs) / 1000;
  return together >= 0.9 && changes / seconds >= changesPerSecondMin;
}

/** Short beats of amber, and no green. */
function isHeartbeat(samples: readonly LightSample[]): boolean {
  if (samples.some(({ green }) => green)) return false;
  const changes = samples.filter(({ amber }, index) => index > 0 && amber !== samples[index - 1]!.amber);
  const beats = changes.flatMap(({ amber, atMs }, index) => {
    const next = changes[index + 1];
    return amber && next !== undefined ? [next.atMs - atMs] : [];
  });
  return beats.length >= 2 && beats.toSorted((one, other) => one - other)[beats.length >> 1]! <= beatMsMax;
}

/** Waits until the lights show this. Returns after how long; rejects with what they show instead. */
export async function waitForRhythm(lights: Lights, name: string, timeoutMs: number): Promise<number> {
  const startMs = performance.now();
  for (;;) {
    const seen = rhythmOf(await watchLights(lights, watchMs(name)));
    if (seen === name) return performance.now() - startMs;
    if (performance.now() - startMs > timeoutMs)
      throw new Error(`the lights do not show "${name}" within ${timeoutMs / 1000} s, but: ${seen}`);
  }
}

/** Which rhythm they have now. */
export async function seenRhythm(lights: Lights, durationMs = 6000): Promise<string> {
  return rhythmOf(await watchLights(lights, durationMs));
}

/** Long enough to tell it from the others. */
function watchMs(name: string): number {
  return name.startsWith('needs') ? 6000 : 3000;
}

/** The share of samples in which a light is not as the rhythm has it, at the phase that fits best. */
function wrongShare(samples: readonly LightSample[], { green, amber }: Rhythm): number {
  const [greens, ambers] = [slotsOf(green), slotsOf(amber)];
  const expected = Array.from({ length: Math.max(greens.length, ambers.length) }, (_, slot) =>
    lightsAs(greens[slot % greens.length]!, ambers[slot % ambers.length]!),
  );
  const slots = samples.map(({ atMs }) => Math.round(atMs / slotMs) % expected.length);
  const seen = samples.map((sample) => lightsAs(sample.green, sample.amber));
  let least = samples.length;
  for (let phase = 0; phase < expected.length; phase += 2) {
    let wrong = 0;
    for (let index = 0; index < slots.length && wrong < least; index++) {
      if (seen[index] !== expected[(slots[index]! + phase) % expected.length]) wrong++;
    }
    least = Math.min(least, wrong);
    if (least === 0) break;
  }
  return least / samples.length;
}

function lightsAs(green: boolean, amber: boolean): number {
  return (green ? 1 : 0) + (amber ? 2 : 0);
}

/** One period, cut into slots. */
function slotsOf(stretches: Stretches): readonly boolean[] {
  return stretches.flatMap((each) => Array<boolean>(Math.round(Math.abs(each) / slotMs)).fill(each > 0));
}

/** The first second and a half as a person may read it. */
function drawn(samples: readonly LightSample[]): string {
  const line = (light: 'green' | 'amber') =>
    samples
      .filter((_, index) => index % 5 === 0)
      .slice(0, 60)
      .map((sample) => (sample[light] ? '#' : '.'))
      .join('');
  return `no known rhythm: green ${line('green')} amber ${line('amber')}`;
}
