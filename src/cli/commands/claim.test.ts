import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { AetherError } from '../../base/errors.ts';
import { startListeningBox } from '../../testing/listening-box.ts';
import { parseCommandLine } from '../arguments.ts';
import { exitCodes } from '../exit-codes.ts';
import { Output } from '../output.ts';
import { claim } from './claim.ts';

test('a box that has joined is claimed, though the others cannot be told of it', async (t) => {
  const homePath = mkdtempSync(join(tmpdir(), 'aether-claim-'));
  const said = { out: '' };
  const output = new Output(
    {
      out: async (text) => {
        said.out += text;
        return true;
      },
      error: async () => true,
      outColumns: undefined,
      errorColumns: undefined,
      ask: async () => undefined,
    },
    false,
  );
  const claimBox = async (name: string, signal: AbortSignal) => {
    const { box, address, code = '' } = await startListeningBox(name);
    t.after(() => box.close());
    const line = parseCommandLine([address, '--code', code], claim.options, 'aether claim --help');
    said.out = '';
    return claim.run(line, { output, homePath, desktopName: 'desktop', cores: 1, signal });
  };
  t.after(() => rmSync(homePath, { recursive: true }));
  assert.equal(await claimBox('first', new AbortController().signal), exitCodes.done);
  // A box is reached by its address without looking at the signal; the others are not.
  const interrupted = AbortSignal.abort(new AetherError('INTERRUPTED', 'interrupted'));
  assert.equal(await claimBox('second', interrupted), exitCodes.done);
  assert.match(said.out, /^second has joined the pool\.\n[\s\S]*No other box answers now/);
});
