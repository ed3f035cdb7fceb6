import assert from 'node:assert/strict';
import type { Bytes } from '../../base/bytes.ts';
import { dnsMessageBytesMax, mdnsPacketBytesMax } from '../../base/discovery-limits.ts';
import { encodeLegacyReply, encodePackets } from '../../zeroconf/dns/encoder.ts';
import type { SendAction } from '../../zeroconf/mdns/responder.ts';

/** The packets that a machine's message goes out in, as the host of the sockets makes them. */
export function sentBytes({ message, legacy }: SendAction): readonly Bytes[] {
  const packets =
    legacy === true
      ? [encodeLegacyReply(message, mdnsPacketBytesMax)]
      : encodePackets(message, mdnsPacketBytesMax);
  for (const packet of packets) assert.ok(packet.length <= dnsMessageBytesMax, 'a packet over 9000 bytes');
  return packets;
}
