import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  type ConfigOf,
  listField,
  nullable,
  objectField,
  parseConfig,
  textField,
  withDefault,
} from '../src/base/config.ts';
import { root } from './paths.ts';

const names = listField(textField({ charactersMax: 64, pattern: /^[\w.-]+$/ }), { itemsMax: 64 });

/** A file of an unpacked package that the boot partition needs, and its name there. */
const bootFile = objectField({
  from: textField({ charactersMax: 200 }),
  to: textField({ charactersMax: 100, pattern: /^[\w.+/-]+$/ }),
});

const schema = objectField({
  description: textField({ charactersMax: 200 }),
  boot: objectField({
    /** The kernel's console, as its argument `console=` takes it. */
    console: textField({ charactersMax: 40, pattern: /^[\w,]+$/ }),
    /** Which of overlays/dt describes its lights. */
    overlay: textField({ charactersMax: 40, pattern: /^[\w-]+$/ }),
    /** More arguments of the kernel. */
    arguments: nullable(textField({ charactersMax: 200, pattern: /^[\w=.,/ -]*$/ })),
  }),
  modules: objectField({
    /** Drivers on the way to the slot. */
    initramfs: names,
    system: names,
  }),
  /** Files of the boot partition. */
  files: listField(bootFile, { itemsMax: 100 }),
  /** Files that an emulator of the board starts with. */
  emulator: withDefault(listField(bootFile, { itemsMax: 10 }), []),
});

/** The facts of a board: `board/NAME/board.json`. */
export type Board = ConfigOf<typeof schema> & { readonly name: string };

/** Every board; they share one slot. */
export function allBoards(): readonly Board[] {
  return readdirSync(join(root, 'board')).map((name) => {
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
