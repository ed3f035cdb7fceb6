import { brokerUrlPattern } from './access/mqtt/broker-url.ts';
import {
  type ConfigOf,
  choiceField,
  countField,
  flagField,
  listField,
  nullable,
  objectField,
  parseConfig,
  textField,
  withDefault,
} from './base/config.ts';
import { serialLinesMax } from './base/face-limits.ts';
import { volumesMax } from './base/limits.ts';

/** Where a box listens unless told otherwise. Not registered with IANA; found by DNS-SD, so any port does. */
export const defaultPort = 4270;

/** Where its page is. The appliance's image has it on 443, with 80 leading there. */
export const defaultWebPort = 4280;
/**
 * An MQTT broker that a person gives. Passwords and keys are in files of their own, which `box.json` only names: it is
 * shown, copied and sent to others.
 */
const mqttSchema = objectField({
  /** `mqtts://host:8883`; null: the one found on the network that a person approves. */
  url: nullable(textField({ charactersMax: 300, pattern: brokerUrlPattern })),
  username: nullable(textField({ charactersMax: 256 })),
  passwordFile: nullable(textField()),
  /** The authority that signs the broker's certificate, PEM; those that Node trusts when left out. */
  caFile: nullable(textField()),
  clientCertFile: nullable(textField()),
  clientKeyFile: nullable(textField()),
  allowPlainPassword: withDefault(flagField(), false),
  discoveryPrefix: withDefault(
    textField({ charactersMax: 64, pattern: /^[\w-]+(\/[\w-]+)*$/ }),
    'homeassistant',
  ),
});

export type MqttConfig = ConfigOf<typeof mqttSchema>;

/** `box.json` in a box's folder; every key may be left out. Flags of the command line come before it. */
const schema = objectField({
  /** What people call this box; the host name and service name start from it. */
  name: nullable(textField({ charactersMax: 63 })),
  listen: withDefault(
    objectField({
      host: withDefault(textField({ charactersMax: 255 }), '::'),
      port: nullable(countField({ max: 65_535 })),
    }),
    { host: '::', port: null },
  ),
  /** Folders, each the root of a disk of its own. */
  volumes: withDefault(
    listField(
      objectField({
        path: textField(),
        /** What the pool may use of it, in GiB; the whole disk when left out. */
        limitGiB: nullable(countField({ min: 1 })),
      }),
      { itemsMax: volumesMax },
    ),
    [],
  ),
  /** Addresses from 169.254/16 (RFC 3927): where no DHCP server answers, always, or never. */
  linkLocal: withDefault(choiceField(['fallback', 'always', 'never']), 'fallback'),
  /** The page for browsers, over TLS; `plainPort` leads there from plain HTTP. */
  web: withDefault(
    objectField({
      on: withDefault(flagField(), true),
      port: nullable(countField({ max: 65_535 })),
      plainPort: nullable(countField({ max: 65_535 })),
    }),
    { on: true, port: null, plainPort: null },
  ),
  /** Serial lines with the maintenance console on them: the UART, a USB gadget. */
  serial: withDefault(listField(textField(), { itemsMax: serialLinesMax }), []),
  console: withDefault(choiceField(['terminal', 'none']), 'terminal'),
  mqtt: withDefault(mqttSchema, mqttSchema.read({}, 'mqtt')),
});

export type BoxConfig = ConfigOf<typeof schema>;

/** Errors: `CONFIG_INVALID`, `CONFIG_UNKNOWN_KEY`. */
export function parseBoxConfig(text: string): BoxConfig {
  return parseConfig(text, schema, 'box.json');
}

export const defaultBoxConfig: BoxConfig = parseBoxConfig('{}');
