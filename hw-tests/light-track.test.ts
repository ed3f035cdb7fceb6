import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type RhythmName, rhythmOf, rhythms, waitForRhythm } from './light-track.ts';
import type { LightSample } from './target.ts';

/** What somebody sees who looks every 10 ms, where each change comes up to `lateMs` late. */
function seen(name: RhythmName, lateMs = 0): readonly LightSample[] {
  const on = (stretches: readonly number[], ms: number) => {
    const drawn = stretches.flatMap((each) => Array<boolean>(Math.abs(each)).fill(each > 0));
    return drawn[ms % drawn.length]!;
  };
  return Array.from({ length: 700 }, (_, index) => {
    const ms = index * 10 + 37 - (index % 3 === 0 ? lateMs : 0) + 1000;
    return { atMs: index * 10, green: on(rhythms[name].green, ms), amber: on(rhythms[name].amber, ms) };
  });
}

test('every rhythm is known again, at any phase and with changes that come late', () => {
  for (const name of Object.keys(rhythms) as readonly RhythmName[]) {
    assert.equal(rhythmOf(seen(name)), name);
    assert.equal(rhythmOf(seen(name, 10)), name);
  }
});

test('both lights fast are known though half of the beats are late', () => {
  const flips = [50, 85, 150, 190, 250, 320, 350, 420, 470, 500, 560, 610, 650, 700];
  const samples = Array.from({ length: 70 }, (_, index) => {
    const on = flips.filter((ms) => ms <= index * 10).length % 2 === 0;
    return { atMs: index * 10, green: on, amber: on };
  });
  assert.equal(rhythmOf(samples), 'identify');
});

test('the heartbeat of the kernel is known at any speed', () => {
  for (const periodMs of [420, 605, 1260]) {
    const samples = Array.from({ length: 300 }, (_, index) => {
      const ms = (index * 10) % periodMs;
      return {
        atMs: index * 10,
        green: false,
        amber: ms < 70 || (ms >= periodMs / 4 && ms < periodMs / 4 + 70),
      };
    });
    assert.equal(rhythmOf(samples), 'program gone', `${periodMs} ms`);
  }
});

test('lights that stay dark for a second are dark, not the pause of a rhythm', () => {
  const samples = Array.from({ length: 100 }, (_, index) => ({
    atMs: index * 10,
    green: false,
    amber: false,
  }));
  assert.equal(rhythmOf(samples), 'safe to unplug');
});

test('what is no rhythm of the manual is drawn as it was seen', () => {
  const samples = seen('booting').map((sample) => ({ ...sample, amber: true }));
  assert.match(rhythmOf(samples), /^no known rhythm: green [#.]{60} amber #{60}$/);
});

test('waiting for a rhythm that does not come tells what is there instead', async () => {
  const lights = { sample: async () => ({ atMs: performance.now(), green: true, amber: false }) };
  await assert.rejects(waitForRhythm(lights, 'not claimed', 10), /but: healthy/);
});
