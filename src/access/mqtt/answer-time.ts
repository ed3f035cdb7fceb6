import { AetherError } from '../../base/errors.ts';
import { mqttAnswerTimeoutMs } from '../../base/face-limits.ts';
import type { Clock } from '../../ports/clock.ts';
import type { BrokerErrorCode } from '../../ports/message-broker.ts';

/**
 * What `ask` resolves with, or `BROKER_UNREACHABLE` when that takes longer than `limitMs`; the signal that `ask` gets
 * aborts then, and when `stop` does.
 */
export async function withinAnswerTime<T>(
  clock: Clock,
  stop: AbortSignal | undefined,
  ask: (signal: AbortSignal) => Promise<T>,
  limitMs = mqttAnswerTimeoutMs,
): Promise<T> {
  const abort = new AbortController();
  const late = Promise.withResolvers<never>();
  late.promise.catch(() => {});
  const giveUp = (reason: unknown) => {
    abort.abort(reason);
    late.reject(reason);
  };
  const onStop = () => giveUp(stop?.reason);
  stop?.addEventListener('abort', onStop, { once: true });
  const timer = clock.after(limitMs, () => giveUp(noAnswer()));
  if (stop?.aborted) onStop();
  try {
    return await Promise.race([ask(abort.signal), late.promise]);
  } finally {
    timer.cancel();
    stop?.removeEventListener('abort', onStop);
  }
}

function noAnswer(): AetherError<BrokerErrorCode> {
  return new AetherError('BROKER_UNREACHABLE', 'the MQTT broker does not answer', {
    help: 'Check that the broker runs and that its address is right.',
  });
}
