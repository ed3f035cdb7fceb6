// npm run flash -- /dev/sdX: writes the card of a box, provisions it, and reads it back.
import { chownSync, existsSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { root } from '../../firmware/paths.ts';
import { formatTable } from '../../src/base/format.ts';
import { exitCodeOf, exitCodes } from '../../src/cli/exit-codes.ts';
import { errorLines } from '../../src/cli/output.ts';
import { localError } from '../../src/platform/local-errors.ts';
import { nodeEntropy } from '../../src/platform/node-entropy.ts';
import { askOnTerminal } from '../../src/platform/node-prompt.ts';
import { type Card, type CardShelf, formatSize, refusalOf } from './card.ts';
import { describeCard, isConfirmed, question } from './confirm.ts';
import { flashError } from './errors.ts';
import { isSameFile } from './file-card.ts';
import { type FlashStep, flash } from './flash.ts';
import { Image, newestImage } from './image.ts';
import { labelSvg } from './label.ts';
import { type Options, parseOptions, usage } from './options.ts';
import { FlashProgress, type ProgressScreen } from './progress.ts';
import { claimUri, identityPatch, type Provision } from './provision.ts';
import { qrCells, qrLines } from './qr-picture.ts';

const screen: ProgressScreen = {
  columns: process.stderr.isTTY === true ? process.stderr.columns || 80 : undefined,
  write: (text) => void process.stderr.write(text),
  nowMs: () => performance.now(),
};

async function main(words: readonly string[]): Promise<number> {
  const options = parseOptions(words, nodeEntropy);
  if (options.help) {
    say(usage);
    return exitCodes.done;
  }
  if (options.label !== undefined && existsSync(options.label)) {
    const help = 'It may be of a box that has none yet: name another file.';
    throw flashError('LABEL_EXISTS', `${options.label} is there already`, help);
  }
  const shelf = await shelfOfSystem();
  if (options.list || options.device === undefined) {
    if (!options.list) say([...usage, '']);
    say(candidateLines(await shelf.cards(), options));
    return options.list ? exitCodes.done : exitCodes.usage;
  }
  const image = await Image.open(options.image ?? newestImage(join(root, 'var/image', options.board)));
  try {
    await flashOne(shelf, await shelf.find(options.device), image, options);
  } finally {
    await image.close();
  }
  return exitCodes.done;
}

async function flashOne(shelf: CardShelf, card: Card, image: Image, options: Options): Promise<void> {
  const { provision } = options;
  refuseUnfit(card, image, options);
  const patch = identityPatch(image.partitions, provision);
  say([`Image: ${shown(image.path)}, ${formatSize(image.bytes)}`]);
  const isNewFile = card.kind === 'file' && card.sizeBytes === 0;
  if (!options.yes && !isNewFile) {
    await confirm(card);
    // A person may think for a while, and change cards.
    const now = await shelf.find(card.path);
    if (describeCard(now) !== describeCard(card)) {
      const help = 'Start again, and leave the card where it is.';
      throw flashError('CARD_NOT_FOUND', `in ${card.path} there is another card now`, help);
    }
    refuseUnfit(now, image, options);
  }
  const opened = await shelf.open(card);
  process.once('SIGINT', interrupted);
  const show = new StepsOnScreen(image.bytes);
  try {
    const onStep = (step: FlashStep) => show.enter(step);
    const onProgress = (bytes: number) => show.update(bytes);
    const { writtenBytes } = await flash({ source: image, card: opened, patch, onStep, onProgress });
    show.finish();
    if (writtenBytes < image.bytes)
      say([`All but ${formatSize(writtenBytes)} of it are zeros, which the card made itself.`]);
  } catch (error) {
    show.abandon();
    throw error;
  } finally {
    await opened.close();
  }
  if (!opened.readsMedium && card.kind !== 'file')
    say(['Careful: what was read back may have come from the memory of this computer, not from the card.']);
  say(closingLines(card, provision));
  if (options.label !== undefined) writeLabel(options.label, provision);
}

function refuseUnfit(card: Card, image: Image, { force, toFile, yes }: Options): void {
  const refusal = refusalOf(card, { imageBytes: image.bytes, force, toFile, asks: !yes });
  if (refusal !== undefined) throw refusal;
  if (card.kind === 'file' && isSameFile(card.path, image.path))
    throw flashError('CARD_IN_USE', `${card.path} is the image itself`, 'Name another file.');
}

function writeLabel(path: string, provision: Provision): void {
  try {
    // Whoever reads it may claim the box.
    writeFileSync(path, labelSvg(provision), { flag: 'wx', mode: 0o600 });
    const { SUDO_UID: user, SUDO_GID: group } = process.env;
    if (process.getuid?.() === 0 && user !== undefined && group !== undefined)
      chownSync(path, Number(user), Number(group));
  } catch (cause) {
    throw localError(cause, path);
  }
  say(['', `Label: ${path}`]);
}

/** As a person here would write it. */
function shown(path: string): string {
  const short = relative('', path);
  return short.startsWith('..') ? path : short;
}

/** Shows the steps that take long, each with its own progress. */
class StepsOnScreen {
  readonly #totalBytes: number;
  #progress: FlashProgress | undefined;

  constructor(totalBytes: number) {
    this.#totalBytes = totalBytes;
  }

  enter(step: FlashStep): void {
    if (step === 'flush' || step === 'clear') return; // Writing lasts until all is on the card.
    this.finish();
    this.#progress = new FlashProgress(screen, step === 'write' ? 'Writing' : 'Verifying', this.#totalBytes);
  }

  update(doneBytes: number): void {
    this.#progress?.update(doneBytes);
  }

  finish(): void {
    this.#progress?.finish();
  }

  abandon(): void {
    this.#progress?.abandon();
  }
}

async function confirm(card: Card): Promise<void> {
  const answer = await askOnTerminal(question(card));
  if (isConfirmed(card, answer)) return;
  const help = process.stdin.isTTY ? 'Nothing was written.' : 'Without a terminal to ask on, --yes says it.';
  throw flashError('NOT_CONFIRMED', `nobody said that ${card.path} may be erased`, help);
}

function candidateLines(cards: readonly Card[], { force }: Options): readonly string[] {
  const taken = cards.filter(
    (card) => refusalOf(card, { imageBytes: 0, force, toFile: false, asks: true }) === undefined,
  );
  if (taken.length === 0) return ['No disk here can be written: put a card into a reader.'];
  const columns = [
    { title: 'DISK' },
    { title: 'SIZE', align: 'right' as const },
    { title: 'BUS' },
    { title: 'NAME' },
  ];
  const rows = taken.map(({ path, sizeBytes, bus, model, isRemovable }) => [
    path,
    formatSize(sizeBytes),
    `${bus ?? '-'}${isRemovable ? '' : ' (fixed)'}`,
    model ?? '-',
  ]);
  return formatTable(columns, rows, process.stdout.columns || Number.POSITIVE_INFINITY);
}

function closingLines(card: Card, provision: Provision): readonly string[] {
  return [
    `Done: ${describeCard(card)}`,
    '',
    `Serial number  ${provision.serial}`,
    `Claim code     ${provision.claimCode}`,
    '',
    ...qrLines(qrCells(claimUri(provision)), process.stdout.isTTY === true),
  ];
}

/** Loaded only where they work. Throws `SYSTEM_UNSUPPORTED`. */
async function shelfOfSystem(): Promise<CardShelf> {
  switch (process.platform) {
    case 'linux':
      return new (await import('./linux/linux-card-shelf.ts')).LinuxCardShelf();
    case 'darwin':
      return new (await import('./macos/macos-card-shelf.ts')).MacosCardShelf();
    default: {
      const help = 'Any program that writes images to cards will do; the box then makes its own claim code.';
      throw flashError('SYSTEM_UNSUPPORTED', `this does not know the disks of ${process.platform}`, help);
    }
  }
}

function interrupted(): void {
  process.stderr.write(
    '\nflash: stopped in the middle: this card is good for nothing until it is flashed again\n',
  );
  process.exit(exitCodes.interrupted);
}

function say(lines: readonly string[]): void {
  process.stdout.write(`${lines.join('\n')}\n`);
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  process.stderr.write(`${errorLines('flash', error).join('\n')}\n`);
  process.exitCode = exitCodeOf(error);
}
