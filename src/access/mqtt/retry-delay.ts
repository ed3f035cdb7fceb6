import { mqttRetryDelayMsMax, mqttRetryDelayMsMin } from '../../base/face-limits.ts';
import { type Entropy, uniform } from '../../ports/entropy.ts';

/**
 * How long to wait after so many failures in a row: doubled each time, the upper half of it by chance, so that all boxes
 * of a house do not come back in the same moment as their broker.
 */
export function retryDelayMs(failures: number, entropy: Entropy): number {
  const longestMs = Math.min(mqttRetryDelayMsMin * 2 ** Math.min(failures, 30), mqttRetryDelayMsMax);
  return longestMs * (0.5 + uniform(entropy) / 2);
}
