import { type Bytes, fromUtf8 } from '../../base/bytes.ts';
import { consoleEscapeBytesMax } from '../../base/limits.ts';

/** What a person did at the keyboard. */
export type Key = { readonly name: 'text'; readonly text: string } | { readonly name: KeyName };

export type KeyName =
  | 'enter'
  | 'tab'
  | 'backspace'
  | 'delete'
  | 'left'
  | 'right'
  | 'up'
  | 'down'
  | 'home'
  | 'end'
  | 'erase-before'
  | 'erase-after'
  | 'erase-word'
  | 'interrupt'
  | 'end-of-input';

const lineFeed = 0x0a;
const carriageReturn = 0x0d;
const escapeByte = 0x1b;

const controlKeys: ReadonlyMap<number, KeyName> = new Map([
  [0x01, 'home'],
  [0x02, 'left'],
  [0x03, 'interrupt'],
  [0x04, 'end-of-input'],
  [0x05, 'end'],
  [0x06, 'right'],
  [0x08, 'backspace'],
  [0x09, 'tab'],
  [lineFeed, 'enter'],
  [0x0b, 'erase-after'],
  [carriageReturn, 'enter'],
  [0x0e, 'down'],
  [0x10, 'up'],
  [0x15, 'erase-before'],
  [0x17, 'erase-word'],
  [0x7f, 'backspace'],
]);

/** Final bytes of CSI and SS3 sequences (ECMA-48; xterm and the Linux console agree on these). */
const finalKeys: ReadonlyMap<string, KeyName> = new Map([
  ['A', 'up'],
  ['B', 'down'],
  ['C', 'right'],
  ['D', 'left'],
  ['H', 'home'],
  ['F', 'end'],
]);

/** First parameters of `CSI n ~` sequences (VT220 and rxvt). */
const tildeKeys: ReadonlyMap<string, KeyName> = new Map([
  ['1', 'home'],
  ['7', 'home'],
  ['3', 'delete'],
  ['4', 'end'],
  ['8', 'end'],
]);

/** `string`: inside OSC, DCS, APC, PM or SOS, which end with BEL or ESC \. */
type Mode = 'ground' | 'escape' | 'csi' | 'ss3' | 'string';

/**
 * Turns terminal bytes into keys, one byte at a time. Bytes that are no key (garbage, ill-formed UTF-8, sequences
 * of other keys, sequences that never end) yield nothing; at most a few bytes are ever kept.
 */
export class KeyDecoder {
  #mode: Mode = 'ground';
  #sequence = '';
  #sequenceBytes = 0;
  #lastWasReturn = false;
  #character: number[] = [];
  #characterBytes = 0;

  /** Takes one byte; returns the key that it completes. */
  push(byte: number): Key | undefined {
    const afterReturn = this.#lastWasReturn;
    this.#lastWasReturn = byte === carriageReturn;
    // CR LF is one Enter.
    if (byte === lineFeed && afterReturn) return undefined;
    if (byte === escapeByte) return this.#begin('escape');
    if (this.#mode === 'ground') return this.#ground(byte);
    // Whatever sequence is open, Enter and Ctrl-C mean what they say.
    if (byte < 0x20) {
      const ended = this.#mode === 'string' && byte === 0x07;
      this.#mode = 'ground';
      return ended ? undefined : this.#ground(byte);
    }
    return this.#inSequence(byte);
  }

  #begin(mode: Mode): undefined {
    this.#mode = mode;
    this.#sequence = '';
    this.#sequenceBytes = 0;
    this.#character = [];
  }

  #inSequence(byte: number): Key | undefined {
    if (++this.#sequenceBytes > consoleEscapeBytesMax) return this.#begin('ground');
    const letter = String.fromCharCode(byte);
    switch (this.#mode) {
      case 'escape':
        if (letter === '[') return this.#begin('csi');
        if (letter === 'O') return this.#begin('ss3');
        if (']PX^_'.includes(letter)) return this.#begin('string');
        this.#mode = 'ground';
        // The second half of ESC \ ends a string; any other letter was typed with Alt, or after a lone Escape.
        return letter === '\\' ? undefined : this.#ground(byte);
      case 'csi':
        if (byte < 0x40) {
          this.#sequence += letter;
          return undefined;
        }
        this.#mode = 'ground';
        return namedKey(
          letter === '~' ? tildeKeys.get(this.#sequence.split(';')[0]!) : finalKeys.get(letter),
        );
      case 'ss3':
        this.#mode = 'ground';
        return namedKey(finalKeys.get(letter));
      default:
        return undefined;
    }
  }

  #ground(byte: number): Key | undefined {
    if (byte >= 0x80) return this.#multibyte(byte);
    this.#character = [];
    if (byte >= 0x20 && byte !== 0x7f) return { name: 'text', text: String.fromCharCode(byte) };
    return namedKey(controlKeys.get(byte));
  }

  #multibyte(byte: number): Key | undefined {
    if (byte >= 0xc0) {
      this.#character = [byte];
      this.#characterBytes = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2;
      return undefined;
    }
    if (this.#character.length === 0) return undefined;
    this.#character.push(byte);
    if (this.#character.length < this.#characterBytes) return undefined;
    const text = textOf(new Uint8Array(this.#character));
    this.#character = [];
    return text === undefined ? undefined : { name: 'text', text };
  }
}

function namedKey(name: KeyName | undefined): Key | undefined {
  return name === undefined ? undefined : { name };
}

/** One well-formed character that can be seen: no control, no invisible format character, no lone surrogate. */
function textOf(bytes: Bytes): string | undefined {
  const text = fromUtf8(bytes);
  return text === undefined || /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u.test(text) ? undefined : text;
}
