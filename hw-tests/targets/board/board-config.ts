import {
  type ConfigOf,
  countField,
  listField,
  nullable,
  objectField,
  parseConfig,
  textField,
  withDefault,
} from '../../../src/base/config.ts';

/** A program of the bench and its arguments. */
const command = listField(textField({ charactersMax: 200 }), { itemsMin: 1, itemsMax: 32 });

const schema = objectField({
  /** What reports call the board. */
  name: textField({ charactersMax: 80 }),
  serial: objectField({
    /** Of the USB adapter: `/dev/ttyUSB0`. */
    path: textField({ charactersMax: 200 }),
    baud: withDefault(countField({ min: 9600, max: 4_000_000 }), 115_200),
  }),
  /** The board's IPv4 address; null: as `aether scan` finds it. */
  address: nullable(textField({ charactersMax: 45, pattern: /^[\d.]+$/ })),
  power: nullable(objectField({ on: command, off: command })),
  /** Prints `GREEN AMBER`, each 0 or 1, as a line: at every change or more often, until it is ended. */
  lights: nullable(objectField({ watch: command })),
  button: nullable(objectField({ press: command, release: command })),
  /** `attach` makes its disk blank before it plugs it in; `again` plugs it in as it was pulled. */
  disks: withDefault(
    listField(
      objectField({
        bytes: countField({ min: 1 }),
        attach: command,
        detach: command,
        again: nullable(command),
      }),
      { itemsMax: 8 },
    ),
    [],
  ),
  cable: nullable(objectField({ plug: command, pull: command })),
  dhcp: nullable(objectField({ on: command, off: command })),
  /** The bundle of the version that is on the card, of a development image made here. */
  bundle: nullable(textField()),
  /** Writes the image to the card while the board is off. */
  card: nullable(objectField({ flash: command })),
});

export type BoardConfig = ConfigOf<typeof schema>;

/** How a board is wired to this machine. Errors: `CONFIG_INVALID`, `CONFIG_UNKNOWN_KEY`. */
export function parseBoardConfig(text: string, source: string): BoardConfig {
  return parseConfig(text, schema, source);
}
