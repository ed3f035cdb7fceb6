import { basename, dirname, resolve } from 'node:path';
import { CborFields, encodeCbor } from '../../base/cbor.ts';
import { AetherError, hasCode } from '../../base/errors.ts';
import { gateCrashFreeMs, gatePatienceMs, updateInstallTimeoutMs } from '../../base/face-limits.ts';
import { printable } from '../../base/format.ts';
import { NodeDisk } from '../../platform/node-disk.ts';
import type { Member } from '../../pool/membership/member-set.ts';
import { methods } from '../../pool/transfer/methods.ts';
import { sleep } from '../../ports/clock.ts';
import type { DiskFile } from '../../ports/disk.ts';
import type { ApplianceStatus } from '../../status/appliance-status.ts';
import { type CommandLine, usageError } from '../arguments.ts';
import { askStatus } from '../ask-status.ts';
import { bundleBytes, bundleParts } from '../bundle-parts.ts';
import type { Command } from '../command.ts';
import { Desktop, desktopPorts } from '../desktop.ts';
import { exitCodes } from '../exit-codes.ts';
import type { Output } from '../output.ts';
import { PoolSession } from '../pool-session.ts';
import { ProgressView } from '../progress-view.ts';
import { refusedForNow, startWatch, stepWatch, type UpdateWatch } from '../update-watch.ts';

/** How often the box is asked how far it is. */
const lookMs = 1000;
/** Verifying a bundle reads little of it, on a slow card and a busy box. */
const stageTimeoutMs = 90_000;

export const update: Command = {
  name: 'update',
  summary: 'install a new version of the system on a box',
  usage: 'BOX [FILE]',
  options: {
    at: { type: 'string', value: 'HH:MM', help: 'install it at this hour of the day, by the clock here' },
    later: {
      type: 'boolean',
      help: 'only send it: a person installs it on the page, the console or by aether update BOX',
    },
    older: { type: 'boolean', help: 'go back to a version before the one that runs' },
  },
  notes: [
    'FILE is a bundle, aetherstore-VERSION.raucb; without it, the update that waits on the box is installed.',
    'The box checks who signed it, installs it beside the system that runs, starts into it, and comes back',
    'to the old one when the new one does not work.',
  ],
  run: async (line, { output, homePath, signal }) => {
    const [wanted, file, ...more] = line.positionals;
    if (wanted === undefined || more.length > 0)
      throw usageError('update takes one box and one file', 'aether update --help');
    const atMs = hourOf(line);
    checkOptions(line, file);
    const desktop = await Desktop.open(homePath);
    const session = await PoolSession.open(desktop, { wait: 'one', box: wanted, signal });
    try {
      const box = new RemoteBox(session, session.member(wanted), output, signal);
      if (file !== undefined) {
        const version = await box.send(file, { older: line.flag('older'), atMs });
        if (line.flag('later') || atMs !== undefined) {
          const when = atMs === undefined ? '' : ` It is installed at ${line.text('at')}.`;
          output.result({ staged: version }, [
            `Version ${printable(version)} is ready on ${printable(wanted)}.${when}`,
          ]);
          return exitCodes.done;
        }
      }
      return (await box.install()) ? exitCodes.done : exitCodes.failed;
    } finally {
      await session.close();
    }
  },
};

/** What would not be heeded is refused: a person who names an hour does not expect it to begin now. */
function checkOptions(line: CommandLine, file: string | undefined): void {
  const [hasHour, later] = [line.text('at') !== undefined, line.flag('later')];
  if (file === undefined && (hasHour || later || line.flag('older')))
    throw usageError('--at, --later and --older are said of a FILE that is sent', 'aether update --help');
  if (hasHour && later)
    throw usageError('--at installs it at an hour, --later never: give one of them', 'aether update --help');
}

/** The next time that it is so late here, in milliseconds since 1970. */
function hourOf(line: CommandLine): number | undefined {
  const text = line.text('at');
  if (text === undefined) return undefined;
  const match = /^([01]?\d|2[0-3]):([0-5]\d)$/.exec(text);
  if (match === null) throw usageError(`--at ${text}: an hour as 03:30 was expected`, 'aether update --help');
  const nowMs = desktopPorts.clock.wallMs();
  const at = new Date(nowMs);
  at.setHours(Number(match[1]), Number(match[2]), 0, 0);
  if (at.getTime() <= nowMs) at.setDate(at.getDate() + 1);
  return at.getTime();
}

interface SendOptions {
  readonly older: boolean;
  readonly atMs: number | undefined;
}

/** One box, as somebody sees it who updates it. */
class RemoteBox {
  readonly #session: PoolSession;
  readonly #member: Member;
  readonly #output: Output;
  readonly #signal: AbortSignal;
  #said = '';

  constructor(session: PoolSession, member: Member, output: Output, signal: AbortSignal) {
    this.#session = session;
    this.#member = member;
    this.#output = output;
    this.#signal = signal;
  }

  /** Sends a bundle, which the box checks; returns its version. */
  async send(path: string, { older, atMs }: SendOptions): Promise<string> {
    const whole = resolve(path);
    const file = await new NodeDisk(dirname(whole)).open(basename(whole), 'read');
    try {
      await this.#sendParts(file);
    } finally {
      await file.close();
    }
    const request = encodeCbor({ older, ...(atMs === undefined ? {} : { atMs }) });
    return (await this.#ask(methods.updateStage, request, stageTimeoutMs)).text('version');
  }

  /** Installs what waits, and stays until the box runs it or has come back from it. */
  async install(): Promise<boolean> {
    await this.#begin();
    const { version, after } = await this.#watch();
    const { update: left, box } = after;
    if (left.state === 'none') {
      this.#output.result({ version: box.version }, [
        `${printable(this.#member.name)} runs version ${printable(box.version)}.`,
      ]);
      return true;
    }
    throw new AetherError(
      left.state === 'rolled-back' ? 'UPDATE_ROLLED_BACK' : 'UPDATE_FAILED',
      left.state === 'rolled-back'
        ? `version ${printable(version)} did not work, the version before runs again`
        : `version ${printable(version)} was not installed`,
      { help: left.reason === null ? '' : `The box says: ${left.reason}.` },
    );
  }

  /** A box that has just started has no installer yet; it, or a new one, has not shown that there is something to come back to. */
  async #begin(): Promise<void> {
    const { clock } = desktopPorts;
    const deadlineMs = clock.monotonicMs() + 2 * gateCrashFreeMs;
    const name = printable(this.#member.name);
    for (;;) {
      try {
        await this.#ask(methods.updateInstall, encodeCbor({}), stageTimeoutMs);
        return;
      } catch (error) {
        if (hasCode(error, 'UPDATE_NOT_STAGED')) throw nothingWaits();
        const said = refusedForNow(error, name);
        if (said === undefined || clock.monotonicMs() > deadlineMs) throw error;
        this.#say(said);
      }
      await sleep(clock, lookMs, this.#signal);
    }
  }

  async #sendParts(file: DiskFile): Promise<void> {
    const totalBytes = await bundleBytes(file);
    const progress = new ProgressView(this.#output);
    progress.update({ totalBytes, totalFiles: 1, totalsKnown: true });
    try {
      for await (const { offset, bytes } of bundleParts(file, totalBytes)) {
        this.#signal.throwIfAborted();
        await this.#ask(methods.updatePut, encodeCbor({ offset, totalBytes, bytes }), stageTimeoutMs);
        progress.advance(bytes.length, 0);
      }
    } finally {
      progress.finish();
    }
  }

  /** From the beginning of an installation until the update has ended one way or the other. */
  async #watch(): Promise<{ readonly version: string; readonly after: ApplianceStatus }> {
    const { clock } = desktopPorts;
    const deadlineMs = clock.monotonicMs() + updateInstallTimeoutMs + gatePatienceMs;
    let watch: UpdateWatch | undefined;
    for (; clock.monotonicMs() < deadlineMs; await sleep(clock, lookMs, this.#signal)) {
      const now = await this.#status();
      watch ??= now && startWatch(this.#member.name, now);
      if (watch === undefined) continue;
      const step = stepWatch(watch, now);
      watch = step.watch;
      if (step.said !== undefined) this.#say(step.said);
      if (step.ended && now !== undefined) return { version: watch.version, after: now };
    }
    throw new AetherError('UPDATE_FAILED', 'the box did not come back in time', {
      help: 'Look at its lights and its serial console.',
    });
  }

  /** A line each time that something else is to be said. */
  #say(text: string): void {
    if (text !== this.#said) this.#output.progress(text);
    this.#said = text;
  }

  async #status(): Promise<ApplianceStatus | undefined> {
    try {
      const connection = await this.#session.connection(this.#member.memberId);
      return await askStatus(connection, 5000);
    } catch (error) {
      // A box that starts again does not answer; one that this program cannot read never will.
      if (!(error instanceof AetherError) || hasCode(error, 'STATUS_UNREADABLE')) throw error;
      return undefined;
    }
  }

  async #ask(method: number, request: Uint8Array, timeoutMs: number): Promise<CborFields> {
    const connection = await this.#session.connection(this.#member.memberId);
    return CborFields.decode(await connection.request(method, [request], { timeoutMs }));
  }
}

function nothingWaits(): AetherError<'UPDATE_NOT_STAGED'> {
  return new AetherError('UPDATE_NOT_STAGED', 'no update waits on this box', {
    help: 'Give the file of one: aether update BOX FILE.',
  });
}
