import { type OptionSpec, optionLines, parseCommandLine, usageError } from '../../src/cli/arguments.ts';
import { newCode, parseCode } from '../../src/pool/pairing/claim-code.ts';
import type { Entropy } from '../../src/ports/entropy.ts';
import { isSerial, newSerial, type Provision } from './provision.ts';

export interface Options {
  readonly device: string | undefined;
  readonly image: string | undefined;
  readonly board: string;
  readonly provision: Provision;
  readonly label: string | undefined;
  readonly force: boolean;
  readonly toFile: boolean;
  readonly yes: boolean;
  readonly list: boolean;
  readonly help: boolean;
}

const specs: Readonly<Record<string, OptionSpec>> = {
  image: {
    type: 'string',
    value: 'FILE',
    help: 'what is written (default: the newest var/image/BOARD/*.img)',
  },
  board: { type: 'string', value: 'NAME', help: 'a folder of board/ (default: rpi)' },
  serial: { type: 'string', value: 'TEXT', help: 'serial number of the box (default: a fresh one)' },
  'claim-code': { type: 'string', value: 'XXXX-XXXX', help: 'what claims the box (default: a fresh one)' },
  label: { type: 'string', value: 'FILE', help: 'write a label for the box as SVG, 62 by 29 mm' },
  list: { type: 'boolean', help: 'show the disks that could be written' },
  'to-file': { type: 'boolean', help: 'DISK is a file that an emulator takes for a card' },
  force: { type: 'boolean', help: 'write a disk of more than 2 TB, or with --yes one that is not removable' },
  yes: { type: 'boolean', help: 'do not ask' },
  help: { type: 'boolean', short: 'h', help: 'this' },
};

export const helpCommand = 'npm run flash -- --help';

export const usage: readonly string[] = [
  'usage: npm run flash -- DISK [options]',
  '',
  'Writes a card that a box starts from, tells it its serial number and claim code, and reads it all back.',
  'DISK is a whole disk: /dev/sdb, /dev/mmcblk0, on macOS /dev/disk4. Everything on it is lost.',
  '',
  ...optionLines(specs),
];

/** What the words of the command line ask for; `USAGE` when they make no sense. */
export function parseOptions(words: readonly string[], entropy: Entropy): Options {
  const line = parseCommandLine(words, specs, helpCommand);
  const [device, ...more] = line.positionals;
  if (more.length > 0) throw usageError(`one disk at a time, not ${line.positionals.length}`, helpCommand);
  const board = line.text('board') ?? 'rpi';
  if (!/^[a-z0-9][a-z0-9-]*$/.test(board)) throw usageError(`${board} is no name of a board`, helpCommand);
  return {
    device,
    image: line.text('image'),
    board,
    provision: {
      serial: serialOf(line.text('serial'), entropy),
      claimCode: codeOf(line.text('claim-code'), entropy),
    },
    label: line.text('label'),
    force: line.flag('force'),
    toFile: line.flag('to-file'),
    yes: line.flag('yes'),
    list: line.flag('list'),
    help: line.flag('help'),
  };
}

function serialOf(given: string | undefined, entropy: Entropy): string {
  if (given === undefined) return newSerial(entropy);
  if (isSerial(given)) return given;
  throw usageError('a serial number is 1 to 32 letters, digits, dots, hyphens or underscores', helpCommand);
}

function codeOf(given: string | undefined, entropy: Entropy): string {
  if (given === undefined) return newCode(entropy);
  const code = parseCode(given);
  if (code !== undefined) return code;
  throw usageError('a claim code is eight letters and digits, without U: 7K3M-9QXR', helpCommand);
}
