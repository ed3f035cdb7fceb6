import { countOf, printable } from '../../base/format.ts';
import { type DownloadEvent, getPath } from '../../files/download/download.ts';
import { formatRemotePath, parseRemotePath } from '../../files/remote-path.ts';
import { NodeLocalFiles } from '../../platform/node-local-files.ts';
import { usageError } from '../arguments.ts';
import type { Command } from '../command.ts';
import { Desktop, desktopPorts } from '../desktop.ts';
import { exitCodes } from '../exit-codes.ts';
import type { Output } from '../output.ts';
import { PoolSession } from '../pool-session.ts';
import { ProgressView } from '../progress-view.ts';
import { RemoteTree } from '../remote-tree.ts';
import { unlessAborted } from '../within.ts';

export const get: Command = {
  name: 'get',
  summary: 'fetch a file or folder',
  usage: '/REMOTE DEST',
  options: {
    box: { type: 'string', value: 'NAME', help: 'ask this box for the entries (default: any that answers)' },
  },
  notes: ['As with `cp -r`: into DEST when it is a folder, else as DEST. Files that are there are replaced.'],
  run: async (line, { output, homePath, signal }) => {
    const [text, destination, ...more] = line.positionals;
    if (text === undefined || destination === undefined || more.length > 0) {
      throw usageError('get takes what to fetch and where to', 'aether get --help');
    }
    const remote = parseRemotePath(text);
    const desktop = await Desktop.open(homePath);
    const session = await PoolSession.open(desktop, { wait: 'all', signal, box: line.text('box') });
    const progress = new ProgressView(output);
    try {
      const ports = {
        files: new NodeLocalFiles(),
        entropy: desktopPorts.entropy,
        chunks: session.replicator,
        tree: new RemoteTree(session),
      };
      const download = getPath(remote, destination, ports, (event) => report(event, progress, output));
      const result = await unlessAborted(download, signal);
      const summary = progress.finish();
      const { files, directories, links } = result;
      const fetched = `Fetched ${formatRemotePath(remote)} to ${printable(destination)}: ${summary}.`;
      const lines = [files + directories + links === 0 ? 'Nothing was fetched.' : fetched];
      if (result.failed > 0) {
        lines.push(`${countOf(result.failed, 'entry', 'entries')} could not be fetched, named above.`);
      }
      output.result(
        {
          result: 'fetched',
          remote: formatRemotePath(remote),
          destination,
          box: session.boxName,
          ...result,
        },
        lines,
      );
      return result.failed > 0 ? exitCodes.partly : exitCodes.done;
    } finally {
      progress.finish();
      await session.close();
    }
  },
};

function report(event: DownloadEvent, progress: ProgressView, output: Output): void {
  switch (event.kind) {
    case 'found':
      progress.update({ totalFiles: event.files, totalBytes: event.bytes });
      return;
    case 'written':
      progress.advance(event.bytes, 0);
      return;
    case 'fetched':
      progress.advance(0, 1);
      output.event({ fetched: event.path });
      return;
    case 'warning': {
      const { path, code, message } = event;
      output.event({ warning: code, path, message });
      if (!output.json) output.note(`not fetched: ${printable(path)}: ${message} (${code})`);
    }
  }
}
