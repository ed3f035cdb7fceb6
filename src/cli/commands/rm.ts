import { countOf } from '../../base/format.ts';
import { formatRemotePath, parseRemotePath } from '../../files/remote-path.ts';
import { usageError } from '../arguments.ts';
import type { Command } from '../command.ts';
import { Desktop } from '../desktop.ts';
import { exitCodes } from '../exit-codes.ts';
import { PoolSession } from '../pool-session.ts';
import { RemoteTree } from '../remote-tree.ts';

export const rm: Command = {
  name: 'rm',
  summary: 'remove files or folders from the pool',
  usage: '/REMOTE… [--recursive]',
  options: {
    recursive: { type: 'boolean', short: 'r', help: 'folders with everything in them' },
    box: { type: 'string', value: 'NAME', help: 'ask this box' },
  },
  run: async (line, { output, homePath, signal }) => {
    if (line.positionals.length === 0) throw usageError('rm takes at least one path', 'aether rm --help');
    const paths = line.positionals.map(parseRemotePath);
    if (paths.some((path) => path.length === 0)) throw usageError('the root stays', 'aether rm --help');
    const desktop = await Desktop.open(homePath);
    const session = await PoolSession.open(desktop, { wait: 'one', signal, box: line.text('box') });
    try {
      const recursive = line.flag('recursive');
      const changes = paths.map((path) => ({ op: 'remove' as const, path, recursive }));
      const { copies } = await new RemoteTree(session).commit(changes);
      output.result({ removed: paths.map(formatRemotePath), copies, box: session.boxName }, [
        `Removed ${countOf(paths.length, 'entry', 'entries')}.`,
      ]);
      return exitCodes.done;
    } finally {
      await session.close();
    }
  },
};
