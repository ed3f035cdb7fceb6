import { CborFields } from '../../base/cbor.ts';
import { printable } from '../../base/format.ts';
import { methods } from '../../pool/transfer/methods.ts';
import { usageError } from '../arguments.ts';
import type { Command } from '../command.ts';
import { Desktop } from '../desktop.ts';
import { exitCodes } from '../exit-codes.ts';
import { PoolSession } from '../pool-session.ts';

export const web: Command = {
  name: 'web',
  summary: 'where the page of a box is, and a code to log in there',
  usage: 'BOX',
  options: {},
  stopsUnread: true,
  run: async (line, { output, homePath, signal }) => {
    const [wanted, ...more] = line.positionals;
    if (wanted === undefined || more.length > 0) throw usageError('web takes one box', 'aether web --help');
    const desktop = await Desktop.open(homePath);
    const session = await PoolSession.open(desktop, { wait: 'one', box: wanted, signal });
    try {
      const connection = await session.connection(session.member(wanted).memberId);
      const fields = CborFields.decode(await connection.request(methods.loginCode, []));
      const port = fields.count('port');
      const host = connection.peer.remote.slice(0, connection.peer.remote.lastIndexOf(':'));
      const url = `https://${host}${port === 443 ? '' : `:${port}`}/`;
      const result = { url, code: fields.text('code'), certificate: fields.text('certificate') };
      output.result(result, [
        `Page: ${printable(result.url)}`,
        `Code: ${printable(result.code)}, good for ten minutes, once`,
        '',
        'The page has a certificate of its own, which your browser will warn of once. This is it:',
        `SHA-256 ${printable(result.certificate)}`,
      ]);
    } finally {
      await session.close();
    }
    return exitCodes.done;
  },
};
