import { isoTime } from '../base/log.ts';

/** `2026-01-05 03:30 UTC`: a box knows no other zone. */
export function describeMoment(atMs: number): string {
  return `${isoTime(atMs).slice(0, 16).replace('T', ' ')} UTC`;
}
