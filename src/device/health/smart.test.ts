import assert from 'node:assert/strict';
import { test } from 'node:test';
import { smartFromJson } from './smart.ts';

function ata(attributes: readonly object[], passed = true): unknown {
  return {
    json_format_version: [1, 0],
    device: { name: '/dev/sda', type: 'sat', protocol: 'ATA' },
    smart_status: { passed },
    temperature: { current: 34 },
    power_on_time: { hours: 12_345 },
    ata_smart_attributes: { revision: 16, table: attributes },
  };
}

function attribute(id: number, name: string, value: number, whenFailed = ''): object {
  return {
    id,
    name,
    value: 100,
    worst: 100,
    thresh: 10,
    when_failed: whenFailed,
    raw: { value, string: String(value) },
  };
}

test('a healthy disk has nothing to say but how warm and how old it is', () => {
  const facts = smartFromJson(
    ata([attribute(5, 'Reallocated_Sector_Ct', 0), attribute(194, 'Temperature_Celsius', 34)]),
  );
  assert.deepEqual(facts, { passed: true, warnings: [], temperatureCelsius: 34, powerOnHours: 12_345 });
});

test('sectors that cannot be read are told from the first on, replaced ones when they are many', () => {
  const warnings = (...attributes: readonly object[]) => smartFromJson(ata(attributes))!.warnings;
  assert.deepEqual(warnings(attribute(5, 'Reallocated_Sector_Ct', 49)), []);
  assert.deepEqual(warnings(attribute(5, 'Reallocated_Sector_Ct', 50)), ['50 sectors that were replaced']);
  assert.deepEqual(warnings(attribute(197, 'Current_Pending_Sector', 1)), [
    '1 sector that cannot be read for now',
  ]);
  assert.deepEqual(warnings(attribute(198, 'Offline_Uncorrectable', 8)), ['8 sectors that cannot be read']);
  assert.deepEqual(warnings(attribute(187, 'Reported_Uncorrect', 2)), [
    '2 reads that could not be corrected',
  ]);
});

test('an attribute below its limit now is told by its name', () => {
  const facts = smartFromJson(ata([attribute(10, 'Spin_Retry_Count', 7, 'now')], false));
  assert.equal(facts!.passed, false);
  assert.deepEqual(facts!.warnings, ['its Spin_Retry_Count is below its limit']);
});

test('an NVMe disk speaks in bits and percents', () => {
  const nvme = (log: object) =>
    smartFromJson({ smart_status: { passed: true }, nvme_smart_health_information_log: log })!.warnings;
  assert.deepEqual(nvme({ critical_warning: 0, percentage_used: 89, media_errors: 0 }), []);
  assert.deepEqual(nvme({ critical_warning: 0b1001, percentage_used: 97, media_errors: 1 }), [
    'its spare blocks run out',
    'it only lets itself be read',
    '97% of its life are used',
    '1 error that could not be corrected',
  ]);
});

test('who says nothing of its health has none to tell: USB bridges, cards, virtual disks, garbage', () => {
  const silent = {
    json_format_version: [1, 0],
    smartctl: { exit_status: 1, messages: [{ string: 'Unknown USB bridge' }] },
  };
  for (const value of [
    silent,
    undefined,
    null,
    7,
    'x',
    [],
    {},
    { smart_status: 1 },
    { smart_status: { passed: 'yes' } },
  ]) {
    assert.equal(smartFromJson(value), null);
  }
  const odd = {
    smart_status: { passed: true },
    ata_smart_attributes: { table: [null, 3, { id: 'x' }, { id: 5, raw: { value: -1 } }] },
  };
  assert.deepEqual(smartFromJson(odd), {
    passed: true,
    warnings: [],
    temperatureCelsius: null,
    powerOnHours: null,
  });
});
