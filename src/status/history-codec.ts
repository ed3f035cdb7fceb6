import { CborFields, type CborValue } from '../base/cbor.ts';
import { choice, textOrNull } from './codec/fields.ts';
import { type ConditionCode, conditionCodes, severities } from './condition.ts';
import type { StatusChange, StatusEvent } from './history.ts';

const changes: readonly StatusChange[] = ['raised', 'worse', 'better', 'cleared', 'acknowledged'];

export function eventToCbor({ code, ...event }: StatusEvent): CborValue {
  return { ...event, code, atMs: Math.floor(event.atMs) };
}

/** Errors: `CBOR_INVALID`. */
export function eventFromCbor(value: CborValue): StatusEvent {
  const fields = new CborFields(value);
  const code = fields.text('code');
  return {
    atMs: fields.count('atMs'),
    change: choice(fields, 'change', changes),
    // A condition that only another version knows is shown by its words.
    code: conditionCodes.find((known) => known === code) ?? (code as ConditionCode),
    subject: textOrNull(fields, 'subject'),
    severity: choice(fields, 'severity', severities),
    message: fields.text('message'),
    times: fields.count('times'),
  };
}
