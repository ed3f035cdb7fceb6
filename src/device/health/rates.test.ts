import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { noRates, noteTotals, rateOf } from './rates.ts';

const windowMs = 1000;

function after(totals: readonly (readonly [number, number])[]): number {
  let rates = noRates(windowMs);
  for (const [atMs, total] of totals) rates = noteTotals(rates, new Map([['x', total]]), atMs);
  return rateOf(rates, 'x');
}

test('what was there at first does not count, what is added does, for as long as the window', () => {
  assert.equal(after([[0, 100]]), 0);
  assert.equal(
    after([
      [0, 100],
      [500, 103],
    ]),
    3,
  );
  assert.equal(
    after([
      [0, 100],
      [500, 103],
      [1400, 103],
    ]),
    3,
  );
  assert.equal(
    after([
      [0, 100],
      [500, 103],
      [1600, 103],
      [2700, 103],
    ]),
    0,
  );
});

test('a counter that began anew counts from there', () => {
  assert.equal(
    after([
      [0, 100],
      [100, 2],
      [200, 5],
    ]),
    3,
  );
});

test('what is not told any more is forgotten', () => {
  let rates = noteTotals(noRates(windowMs), new Map([['x', 1]]), 0);
  rates = noteTotals(rates, new Map(), 100);
  assert.equal(rateOf(rates, 'x'), 0);
  assert.equal(rates.samples.size, 0);
});

test('a rate is never negative, never more than was added, and what is kept is bounded by the window', () => {
  const steps = fc.array(fc.tuple(fc.integer({ min: 1, max: 400 }), fc.nat(5)), {
    minLength: 1,
    maxLength: 100,
  });
  fc.assert(
    fc.property(steps, (list) => {
      let rates = noRates(windowMs);
      let now = 0;
      let total = 0;
      const added: { atMs: number; count: number }[] = [];
      for (const [waitMs, count] of list) {
        now += waitMs;
        total += count;
        added.push({ atMs: now, count });
        rates = noteTotals(rates, new Map([['x', total]]), now);
        const rate = rateOf(rates, 'x');
        const all = added.slice(1).reduce((sum, each) => sum + each.count, 0);
        const recent = added.slice(1).filter(({ atMs }) => atMs > now - windowMs);
        assert.ok(rate >= recent.reduce((sum, each) => sum + each.count, 0) && rate <= all, `${rate}`);
        assert.ok(rates.samples.get('x')!.length <= recent.length + 3);
      }
    }),
  );
});
