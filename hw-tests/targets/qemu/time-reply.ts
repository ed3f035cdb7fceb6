const packetBytes = 48;
/** From 1900 to 1970, seconds. */
const eraSeconds = 2_208_988_800;
const [client, server] = [3, 4];

/** What a time server answers at `nowMs` (since 1970); undefined to what is no question of a client. RFC 4330 §5. */
export function timeReply(request: Uint8Array, nowMs: number): Uint8Array | undefined {
  if (request.length < packetBytes || (request[0]! & 7) !== client) return undefined;
  const version = (request[0]! >> 3) & 7;
  const reply = Buffer.alloc(packetBytes);
  reply[0] = (version << 3) | server;
  reply[1] = 2; // stratum: a server whose time is another's
  reply[2] = request[2]!; // poll interval
  reply.writeInt8(-10, 3); // precision: 2^-10 s
  reply.writeUInt32BE(0x7f000001, 12); // whose time that is
  writeTime(reply, 16, nowMs);
  reply.set(request.subarray(40, 48), 24);
  writeTime(reply, 32, nowMs);
  writeTime(reply, 40, nowMs);
  return reply;
}

function writeTime(reply: Buffer, offset: number, nowMs: number): void {
  reply.writeUInt32BE((Math.floor(nowMs / 1000) + eraSeconds) % 2 ** 32, offset);
  reply.writeUInt32BE(Math.floor(((nowMs % 1000) / 1000) * 2 ** 32), offset + 4);
}
