import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mqttBrokersFoundMax } from '../../base/face-limits.ts';
import { currentOffer, foundBrokers, type OfferedBroker } from './found-brokers.ts';

const broker = (instance: string, changes: Partial<OfferedBroker> = {}): OfferedBroker => ({
  instance,
  host: 'ha.local',
  port: 1883,
  addresses: ['192.0.2.7'],
  ...changes,
});

test('found brokers are listed by name, the approved one first, whether it is there or not', () => {
  const offered = [broker('b'), broker('a')];
  const shown = (approved: OfferedBroker | null) =>
    foundBrokers(offered, approved).map((one) => [one.instance, one.approved, one.present]);
  assert.deepEqual(shown(null), [
    ['a', false, true],
    ['b', false, true],
  ]);
  assert.deepEqual(shown(broker('b')), [
    ['b', true, true],
    ['a', false, true],
  ]);
  assert.equal(shown(broker('gone'))[0]?.join(' '), 'gone true false');
});

test('the approved broker is dialled where it is now, and where it was when it is not announced', () => {
  const approved = broker('a');
  const moved = broker('a', { host: 'HA.local', addresses: ['192.0.2.99'] });
  assert.deepEqual(currentOffer([moved], approved).addresses, ['192.0.2.99']);
  assert.deepEqual(currentOffer([], approved), approved);
});

test('another host that takes the approved name is not the approved broker', () => {
  const approved = broker('a');
  const impostor = broker('a', { host: 'evil.local', addresses: ['192.0.2.66'] });
  assert.deepEqual(currentOffer([impostor], approved), approved);
  assert.deepEqual(
    foundBrokers([impostor], approved).map(({ host, approved: is }) => [host, is]),
    [
      ['ha.local', true],
      ['evil.local', false],
    ],
  );
});

test('a flood of announcements does not make the list long', () => {
  const many = Array.from({ length: 500 }, (_, index) => broker(`b${index}`));
  assert.equal(foundBrokers(many, broker('zz')).length, mqttBrokersFoundMax);
  assert.equal(foundBrokers(many, broker('zz'))[0]?.instance, 'zz');
});
