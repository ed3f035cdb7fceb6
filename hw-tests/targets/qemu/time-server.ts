// A time server (SNTP, RFC 4330), as there is one behind every router that leads to the Internet: for boards without a
// clock of their own. Runs until it is ended.
import { createSocket } from 'node:dgram';
import { timeReply } from './time-reply.ts';

const socket = createSocket('udp4');
socket.on('message', (request, { address, port }) => {
  const reply = timeReply(request, Date.now());
  if (reply !== undefined) socket.send(reply, port, address);
});
socket.bind(123);
