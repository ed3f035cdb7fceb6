/** Numbers, times and tables as people read them; one wording for the console, the command line and the page. */

const unitNames = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];

/** `0 B`, `512 B`, `1.5 KiB`, `812.4 GiB`: binary units, one decimal. */
export function formatBytes(bytes: number): string {
  let unit = 0;
  let amount = Math.max(0, bytes);
  while (unit < unitNames.length - 1 && (unit === 0 ? amount >= 1024 : amount >= 1023.95)) {
    amount /= 1024;
    unit++;
  }
  return `${unit === 0 ? Math.round(amount) : amount.toFixed(1)} ${unitNames[unit]}`;
}

/** Always in GiB, so that a column can be compared at a glance: `812.4 GiB`; `<0.1 GiB` for a little. */
export function formatGibibytes(bytes: number): string {
  const amount = Math.max(0, bytes) / 1024 ** 3;
  return amount > 0 && amount < 0.05 ? '<0.1 GiB' : `${amount.toFixed(1)} GiB`;
}

const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;

/** Its two largest units, rounded down: `0 s`, `12 s`, `2 min 5 s`, `3 h 12 min`, `4 d 2 h`. */
export function formatDuration(durationMs: number): string {
  const ms = Math.max(0, durationMs);
  if (ms < minute) return `${Math.floor(ms / second)} s`;
  if (ms < hour) return twoUnits(ms, minute, 'min', second, 's');
  if (ms < day) return twoUnits(ms, hour, 'h', minute, 'min');
  return twoUnits(ms, day, 'd', hour, 'h');
}

function twoUnits(ms: number, large: number, largeName: string, small: number, smallName: string): string {
  const rest = Math.floor((ms % large) / small);
  return `${Math.floor(ms / large)} ${largeName}${rest === 0 ? '' : ` ${rest} ${smallName}`}`;
}

/** How long ago, in words: `just now`, `40 seconds ago`, `1 hour ago`, `5 days ago`. */
export function formatAge(ageMs: number): string {
  if (ageMs < 5 * second) return 'just now';
  if (ageMs < minute) return `${countOf(Math.floor(ageMs / second), 'second')} ago`;
  if (ageMs < hour) return `${countOf(Math.floor(ageMs / minute), 'minute')} ago`;
  if (ageMs < 2 * day) return `${countOf(Math.floor(ageMs / hour), 'hour')} ago`;
  return `${countOf(Math.floor(ageMs / day), 'day')} ago`;
}

/** `1 box`, `3 boxes`. */
export function countOf(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}

/**
 * `text` without anything a terminal would obey or that would hide or reorder what is read: control characters and
 * invisible format characters become `�`. For every text that came from outside: names, messages, addresses.
 */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu, '\ufffd');
}

/** Characters that a terminal draws two cells wide (the East Asian Wide ranges of UAX #11, and emoji). */
const wide =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6\u{1f300}-\u{1f64f}\u{1f680}-\u{1f6ff}\u{1f900}-\u{1f9ff}\u{20000}-\u{3fffd}]/u;
const zeroWidth = /[\p{Mn}\p{Me}\p{Cf}]/u;

/** Cells that one character (code point) takes on a terminal: 0, 1 or 2. */
export function characterWidth(character: string): number {
  if (character < '\u0300') return 1;
  return zeroWidth.test(character) ? 0 : wide.test(character) ? 2 : 1;
}

/** Cells that `text`, without control characters, takes on a terminal. */
export function textWidth(text: string): number {
  let width = 0;
  for (const character of text) width += characterWidth(character);
  return width;
}

/** `text` cut to `width` cells, `…` marking what is missing. */
export function fitText(text: string, width: number): string {
  if (textWidth(text) <= width) return text;
  if (width < 1) return '';
  let fitted = '';
  let used = 0;
  for (const character of text) {
    used += characterWidth(character);
    if (used > width - 1) break;
    fitted += character;
  }
  return `${fitted}…`;
}

/** Lines of at most `width` cells, broken between words; a word that is longer is cut over several lines. */
export function wrapText(text: string, width: number): readonly string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ').flatMap((whole) => piecesOf(whole, width))) {
    if (line !== '' && textWidth(line) + 1 + textWidth(word) > width) {
      lines.push(line);
      line = word;
    } else {
      line = line === '' ? word : `${line} ${word}`;
    }
  }
  lines.push(line);
  return lines;
}

function piecesOf(word: string, width: number): readonly string[] {
  if (textWidth(word) <= width) return [word];
  const pieces: string[] = [];
  let piece = '';
  for (const character of word) {
    if (piece !== '' && textWidth(piece) + characterWidth(character) > width) {
      pieces.push(piece);
      piece = '';
    }
    piece += character;
  }
  return [...pieces, piece];
}

export interface TableColumn {
  readonly title: string;
  /** Numbers belong to the right. */
  readonly align?: 'left' | 'right';
  /** Cut this column when the table is too wide; without one, the last column is cut. */
  readonly flexible?: boolean;
}

/**
 * Lines of an aligned table, titles first, two spaces between columns, none at the end of a line, at most `widthMax`
 * cells wide. Cells are made {@link printable}.
 */
export function formatTable(
  columns: readonly TableColumn[],
  rows: readonly (readonly string[])[],
  widthMax: number,
): readonly string[] {
  const cells = [columns.map((column) => column.title), ...rows].map((row) => row.map(printable));
  const widths = columns.map((_, index) => Math.max(...cells.map((row) => textWidth(row[index] ?? ''))));
  const flexible = columns.findIndex((column) => column.flexible === true);
  const cut = flexible < 0 ? columns.length - 1 : flexible;
  const excess = widths.reduce((sum, width) => sum + width, 2 * (columns.length - 1)) - widthMax;
  if (excess > 0) widths[cut] = Math.max(4, widths[cut]! - excess);
  return cells.map((row) => {
    const padded = columns.map((column, index) =>
      padText(row[index] ?? '', widths[index]!, column.align ?? 'left'),
    );
    return fitText(padded.join('  ').trimEnd(), widthMax);
  });
}

/** `text` filled with spaces, or cut, to exactly `width` cells. */
export function padText(text: string, width: number, align: 'left' | 'right' = 'left'): string {
  const fitted = fitText(text, width);
  const padding = ' '.repeat(Math.max(0, width - textWidth(fitted)));
  return align === 'left' ? fitted + padding : padding + fitted;
}
