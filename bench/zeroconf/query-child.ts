/**
 * Asks for a type of service on one interface, many times a second: `query-child.ts TYPE PER-SECOND SECONDS`. Questions
 * are of multicast DNS, answered to all; it counts the answers to the group that come from one other host.
 */
import { createSocket } from 'node:dgram';
import { networkInterfaces } from 'node:os';
import { encodeMessage } from '../../src/zeroconf/dns/encoder.ts';
import { query, recordType } from '../../src/zeroconf/dns/message.ts';
import { typeName } from '../../src/zeroconf/dnssd/service.ts';

const [type = '', perSecond = '200', durationSeconds = '10'] = process.argv.slice(2);
const group = '224.0.0.251';
const own = networkInterfaces().eth0!.find(({ family }) => family === 'IPv4')!.address;
const question = { name: typeName(type), type: recordType.ptr, class: 1, unicastResponse: false };
const packet = encodeMessage(query({ questions: [question], answers: [] }));
const socket = createSocket({ type: 'udp4', reuseAddr: true });
await new Promise<void>((resolve) => socket.bind(5353, () => resolve()));
socket.addMembership(group, own);
socket.setMulticastInterface(own);
socket.setMulticastTTL(255);
socket.setMulticastLoopback(false);
let replies = 0;
socket.on('message', (bytes, { address }) => {
  if (address !== own && (bytes[2]! & 0x80) !== 0) replies++;
});
const startedMs = performance.now();
let sent = 0;
const timer = setInterval(() => {
  const elapsedMs = performance.now() - startedMs;
  for (; sent < (elapsedMs / 1000) * Number(perSecond); sent++) socket.send(packet, 5353, group);
  if (elapsedMs < Number(durationSeconds) * 1000) return;
  clearInterval(timer);
  // Answers come within 120 ms, and what waits for the second within one.
  setTimeout(() => {
    process.stdout.write(`${JSON.stringify({ sent, replies })}\n`);
    socket.close();
  }, 200);
}, 1);
