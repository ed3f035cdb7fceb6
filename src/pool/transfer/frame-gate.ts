import {
  errorPayloadBytesMax,
  framePayloadBytesMax,
  helloBytesMax,
  strangerRequestBytesMax,
} from '../../base/limits.ts';
import { transferError } from './errors.ts';
import { type FrameHeader, frameKinds, tooLong } from './frame.ts';
import { methodDescriptions, methods, requestBytesMax } from './methods.ts';

export interface FrameSender {
  /** Whether the sender is a member of our pool, now. */
  readonly isMember: () => boolean;
  /** The method that the request with this id asked for; undefined when none is open. */
  readonly askedMethod: (requestId: number) => number | undefined;
}

/**
 * Refuses a frame by its header, before any memory is spent on it: a request longer than its method needs, a long one of a
 * stranger that may not ask it, and an answer longer than what was asked for. Throws `FRAME_TOO_LONG`, or
 * `NOT_A_MEMBER` where only members may be as long, with the field `requestId`.
 */
export function checkFrameLength(header: FrameHeader, sender: FrameSender): void {
  const { kind, payloadBytes, requestId } = header;
  const longest =
    kind === frameKinds.request ? requestBytesMax(header.method) : answerBytesMax(header, sender);
  if (payloadBytes > longest) throw tooLong(payloadBytes, requestId, longest);
  if (kind !== frameKinds.request || payloadBytes <= strangerRequestBytesMax) return;
  const description = methodDescriptions.get(header.method);
  if (description?.caller === 'anyone' || sender.isMember()) return;
  throw transferError('NOT_A_MEMBER', 'the asker is no member of this pool', {
    fields: { method: description?.name ?? header.method, requestId },
  });
}

/** What it answers counts, not what it says it answers. */
function answerBytesMax({ kind, requestId }: FrameHeader, { askedMethod }: FrameSender): number {
  if (kind === frameKinds.error) return errorPayloadBytesMax;
  const method = askedMethod(requestId);
  return method === undefined || method === methods.hello ? helloBytesMax : framePayloadBytesMax;
}
