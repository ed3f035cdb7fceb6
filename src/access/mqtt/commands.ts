import { mqttCommandGapMs } from '../../base/face-limits.ts';
import type { BrokerMessage } from '../../ports/message-broker.ts';
import { payloads, type Topics } from './topics.ts';

export type Command = 'identify' | 'restart' | 'update';

/** When each command was followed last, on the monotonic clock. */
export type CommandTimes = Readonly<Partial<Record<Command, number>>>;

export type CommandAnswer =
  | { readonly kind: 'follow'; readonly command: Command; readonly times: CommandTimes }
  | { readonly kind: 'greeting' }
  | { readonly kind: 'refuse'; readonly reason: CommandRefusal };

/** `retained`: kept by the broker from before, and so would come again after each restart. */
export type CommandRefusal = 'retained' | 'payload' | 'too often' | 'topic';

/** What a message asks for, if anything. */
export function judge(
  message: BrokerMessage,
  topics: Topics,
  times: CommandTimes,
  nowMs: number,
): CommandAnswer {
  const { topic, payload, retained } = message;
  if (topic === topics.homeAssistant)
    return payload === payloads.online ? { kind: 'greeting' } : { kind: 'refuse', reason: 'payload' };
  const command = (['identify', 'restart', 'update'] as const).find((one) => topics[one] === topic);
  if (command === undefined) return { kind: 'refuse', reason: 'topic' };
  if (retained) return { kind: 'refuse', reason: 'retained' };
  const expected = command === 'update' ? payloads.install : payloads.press;
  if (payload !== expected) return { kind: 'refuse', reason: 'payload' };
  const lastMs = times[command];
  if (lastMs !== undefined && nowMs - lastMs < mqttCommandGapMs[command])
    return { kind: 'refuse', reason: 'too often' };
  return { kind: 'follow', command, times: { ...times, [command]: nowMs } };
}
