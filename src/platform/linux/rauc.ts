import { AetherError } from '../../base/errors.ts';
import { updateInstallTimeoutMs, updateProgressMs } from '../../base/face-limits.ts';
import type { BootSlots, BundleErrorCode, BundleFacts, SlotsState } from '../../ports/boot-slots.ts';
import { readTextFile } from '../text-file.ts';
import { runTool } from './run-tool.ts';

const service = 'de.pengutronix.rauc';
const path = '/';
const installer = `${service}.Installer`;
/** A bundle that is streamed is looked into over the network. */
const inspectTimeoutMs = 60_000;
const bootIdFile = '/proc/sys/kernel/random/boot_id';

/** A value of D-Bus as busctl(1) prints it: its type, and what it holds, variants again so. */
interface Typed {
  readonly type: string;
  readonly data: unknown;
}

/** RAUC, asked over D-Bus (its reference: rauc.readthedocs.io, D-Bus API) through busctl(1), which systemd brings. */
export const rauc: BootSlots = {
  async state(): Promise<SlotsState> {
    const [booted, compatible] = await Promise.all([property('BootSlot'), property('Compatible')]);
    const bootId = (await readTextFile(bootIdFile, 100)).trim();
    return { booted: String(booted), compatible: String(compatible), bootId };
  },

  async inspect(source): Promise<BundleFacts> {
    const [facts] = await call('InspectBundle', ['sa{sv}', source, '0'], inspectTimeoutMs);
    const { update, meta } = dictionary(facts);
    const { compatible, version } = dictionary(update);
    const format = Number(dictionary(dictionary(meta).aetherstore)['data-format']);
    return {
      compatible: String(compatible ?? ''),
      version: String(version ?? ''),
      dataFormat: Number.isInteger(format) ? format : undefined,
    };
  },

  async install(source, onProgress) {
    await call('InstallBundle', ['sa{sv}', source, '0'], inspectTimeoutMs);
    const deadlineMs = performance.now() + updateInstallTimeoutMs;
    for (;;) {
      const [operation, progress] = await Promise.all([property('Operation'), property('Progress')]);
      if (operation === 'idle') break;
      if (performance.now() > deadlineMs) throw failed('it took too long');
      onProgress(Array.isArray(progress) ? Number(progress[0]) : 0);
      await new Promise((resolve) => setTimeout(resolve, updateProgressMs));
    }
    const problem = String(await property('LastError'));
    if (problem !== '') throw errorOf(problem) ?? failed(problem);
  },

  async markGood() {
    await call('Mark', ['ss', 'good', 'booted'], inspectTimeoutMs);
  },
};

async function property(name: string): Promise<unknown> {
  const words = ['--json=short', 'get-property', service, path, installer, name];
  return (JSON.parse(await busctl(words, inspectTimeoutMs)) as Typed).data;
}

async function call(
  method: string,
  words: readonly string[],
  timeoutMs: number,
): Promise<readonly unknown[]> {
  const limit = `--timeout=${Math.ceil(timeoutMs / 1000)}`;
  const answer = await busctl(
    ['--json=short', limit, 'call', service, path, installer, method, ...words],
    timeoutMs,
  );
  if (answer.trim() === '') return [];
  const { data } = JSON.parse(answer) as Typed;
  return Array.isArray(data) ? data : [data];
}

async function busctl(words: readonly string[], timeoutMs: number): Promise<string> {
  const { exitCode, stdout, stderr } = await runTool('busctl', words, timeoutMs);
  if (exitCode === 0) return stdout;
  throw (
    errorOf(stderr) ??
    new AetherError<BundleErrorCode>('UPDATER_UNAVAILABLE', 'the updater does not answer', {
      help: lastLine(stderr),
    })
  );
}

/** What RAUC says when it is not satisfied with a bundle; these words are its own (rauc 1.13, src/bundle.c). */
function errorOf(said: string): AetherError<BundleErrorCode> | undefined {
  if (/signature|certificate|verif|trust|CMS|self.signed/i.test(said)) {
    return new AetherError(
      'UPDATE_UNTRUSTED',
      'the update is signed by nobody whose updates this box takes',
      {
        help: lastLine(said),
      },
    );
  }
  if (/bundle|squashfs|manifest|open|read|format|size/i.test(said)) {
    return new AetherError('UPDATE_UNREADABLE', 'the file is no update, or not all of it', {
      help: lastLine(said),
    });
  }
  return undefined;
}

function failed(why: string): AetherError<'UPDATE_FAILED'> {
  return new AetherError('UPDATE_FAILED', 'the update could not be installed', { help: lastLine(why) });
}

function lastLine(text: string): string {
  return (
    text
      .trim()
      .split('\n')
      .at(-1)
      ?.replace(/^Call failed: /, '') ?? ''
  );
}

/** A dictionary of variants as plain values; empty for anything else. */
function dictionary(value: unknown): Readonly<Record<string, unknown>> {
  const plain = isTyped(value) ? value.data : value;
  if (typeof plain !== 'object' || plain === null || Array.isArray(plain)) return {};
  return Object.fromEntries(
    Object.entries(plain).map(([name, each]) => [name, isTyped(each) ? each.data : each]),
  );
}

function isTyped(value: unknown): value is Typed {
  return typeof value === 'object' && value !== null && 'type' in value && 'data' in value;
}
