import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { toHex } from '../../base/bytes.ts';
import { fuzzTargets as brokenTargets } from './broken-targets.ts';
import { formatCorpus, parseCorpus } from './corpus.ts';
import { type Finding, fuzz, PacketSource } from './fuzz.ts';
import { fuzzTargets } from './targets.ts';
import { fuzzWatched, heapGrowth } from './watched-fuzz.ts';

const mutations = 1000;

describe('what strangers on a LAN send', () => {
  for (const target of fuzzTargets) {
    it(`${target.name}: the whole corpus and ${mutations} changed packets find nothing`, async () => {
      const { packets, findings, figures } = await fuzz(target, {
        seed: 1,
        count: target.corpus().length + mutations,
      });
      assert.ok(packets > mutations);
      // Enough is understood for the code behind a codec to be reached, and not all.
      const share = (figures.decoded ?? packets / 2) / packets;
      assert.ok(share > 0.15 && share < 0.85, `${share} of the packets decoded`);
      // How long something takes is for npm run fuzz to say, on a machine that does nothing else.
      assert.deepEqual(findings.filter(({ kind }) => kind !== 'slow').map(describeFinding), []);
    });
  }
});

describe('the fuzzer', () => {
  it('makes the same packets of the same seed, others of another, and the corpus first', () => {
    const [target] = fuzzTargets;
    const corpusSize = target!.corpus().length;
    const packets = (seed: number) => {
      const source = new PacketSource(target!, seed);
      return Array.from({ length: 300 }, (_, index) => toHex(source.packet(index)));
    };
    const [one, same, other] = [packets(1), packets(1), packets(2)];
    assert.deepEqual(one, same);
    assert.deepEqual(
      one.slice(0, corpusSize),
      target!.corpus().map(({ bytes }) => toHex(bytes)),
    );
    const differing = one.slice(corpusSize).filter((packet, index) => packet !== other[corpusSize + index]);
    assert.ok(differing.length > 0.9 * (300 - corpusSize));
    assert.ok(new Set(one).size > 290);
  });

  it('tells what was thrown once, with the packet at fault last', async () => {
    const { findings } = await fuzz(brokenTarget('throws'), { seed: 1, count: 2000 });
    assert.equal(findings.length, 1);
    assert.equal(findings[0]!.kind, 'threw');
    assert.match(findings[0]!.what, /^Error: cannot read \d+ bytes at .*broken-targets\.ts/);
    assert.equal(findings[0]!.packets.at(-1)![0], 0xff);
  });

  it('tells an invariant that broke, with the packets that led to it', async () => {
    const { findings } = await fuzz(brokenTarget('breaks'), { seed: 1, count: 100 });
    assert.deepEqual(
      findings.map(({ kind, packets, index }) => ({ kind, count: packets.length, index })),
      [{ kind: 'broke', count: 4, index: 3 }],
    );
  });

  it('ends a target that never comes back, and has the packet', async () => {
    const { hung, report } = await fuzzWatched({ ...watched, target: 'hangs', hangMs: 500 });
    assert.equal(report, undefined);
    assert.equal(hung?.packet[0], 0xff);
    const again = new PacketSource(brokenTarget('hangs'), watched.seed).packet(hung.index);
    assert.deepEqual(hung.packet, new Uint8Array(again));
  });

  it('replays packets from a file, and sees memory grow', async () => {
    const entries = Array.from({ length: 200 }, (_, index) => ({
      name: `packet-${index}`,
      bytes: Uint8Array.of(index),
    }));
    const replay = formatCorpus(['target leaks'], entries);
    assert.deepEqual(parseCorpus(replay), entries);
    const run = await fuzzWatched({ ...watched, target: 'leaks', replay, hangMs: 10_000 });
    assert.equal(run.report?.packets, 200);
    assert.ok(heapGrowth(run.heap) > 5_000_000, `${heapGrowth(run.heap)} bytes`);
  });
});

const watched = { module: new URL('broken-targets.ts', import.meta.url).href, seed: 1, count: 2000 };

function brokenTarget(name: string) {
  return brokenTargets.find((target) => target.name === name)!;
}

function describeFinding({ kind, index, what }: Finding): string {
  return `${kind} at packet ${index}: ${what}`;
}
