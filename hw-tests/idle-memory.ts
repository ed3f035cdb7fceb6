import assert from 'node:assert/strict';
import type { Scene } from './scene.ts';

export const memoryMiBMax = 250;

/** What all of the box uses of its memory now; rejects when that is more than it may. */
export async function idleMemory({ target: { root } }: Scene): Promise<string> {
  const meminfo = await root.run('cat /proc/meminfo');
  const of = (field: string) => Number(new RegExp(`^${field}: +(\\d+)`, 'm').exec(meminfo)?.[1]) / 1024;
  const used = of('MemTotal') - of('MemAvailable');
  const unit = await root.run('systemctl show --property MemoryCurrent --value aetherstore.service');
  const service = Number(unit) / 1024 ** 2;
  assert.ok(used <= memoryMiBMax, `${used.toFixed(0)} MiB`);
  return `${used.toFixed(0)} MiB of ${of('MemTotal').toFixed(0)}, the service with its cache ${service.toFixed(0)} MiB`;
}
