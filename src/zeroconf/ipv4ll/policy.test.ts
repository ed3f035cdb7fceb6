import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isWanted, newPolicy, type PolicyState, policyStep } from './policy.ts';

const link = { kind: 'link', isUp: true, hasRoutable: false, hasForeign: false } as const;
const tick = { kind: 'tick' } as const;

function waited(): PolicyState {
  return policyStep(policyStep(newPolicy('fallback'), link, 0), tick, 5000);
}

test('an address is wanted five seconds after link-up when none has come by then, and not when one has', () => {
  const up = policyStep(newPolicy('fallback'), link, 0);
  assert.equal(up.dueMs, 5000);
  assert.equal(isWanted(policyStep(up, tick, 4999)), false);
  assert.equal(isWanted(policyStep(up, tick, 5000)), true);
  const served = policyStep(up, { ...link, hasRoutable: true }, 3000);
  assert.equal(isWanted(served), false);
  assert.equal(served.dueMs, undefined);
});

test('L10: when DHCP answers late, the link-local address stays for a minute, then goes (RFC 3927 §1.9)', () => {
  const routable = { ...link, hasRoutable: true };
  const lingering = policyStep(waited(), routable, 20_000);
  assert.equal(isWanted(lingering), true);
  assert.equal(isWanted(policyStep(policyStep(lingering, routable, 50_000), tick, 79_999)), true);
  assert.equal(isWanted(policyStep(lingering, tick, 80_000)), false);
});

test('L10: a lease that ends brings the link-local address back at once (RFC 3927 §1.9)', () => {
  const routable = { ...link, hasRoutable: true };
  const lingering = policyStep(waited(), routable, 20_000);
  const served = policyStep(lingering, tick, 80_000);
  for (const state of [lingering, served]) assert.equal(policyStep(state, link, 90_000).phase, 'claiming');
});

test('L7: a link that comes back goes on where it was: no waiting for DHCP where there was none', () => {
  const down = policyStep(waited(), { ...link, isUp: false }, 20_000);
  assert.equal(isWanted(down), false);
  assert.equal(
    policyStep(policyStep(down, { ...link, isUp: false }, 20_500), link, 21_000).phase,
    'claiming',
  );
  const served = policyStep(policyStep(newPolicy('fallback'), link, 0), { ...link, hasRoutable: true }, 1000);
  assert.equal(policyStep(policyStep(served, { ...link, isUp: false }, 2000), link, 3000).phase, 'waiting');
});

test('always and never mean what they say, and an address of somebody else’s making is left alone', () => {
  assert.equal(isWanted(policyStep(newPolicy('always'), { ...link, hasRoutable: true }, 0)), true);
  assert.equal(isWanted(policyStep(newPolicy('never'), link, 0)), false);
  for (const mode of ['always', 'fallback'] as const) {
    const state = policyStep(newPolicy(mode), { ...link, hasForeign: true }, 0);
    assert.equal(isWanted(policyStep(state, tick, 60_000)), false);
  }
});
