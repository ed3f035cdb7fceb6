import type { Entropy } from '../../ports/entropy.ts';

/** Crockford's base 32: no I, L, O (read as 1, 1, 0) and no U. */
const alphabet = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const symbolCount = 8;

/** A fresh code of 40 bits, as `XXXX-XXXX`. */
export function newCode(entropy: Entropy): string {
  const bits = entropy.bytes(5).reduce((sum, byte) => sum * 256 + byte, 0);
  const symbols = Array.from({ length: symbolCount }, (_, index) => {
    return alphabet[Math.floor(bits / 32 ** (symbolCount - 1 - index)) % 32]!;
  });
  return grouped(symbols.join(''));
}

/**
 * The code a person typed, as `XXXX-XXXX`: in any case, with or without hyphens and spaces, O for 0 and I or L for 1.
 * Undefined when it cannot be a code, so that a slip of the finger costs no try.
 */
export function parseCode(typed: string): string | undefined {
  const symbols = typed.toUpperCase().replace(/[\s-]/g, '').replaceAll('O', '0').replace(/[IL]/g, '1');
  if (symbols.length !== symbolCount) return undefined;
  return [...symbols].every((symbol) => alphabet.includes(symbol)) ? grouped(symbols) : undefined;
}

function grouped(symbols: string): string {
  return `${symbols.slice(0, 4)}-${symbols.slice(4)}`;
}
