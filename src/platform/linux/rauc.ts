import { AetherError, hasCode } from '../../base/errors.ts';
import { updateInstallTimeoutMs, updateProgressMs } from '../../base/face-limits.ts';
import type { BootSlots, BundleErrorCode, BundleFacts, SlotsState } from '../../ports/boot-slots.ts';
import { type Clock, sleep } from '../../ports/clock.ts';
import { readTextFile } from '../text-file.ts';
import { bootIdBytesMax, bootIdFile } from './kernel-start.ts';
import { runTool, type ToolAnswer } from './run-tool.ts';

const service = 'de.pengutronix.rauc';
const path = '/';
const installer = `${service}.Installer`;
/** A bundle that is streamed is looked into over the network. */
const answerTimeoutMs = 60_000;
/** What it is at when it is at nothing. */
const idle = 'idle';

type Plain = Readonly<Record<string, unknown>>;

/** A value of D-Bus as busctl(1) prints it: its type, and what it holds, variants again so. */
interface Typed {
  readonly type: string;
  readonly data: unknown;
}

/** RAUC, asked over D-Bus (its reference: rauc.readthedocs.io, D-Bus API) through busctl(1), which systemd brings. */
export class Rauc implements BootSlots {
  readonly #busctl: (words: readonly string[], timeoutMs: number) => Promise<ToolAnswer>;
  readonly #clock: Clock;

  /** `run` starts a tool, as `runTool` does. */
  constructor({ clock, run = runTool }: { readonly clock: Clock; readonly run?: typeof runTool }) {
    this.#clock = clock;
    this.#busctl = (words, timeoutMs) => run('busctl', words, timeoutMs);
  }

  async state(): Promise<SlotsState> {
    const [booted, compatible, operation] = await this.#properties('BootSlot', 'Compatible', 'Operation');
    const busy = operation !== idle;
    const bootId = (await readTextFile(bootIdFile, bootIdBytesMax)).trim();
    const known = { booted: String(booted), compatible: String(compatible), bootId, busy };
    // It answers nothing of this while it installs.
    if (busy) return { ...known, primary: null, startable: [], otherVersion: null };
    return { ...known, ...(await this.#slots(known.booted)) };
  }

  async inspect(source: string): Promise<BundleFacts> {
    const [facts] = await this.#call('InspectBundle', ['sa{sv}', source, '0'], bundleError);
    const { update, meta } = dictionary(facts);
    const { compatible, version } = dictionary(update);
    const format = Number(dictionary(dictionary(meta).aetherstore)['data-format']);
    return {
      compatible: String(compatible ?? ''),
      version: String(version ?? ''),
      dataFormat: Number.isInteger(format) ? format : undefined,
    };
  }

  async install(source: string, onProgress: (percent: number) => void): Promise<void> {
    await this.#call('InstallBundle', ['sa{sv}', source, '0'], installError);
    await this.watch(onProgress);
  }

  async watch(onProgress: (percent: number) => void): Promise<void> {
    let answeredMs = this.#clock.monotonicMs();
    for (;;) {
      try {
        const [operation, progress] = await this.#properties('Operation', 'Progress');
        if (operation === idle) break;
        onProgress(Array.isArray(progress) ? Number(progress[0]) : 0);
        answeredMs = this.#clock.monotonicMs();
      } catch (error) {
        // The installer goes on, whether it answers or not.
        const silentMs = this.#clock.monotonicMs() - answeredMs;
        if (!(error instanceof AetherError) || silentMs > updateInstallTimeoutMs) throw error;
      }
      await sleep(this.#clock, updateProgressMs);
    }
    const problem = String((await this.#properties('LastError'))[0]);
    if (problem !== '') throw installError(problem);
  }

  async markGood(): Promise<void> {
    await this.#call('Mark', ['ss', 'good', 'booted']);
  }

  async markOtherActive(): Promise<void> {
    await this.#call('Mark', ['ss', 'active', 'other']);
  }

  async markOtherBad(): Promise<void> {
    await this.#call('Mark', ['ss', 'bad', 'other']);
  }

  async #slots(booted: string): Promise<Pick<SlotsState, 'primary' | 'startable' | 'otherVersion'>> {
    const [[listed], primary] = await Promise.all([this.#call('GetSlotStatus', []), this.#primary()]);
    const slots = (Array.isArray(listed) ? listed : []).map((each): readonly [string, string, Plain] => {
      const [name, facts] = Array.isArray(each) ? each : [];
      const plain = dictionary(facts);
      return [String(name), String(plain.bootname ?? ''), plain];
    });
    const other = slots.find(([, bootname]) => bootname !== '' && bootname !== booted);
    const version = other?.[2]['bundle.version'];
    return {
      primary: slots.find(([name]) => name === primary)?.[1] ?? null,
      startable: slots.filter(([, , facts]) => facts['boot-status'] === 'good').map(([, name]) => name),
      otherVersion: typeof version === 'string' ? version : null,
    };
  }

  /** The installer's name of the system whose turn it is; undefined where the boot loader would start none. */
  async #primary(): Promise<unknown> {
    try {
      return (await this.#call('GetPrimary', []))[0];
    } catch (error) {
      // It found none that has tries left; anything else is no answer. (All its failures begin with "Failed getting primary slot".)
      if (hasCode(error, 'UPDATER_UNAVAILABLE') && /unable to find primary boot slot/i.test(error.help ?? ''))
        return undefined;
      throw error;
    }
  }

  /** By one program that is started: on a Pi that costs more than the answers. */
  async #properties(...names: readonly string[]): Promise<readonly unknown[]> {
    const words = ['--json=short', 'get-property', service, path, installer, ...names];
    const said = await this.#asked(words, unavailable);
    const answers = said.trim().split('\n');
    if (answers.length !== names.length) throw unavailable(said);
    return answers.map((answer) => (JSON.parse(answer) as Typed).data);
  }

  async #call(
    method: string,
    words: readonly string[],
    errorOf: (said: string) => AetherError = unavailable,
  ): Promise<readonly unknown[]> {
    const limit = `--timeout=${Math.ceil(answerTimeoutMs / 1000)}`;
    const call = ['--json=short', limit, 'call', service, path, installer, method, ...words];
    const answer = await this.#asked(call, errorOf);
    if (answer.trim() === '') return [];
    const { data } = JSON.parse(answer) as Typed;
    return Array.isArray(data) ? data : [data];
  }

  async #asked(words: readonly string[], errorOf: (said: string) => AetherError): Promise<string> {
    const { exitCode, stdout, stderr } = await this.#busctl(words, answerTimeoutMs);
    if (exitCode === 0) return stdout;
    throw isAway(stderr) ? unavailable(stderr) : errorOf(stderr);
  }
}

/** The bus, not the installer, speaks so. */
function isAway(said: string): boolean {
  return (
    said.trim() === '' ||
    /timed out|not provided by any|activate|connection (reset|closed)|to connect|bus connection|access denied/i.test(
      said,
    )
  );
}

function unavailable(said: string): AetherError<BundleErrorCode> {
  return new AetherError('UPDATER_UNAVAILABLE', 'the updater does not answer', { help: lastLine(said) });
}

/** What RAUC says when it is not satisfied with a bundle that it looks into (rauc 1.13, src/bundle.c). */
function bundleError(said: string): AetherError<BundleErrorCode> {
  if (isUntrusted(said)) return untrusted(said);
  if (/already processing/i.test(said)) return unavailable(said);
  return new AetherError('UPDATE_UNREADABLE', 'the file is no update, or not all of it', {
    help: lastLine(said),
  });
}

function installError(said: string): AetherError<BundleErrorCode | 'UPDATE_FAILED'> {
  if (isUntrusted(said)) return untrusted(said);
  const why = lastLine(said);
  return new AetherError('UPDATE_FAILED', `the update could not be installed: ${why}`);
}

/** These words are RAUC's and OpenSSL's own (rauc 1.13, src/signature.c). */
function isUntrusted(said: string): boolean {
  return /signature|certificate|verify error|not trusted|self.signed/i.test(said);
}

function untrusted(said: string): AetherError<BundleErrorCode> {
  return new AetherError('UPDATE_UNTRUSTED', 'the update is signed by nobody whose updates this box takes', {
    help: lastLine(said),
  });
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
function dictionary(value: unknown): Plain {
  const plain = isTyped(value) ? value.data : value;
  if (typeof plain !== 'object' || plain === null || Array.isArray(plain)) return {};
  return Object.fromEntries(
    Object.entries(plain).map(([name, each]) => [name, isTyped(each) ? each.data : each]),
  );
}

function isTyped(value: unknown): value is Typed {
  return typeof value === 'object' && value !== null && 'type' in value && 'data' in value;
}
