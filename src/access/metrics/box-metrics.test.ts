import assert from 'node:assert/strict';
import { test } from 'node:test';
import { prometheusText } from '../../platform/prometheus.ts';
import { foldStatus } from '../../status/appliance-status.ts';
import { unknownHardware } from '../../status/facts.ts';
import { healthyFacts, unclaimedFacts, volumeFacts } from '../../testing/appliance-facts.ts';
import { metricsOf } from './box-metrics.ts';

test('names, units and kinds follow the conventions of Prometheus', () => {
  for (const { name, help, kind, samples } of metricsOf(foldStatus(healthyFacts))) {
    assert.match(name, /^aetherstore_[a-z][a-z_]*[a-z]$/);
    assert.equal(name.endsWith('_total'), kind === 'counter', name);
    assert.doesNotMatch(name, /_(ms|kb|gib|percent)\b/);
    assert.match(help, /^[A-Z].*\.$/);
    assert.ok(samples.length > 0 && samples.every(({ value }) => Number.isFinite(value)), name);
  }
});

test('what is not known is no figure', () => {
  const names = metricsOf(foldStatus({ ...healthyFacts, hardware: unknownHardware })).map(({ name }) => name);
  assert.ok(!names.some((name) => /temperature_celsius$|memory|load/.test(name) && !/disk/.test(name)));
  const unclaimed = metricsOf(foldStatus(unclaimedFacts)).map(({ name }) => name);
  assert.ok(!unclaimed.some((name) => name.startsWith('aetherstore_pool')));
});

test('the text is what Prometheus reads, names of disks escaped', async () => {
  const volumes = [volumeFacts('photos "2026"\\old')];
  const text = await prometheusText.render(metricsOf(foldStatus({ ...healthyFacts, volumes })));
  assert.match(text, /^# HELP aetherstore_volume_used_bytes What chunks take\.$/m);
  assert.match(text, /^# TYPE aetherstore_packets_refused_total counter$/m);
  assert.match(text, /^aetherstore_volume_up\{volume="photos \\"2026\\"\\\\old"\} 1$/m);
  assert.match(text, /^aetherstore_health\{severity="ok"\} 1$/m);
  assert.match(text, /^aetherstore_uptime_seconds 11520$/m);
});
