import { CborFields } from '../../base/cbor.ts';
import { AetherError } from '../../base/errors.ts';

export function choice<const Choice extends string>(
  fields: CborFields,
  name: string,
  choices: readonly Choice[],
): Choice {
  const text = fields.text(name);
  const found = choices.find((candidate) => candidate === text);
  if (found !== undefined) return found;
  throw new AetherError('CBOR_INVALID', `CBOR: ${name}: one of ${choices.join(', ')} was expected`);
}

/** Null also for a word that is not known here: a newer box may have more. */
export function choiceOrNull<const Choice extends string>(
  fields: CborFields,
  name: string,
  choices: readonly Choice[],
): Choice | null {
  const text = textOrNull(fields, name);
  return choices.find((candidate) => candidate === text) ?? null;
}

export function maps(fields: CborFields, name: string): readonly CborFields[] {
  return fields.list(name).map((each) => new CborFields(each));
}

export function texts(fields: CborFields, name: string): readonly string[] {
  return fields.list(name).map((each) => new CborFields({ each }).text('each'));
}

export function textOrNull(fields: CborFields, name: string): string | null {
  return fields.has(name) ? fields.text(name) : null;
}

export function countOrNull(fields: CborFields, name: string): number | null {
  return fields.has(name) ? fields.count(name) : null;
}

export function flagOrNull(fields: CborFields, name: string): boolean | null {
  return fields.has(name) ? fields.flag(name) : null;
}
