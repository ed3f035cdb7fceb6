import {
  type ConfigOf,
  countField,
  flagField,
  listField,
  nullable,
  objectField,
  parseConfig,
  textField,
  withDefault,
} from '../base/config.ts';

const linesMax = 1023;

const pin = objectField({
  /** Number of the line within the GPIO controller. */
  line: countField({ max: linesMax }),
  /** The light is on, or the button pressed, when the line is low. */
  activeLow: withDefault(flagField(), false),
});

/** A light, which the kernel may drive itself under this name in `/sys/class/leds`. */
const light = objectField({
  line: countField({ max: linesMax }),
  activeLow: withDefault(flagField(), false),
  sysfs: nullable(textField({ charactersMax: 64 })),
});

const boardPins = objectField({
  /** Names the kernel gives the board's GPIO controller: one for each model that shares this wiring. */
  gpioChips: listField(textField({ charactersMax: 64 }), { itemsMin: 1, itemsMax: 16 }),
  leds: objectField({ green: light, amber: light }),
  /** Where the board has one light of its own, for when nothing is wired to the others: its name in `/sys/class/leds`. */
  singleLed: nullable(textField({ charactersMax: 64 })),
  button: pin,
  console: objectField({
    baud: withDefault(countField({ min: 1200, max: 4_000_000 }), 115_200),
  }),
});

/** What is wired to what on one board (`pins.json` in the board's folder). */
export type BoardPins = ConfigOf<typeof boardPins>;

/** Parses the text of a `pins.json`. Errors: `CONFIG_INVALID`, `CONFIG_UNKNOWN_KEY` (names the nearest key). */
export function parseBoardPins(text: string): BoardPins {
  return parseConfig(text, boardPins, 'pins.json');
}
