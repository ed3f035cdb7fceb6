/** The same service by `ciao`: `ciao-child.ts advertise NAME`. */
import ciao from '@homebridge/ciao';

const [, name = 'box'] = process.argv.slice(2);
// It leaves out interfaces of virtual machines, as this one looks to it, unless they are named.
const responder = ciao.getResponder({ interface: 'eth0' });
process.stdout.write('starting\n');
const service = responder.createService({
  name,
  type: 'aetherstore',
  port: 4270,
  hostname: name,
  txt: { txtvers: '1', box: name },
});
await service.advertise();
process.once('SIGTERM', () => process.exit());
