import { MqttFace } from '../access/mqtt/mqtt-face.ts';
import { silentLog } from '../base/log.ts';
import { MqttBroker } from '../platform/mqtt-broker.ts';
import { NodeClock } from '../platform/node-clock.ts';
import { nodeEntropy } from '../platform/node-entropy.ts';
import { NotingControl } from './noting-control.ts';

/** A process with nothing but a face in it, to be killed: `node mqtt-child.ts PORT MEMBER-ID`. */
const [port, memberId] = process.argv.slice(2);

MqttFace.start(
  {
    memberId: memberId!,
    discoveryPrefix: 'homeassistant',
    dial: async () => ({ host: '127.0.0.1', port: Number(port), tls: null, credentials: null }),
  },
  {
    control: new NotingControl(),
    broker: new MqttBroker(),
    clock: new NodeClock(),
    entropy: nodeEntropy,
    log: silentLog,
  },
);
