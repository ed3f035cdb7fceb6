import { globSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import {
  type ConfigOf,
  countField,
  listField,
  nullable,
  objectField,
  parseConfig,
  textField,
  withDefault,
} from '../src/base/config.ts';
import { root } from './paths.ts';

const names = listField(textField({ charactersMax: 64, pattern: /^[\w.-]+$/ }), { itemsMax: 64 });

/**
 * A file, and where it goes. `from` is in the board's folder (`board/…`) or in an unpacked package; it may be a pattern
 * as of a shell where `to` is a folder, which ends with a slash.
 */
const boardFile = objectField({
  from: textField({ charactersMax: 200 }),
  to: textField({ charactersMax: 100, pattern: /^[\w.+/-]+$/ }),
});

const kernelArguments = textField({ charactersMax: 200, pattern: /^[\w=.,/ -]*$/ });

const schema = objectField({
  description: textField({ charactersMax: 200 }),
  boot: objectField({
    /** The kernel's console, as its argument `console=` takes it. */
    console: textField({ charactersMax: 40, pattern: /^[\w,]+$/ }),
    /** Which of overlays/dt describes its lights. */
    overlay: textField({ charactersMax: 40, pattern: /^[\w-]+$/ }),
    /** More arguments of the kernel. */
    arguments: nullable(kernelArguments),
    /** What the board's U-Boot reads before anything else: `environment.ts`. */
    environment: objectField({
      /** `CONFIG_ENV_SIZE` of that U-Boot. */
      bytes: countField({ min: 0x1000, max: 0x100000 }),
      /** The kind of device that the card is. */
      device: textField({ charactersMax: 10, pattern: /^[a-z]+$/ }),
      /** Where things go in memory, as that U-Boot has it by default. */
      variables: listField(textField({ charactersMax: 60, pattern: /^\w+=[\w]+$/ }), { itemsMax: 20 }),
      /** Its name on the boot partition; null: the emulator has it in its flash. */
      file: nullable(textField({ charactersMax: 40, pattern: /^[\w.]+$/ })),
    }),
  }),
  modules: objectField({
    /** Drivers on the way to the slot. */
    initramfs: names,
    system: names,
    /** Drivers that its device trees ask for, and the box does without. */
    unused: withDefault(names, []),
  }),
  /** Files of the boot partition; its device trees must take the overlay. */
  files: listField(boardFile, { itemsMax: 100 }),
  emulator: objectField({
    /** QEMU's machine. */
    machine: textField({ charactersMax: 40, pattern: /^[\w=,-]+$/ }),
    /** Files that it starts with; device trees get the overlay. */
    files: withDefault(listField(boardFile, { itemsMax: 10 }), []),
    /** More arguments of the kernel, there only. */
    arguments: nullable(kernelArguments),
  }),
});

/** The facts of a board: `board/NAME/board.json`. */
export type Board = ConfigOf<typeof schema> & { readonly name: string };

/** Every board; they share one slot. */
export function allBoards(): readonly Board[] {
  const folders = readdirSync(join(root, 'board'), { withFileTypes: true }).filter((each) =>
    each.isDirectory(),
  );
  return folders.map(({ name }) => {
    const file = join('board', name, 'board.json');
    return { name, ...parseConfig(readFileSync(join(root, file), 'utf8'), schema, file) };
  });
}

export function boardNamed(name: string): Board {
  const boards = allBoards();
  const found = boards.find((board) => board.name === name);
  if (found === undefined)
    throw new Error(`no board ${name}: there are ${boards.map((board) => board.name).join(', ')}`);
  return found;
}

/** `board.env` of the boot partition: what the boot script is told of the board. `more`: arguments of the kernel. */
export function bootFacts({ boot }: Board, more: string | null = null): string {
  const words = [boot.arguments, more].filter((each) => each !== null);
  return `console=${boot.console}\nboard_args=${words.join(' ')}\n`;
}

/** The files that a list of a board means: absolute path, and where it goes. Throws when there is none. */
export function filesOf(
  list: Board['files'],
  parts: string,
): readonly { readonly from: string; readonly to: string }[] {
  return list.flatMap(({ from, to }) => {
    const folder = from.startsWith('board/') ? root : parts;
    const found = globSync(from, { cwd: folder }).sort();
    const many = to.endsWith('/');
    if (found.length === 0 || (found.length > 1 && !many)) throw new Error(`${found.length} files ${from}`);
    return found.map((path) => ({ from: join(folder, path), to: many ? join(to, basename(path)) : to }));
  });
}
