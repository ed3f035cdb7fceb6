import { createCipheriv, createDecipheriv, hkdfSync } from 'node:crypto';
import { type Bytes, concat, utf8 } from '../../base/bytes.ts';

export type MessageDirection = 'to box' | 'to desktop';

/** The two ends of the TLS connection that the exchange ran on. */
export interface PairingEnds {
  readonly desktopMemberId: Bytes;
  readonly boxMemberId: Bytes;
}

const nonce = new Uint8Array(12);
const tagBytes = 16;

/**
 * Seals the one message of a direction: AES-256-GCM under HKDF(session key, info = direction ‖ desktop's member id ‖
 * box's member id), nonce zero since each key seals one message. Who relays the exchange over two connections of its
 * own gets other ends, hence other keys.
 */
export function sealMessage(
  sessionKey: Bytes,
  direction: MessageDirection,
  ends: PairingEnds,
  message: Bytes,
): Bytes {
  const cipher = createCipheriv('aes-256-gcm', keyOf(sessionKey, direction, ends), nonce);
  return concat([cipher.update(message), cipher.final(), cipher.getAuthTag()]);
}

/** The message, or undefined when it was not sealed under this key, in this direction, between these ends. */
export function openMessage(
  sessionKey: Bytes,
  direction: MessageDirection,
  ends: PairingEnds,
  sealed: Bytes,
): Bytes | undefined {
  if (sealed.length < tagBytes) return undefined;
  const options = { authTagLength: tagBytes };
  const decipher = createDecipheriv('aes-256-gcm', keyOf(sessionKey, direction, ends), nonce, options);
  decipher.setAuthTag(sealed.subarray(sealed.length - tagBytes));
  try {
    return concat([decipher.update(sealed.subarray(0, sealed.length - tagBytes)), decipher.final()]);
  } catch {
    return undefined;
  }
}

function keyOf(sessionKey: Bytes, direction: MessageDirection, ends: PairingEnds): Bytes {
  const info = concat([utf8(direction), ends.desktopMemberId, ends.boxMemberId]);
  return new Uint8Array(hkdfSync('sha256', sessionKey, new Uint8Array(0), info, 32));
}
