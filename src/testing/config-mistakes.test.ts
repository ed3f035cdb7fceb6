import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defaultBoxConfig } from '../box-config.ts';
import { readConfig, readConfigAnyhow } from '../box-settings.ts';
import { replaceFile } from '../ports/replace-file.ts';
import { MemoryDisk } from './memory-disk.ts';
import { SeededEntropy } from './seeded-entropy.ts';

test('a mistake in box.json stops a box, and is told in safe mode, which goes on without it', async () => {
  const disk = new MemoryDisk({ entropy: new SeededEntropy(1) });
  assert.deepEqual(await readConfigAnyhow(disk), { config: defaultBoxConfig, mistake: undefined });
  await replaceFile(disk, 'box.json', new TextEncoder().encode('{ "nmae": "attic" }'));
  await assert.rejects(readConfig(disk), { code: 'CONFIG_UNKNOWN_KEY' });
  const { config, mistake } = await readConfigAnyhow(disk);
  assert.deepEqual(config, defaultBoxConfig);
  assert.match(mistake ?? '', /unknown key "?nmae/);
});
