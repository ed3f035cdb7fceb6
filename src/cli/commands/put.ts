import { AetherError } from '../../base/errors.ts';
import { countOf, printable } from '../../base/format.ts';
import { formatRemotePath, parseRemotePath, type RemotePath } from '../../files/remote-path.ts';
import { putPaths, type UploadEvent, type UploadResult } from '../../files/upload/upload.ts';
import { NodeLocalFiles } from '../../platform/node-local-files.ts';
import { NodeTaskPool } from '../../platform/node-task-pool.ts';
import { chunkKeySecretOf, gearTableOf, type PoolSecrets } from '../../pool/authority.ts';
import { usageError } from '../arguments.ts';
import type { Command } from '../command.ts';
import { Desktop, desktopPorts, desktopSuite } from '../desktop.ts';
import { exitCodes } from '../exit-codes.ts';
import type { Output } from '../output.ts';
import { PoolSession } from '../pool-session.ts';
import { ProgressView } from '../progress-view.ts';
import { RemoteTree } from '../remote-tree.ts';
import { unlessAborted } from '../within.ts';

/** Threads that cut and seal: one for each core of a small machine, and no more than keep a fast link busy. */
const sealersMax = 4;

export const put: Command = {
  name: 'put',
  summary: 'store files and folders',
  usage: 'PATH… [/REMOTE]',
  options: {
    to: {
      type: 'string',
      value: '/REMOTE',
      help: 'the folder to store in; every argument is a PATH then',
    },
    box: {
      type: 'string',
      value: 'NAME',
      help: 'let this box write the entries down (default: any that answers)',
    },
  },
  notes: [
    'Each PATH is stored under its own name in the folder /REMOTE (default: /), which is made when missing.',
    'With more than one argument, a last one that begins with / is /REMOTE. Where this computer has such a path',
    'as well, say which you mean: --to /REMOTE, or --to / when it is to be stored itself.',
  ],
  run: async (line, { output, homePath, signal, cores }) => {
    const files = new NodeLocalFiles();
    const { sources, remote } = await splitArguments(line.positionals, line.text('to'), (path) =>
      files.stat(path).then(
        () => true,
        () => false,
      ),
    );
    const desktop = await Desktop.open(homePath);
    const sealers = new NodeTaskPool({
      program: new URL('../../seal-worker.ts', import.meta.url),
      size: Math.min(cores, sealersMax),
      setup: sealSecretsOf(desktop.requirePool().secrets),
    });
    // While the boxes are looked for.
    sealers.warmUp();
    const progress = new ProgressView(output);
    let session: PoolSession | undefined;
    try {
      session = await PoolSession.open(desktop, { wait: 'all', signal, box: line.text('box') });
      const upload = putPaths(
        sources,
        remote,
        {
          files,
          sealers,
          chunks: session.replicator,
          tree: new RemoteTree(session),
          clock: desktopPorts.clock,
        },
        (event) => report(event, progress, output),
      );
      const result = await unlessAborted(upload, signal);
      const summary = progress.finish();
      const remotePath = formatRemotePath(remote);
      output.result(
        { result: 'stored', remote: remotePath, box: session.boxName, ...result },
        resultLines(summary, remotePath, result),
      );
      warnOfOneCopy(result, session, output);
      return result.skipped > 0 ? exitCodes.partly : exitCodes.done;
    } finally {
      progress.finish();
      await sealers.close();
      await session?.close();
    }
  },
};

/**
 * What is to be stored, and where: in `to` if it is given; else a last argument of several that begins with `/` is
 * the remote folder. `USAGE` where that names something of this computer too, so that a list of paths to be stored
 * is not taken for one.
 */
export async function splitArguments(
  positionals: readonly string[],
  to: string | undefined,
  isLocal: (path: string) => Promise<boolean>,
): Promise<{ readonly sources: readonly string[]; readonly remote: RemotePath }> {
  const last = positionals.at(-1);
  if (last === undefined) throw usageError('put takes at least one path', 'aether put --help');
  if (to !== undefined) return { sources: positionals, remote: parseRemotePath(to) };
  if (positionals.length === 1 || !last.startsWith('/')) return { sources: positionals, remote: [] };
  const remote = parseRemotePath(last);
  // A computer's root is there always, and has no name to be stored under.
  if (remote.length > 0 && (await isLocal(last))) throw ambiguous(last);
  return { sources: positionals.slice(0, -1), remote };
}

function ambiguous(path: string): AetherError<'USAGE'> {
  const shown = printable(path);
  return new AetherError('USAGE', `${shown} is on this computer too: is it to be stored, or stored in?`, {
    help: `To store in the pool's folder ${shown}, write --to ${shown} in its place; to store it as well, add --to /.`,
  });
}

/** What a sealing thread is given. */
function sealSecretsOf(secrets: PoolSecrets) {
  return {
    chunkKeySecret: chunkKeySecretOf(secrets),
    gearTable: gearTableOf(secrets),
    suite: desktopSuite(),
  };
}

function report(event: UploadEvent, progress: ProgressView, output: Output): void {
  switch (event.kind) {
    case 'found':
      progress.update({ totalFiles: event.files, totalBytes: event.bytes });
      return;
    case 'walked':
      progress.update({ totalsKnown: true });
      return;
    case 'stored':
      progress.advance(event.bytes, 0);
      return;
    case 'acknowledged':
      if (event.file) progress.advance(0, 1);
      output.event({ acknowledged: event.path });
      return;
    case 'warning': {
      const { path, code, message, skipped } = event;
      output.event({ warning: code, path, message, skipped });
      if (!output.json) {
        output.note(`${skipped ? 'left out' : 'warning'}: ${printable(path)}: ${message} (${code})`);
      }
    }
  }
}

function resultLines(summary: string, remote: string, result: UploadResult): readonly string[] {
  const copies = result.copies === 0 ? '' : `, ${countOf(result.copies, 'copy', 'copies')}`;
  const stored = result.files + result.directories + result.links;
  const lines = [stored === 0 ? 'Nothing was stored.' : `Stored in ${remote}: ${summary}${copies}.`];
  if (result.skipped > 0) lines.push(`${countOf(result.skipped, 'entry', 'entries')} left out, named above.`);
  return lines;
}

function warnOfOneCopy(result: UploadResult, session: PoolSession, output: Output): void {
  if (result.copies !== 1) return;
  const boxes = session.pool.roster.boxes().length;
  output.note(
    boxes === 1
      ? 'Only one box has it. To have it kept twice, claim another box and put it again.'
      : 'Only one box has all of it: the others do not answer. When they do, put it again.',
  );
}
