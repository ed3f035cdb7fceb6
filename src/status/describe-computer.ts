import { formatGibibytes } from '../base/format.ts';
import type { HardwareFacts } from './facts.ts';

/** What is known of the computer, in a few words: `Raspberry Pi 4, 48 °C, load 7%, 3.0 GiB of 4.0 GiB memory free`. */
export function describeComputer({
  model,
  temperatureCelsius,
  throttled,
  loadPercent,
  memory,
}: HardwareFacts): string {
  const words = [
    model,
    temperatureCelsius === null ? null : `${temperatureCelsius} °C`,
    throttled === true ? 'slowed down' : null,
    loadPercent === null ? null : `load ${loadPercent}%`,
    memory === null
      ? null
      : `${formatGibibytes(memory.availableBytes)} of ${formatGibibytes(memory.totalBytes)} memory free`,
  ];
  return words.filter((word) => word !== null).join(', ');
}
