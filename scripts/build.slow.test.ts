import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { get } from 'node:https';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { bundle } from './build.ts';
import { Aether, BoxProcess, logFileOf, repositoryRoot } from './lan/box-process.ts';
import { thisMachine } from './lan/processes.ts';
import { temporaryFolder } from './lan/temporary-folder.ts';

test('what the bundled box loads only when it is wanted is there then', async (t) => {
  const folder = temporaryFolder('bundle');
  // Beside the packages with native parts.
  const programs = join(repositoryRoot, 'dist', 'test');
  await bundle(programs);
  t.after(() => rmSync(programs, { recursive: true }));
  mkdirSync(join(folder, 'box'));
  const config = { mqtt: { url: 'mqtt://127.0.0.1:1' }, serial: ['/dev/tty-that-is-not-there'] };
  writeFileSync(join(folder, 'box', 'box.json'), JSON.stringify(config));
  const options = {
    name: 'bundled',
    folder: join(folder, 'box'),
    listen: '127.0.0.1:0',
    words: ['--web', '0'],
  };
  const box = await BoxProcess.start({ ...options, program: join(programs, 'box.mjs') }, thisMachine);
  t.after(() => box.stop());
  const aether = new Aether(thisMachine, join(folder, 'desktop'));
  await aether.run(['claim', `127.0.0.1:${box.ready.port}`, '--code', box.ready.claimCode!]);
  const [{ token }] = (await aether.json(['metrics'])) as [{ token: string }];
  const [web] = await aether.json(['web', 'bundled']);
  const text = await read(`${web!.url}metrics`, { authorization: `Bearer ${token}` });
  assert.match(text, /^aetherstore_pool_boxes 1$/m);
  await delay(500);
  const log = readFileSync(logFileOf(join(folder, 'box')), 'utf8');
  assert.match(log, /no connection to the MQTT broker code=BROKER_UNREACHABLE/);
  assert.match(log, /no console on the serial line .*SERIAL_UNAVAILABLE/);
});

/** The page has a certificate of its own. */
function read(url: string, headers: Readonly<Record<string, string>>): Promise<string> {
  return new Promise((resolve, reject) => {
    get(url, { headers, rejectUnauthorized: false }, (answer) => {
      let text = '';
      answer.setEncoding('utf8').on('data', (piece: string) => {
        text += piece;
      });
      answer.on('end', () => resolve(text));
    }).on('error', reject);
  });
}
