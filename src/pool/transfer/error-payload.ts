import type { Bytes } from '../../base/bytes.ts';
import { CborFields, type CborValue, encodeCbor } from '../../base/cbor.ts';
import { AetherError, type ErrorFields } from '../../base/errors.ts';
import { printable } from '../../base/format.ts';
import { errorFieldsMax, errorTextCharsMax } from '../../base/limits.ts';
import { transferError } from './errors.ts';

/** An error frame's payload: CBOR `{code, message, fields, help}` (docs/formats.md §6). */
export function encodeError({ code, message, fields, help }: AetherError): Bytes {
  return encodeCbor({ code, message: cut(message), fields: usable(Object.entries(fields)), help: cut(help) });
}

/**
 * The error a peer sent. Its texts are cut and its fields filtered, because anybody may have written them; one that
 * cannot be read is `INTERNAL`.
 */
export function decodeError(payload: Bytes): AetherError {
  try {
    const error = CborFields.decode(payload);
    const code = error.text('code');
    if (!/^[A-Z][A-Z0-9_]{1,63}$/.test(code)) return unreadable();
    const fields = error.map('fields');
    return new AetherError(code, cut(error.text('message')), {
      fields: usable(fields.names().map((name) => [name, fields.value(name)])),
      help: cut(error.text('help')),
    });
  } catch (cause) {
    return unreadable(cause);
  }
}

function unreadable(cause?: unknown): AetherError {
  return transferError('INTERNAL', 'the peer failed, and its explanation cannot be read', { cause });
}

function usable(entries: readonly (readonly [string, CborValue])[]): ErrorFields {
  const kept: Record<string, string | number | boolean> = {};
  for (const [name, value] of entries.slice(0, errorFieldsMax)) {
    if (!/^\w{1,64}$/.test(name)) continue;
    if (typeof value === 'string') kept[name] = cut(value);
    else if (typeof value === 'boolean' || (typeof value === 'number' && Number.isFinite(value)))
      kept[name] = value;
  }
  return kept;
}

/** Not too long, and nothing in it that a terminal would obey. */
function cut(text: string): string {
  return printable(text.length <= errorTextCharsMax ? text : text.slice(0, errorTextCharsMax));
}
