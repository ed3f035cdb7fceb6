import { setTimeout as delay } from 'node:timers/promises';
import { lightsAt, patternOf } from '../../src/device/leds/patterns.ts';
import type { LightState } from '../../src/status/light-state.ts';
import { ledBrightness } from './sysfs-class.ts';

const stepMs = 10;

/** Both lights of one box, looked at many times. */
export interface LightSamples {
  readonly atMs: number[];
  readonly green: number[];
  readonly amber: number[];
}

/** Looks at pairs of lights, by their names, for a while. */
export async function sampleLights(
  pairs: readonly { readonly green: string; readonly amber: string }[],
  durationMs: number,
): Promise<readonly LightSamples[]> {
  const samples = pairs.map((): LightSamples => ({ atMs: [], green: [], amber: [] }));
  const startMs = performance.now();
  while (performance.now() - startMs < durationMs) {
    for (const [index, sample] of samples.entries()) {
      sample.atMs.push(performance.now() - startMs);
      sample.green.push(ledBrightness(pairs[index]!.green));
      sample.amber.push(ledBrightness(pairs[index]!.amber));
    }
    await delay(stepMs);
  }
  return samples;
}

/** The share of samples that differ from the rhythm of `state`, in the phase where they differ least. */
export function shareWrong(state: LightState, { atMs, green, amber }: LightSamples): number {
  const pattern = patternOf(state);
  const periodMs = pattern.reduce((sum, { durationMs }) => sum + durationMs, 0);
  let least = 1;
  for (let phaseMs = 0; phaseMs < periodMs; phaseMs += stepMs) {
    let wrong = 0;
    for (const [index, at] of atMs.entries()) {
      const lights = lightsAt(pattern, at + phaseMs);
      if (Number(lights.green >= 0.5) !== green[index] || Number(lights.amber >= 0.5) !== amber[index])
        wrong++;
    }
    least = Math.min(least, wrong / atMs.length);
  }
  return least;
}
