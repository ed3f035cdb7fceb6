import { AetherError } from '../../base/errors.ts';

export type BrokerUrlErrorCode =
  /** No `mqtt://host:port` or `mqtts://host:port`. */
  | 'MQTT_URL_INVALID'
  /** A password would go over the network for everybody to read. */
  | 'MQTT_PASSWORD_EXPOSED';

export interface BrokerAddress {
  readonly host: string;
  readonly port: number;
  readonly tls: boolean;
}

/** No user, password or path: a password in a URL ends up in logs. */
export const brokerUrlPattern = /^mqtts?:\/\/(?:\[[\da-fA-F:.]+(?:%[\w.-]+)?\]|[\w.-]+)(?::\d{1,5})?\/?$/;

/** IANA's port for MQTT, and for MQTT over TLS. */
const plainPort = 1883;
export const tlsPort = 8883;

/** Errors: `MQTT_URL_INVALID`. */
export function parseBrokerUrl(url: string): BrokerAddress {
  const parts = /^(mqtts?):\/\/(?:\[([^\]]+)\]|([^:/]+))(?::(\d+))?\/?$/.exec(url);
  const tls = parts?.[1] === 'mqtts';
  const host = parts?.[2] ?? parts?.[3];
  const port = Number(parts?.[4] ?? (tls ? tlsPort : plainPort));
  if (!brokerUrlPattern.test(url) || host === undefined || port < 1 || port > 65_535) {
    throw new AetherError<BrokerUrlErrorCode>('MQTT_URL_INVALID', 'this is no address of an MQTT broker', {
      help: 'Write mqtt://host:1883, or mqtts://host:8883; user name and password go into settings of their own.',
    });
  }
  return { host, port, tls };
}

/**
 * A password on an unencrypted connection is read by whoever shares the network, and by whoever answers in the
 * broker's name; people use one password twice. So it is refused, but on this computer itself, where nobody listens,
 * and where a person has said that the network is his own (`allowPlainPassword`).
 */
export function checkPlainPassword({ host, tls }: BrokerAddress, allowPlainPassword: boolean): void {
  if (tls || allowPlainPassword || isLoopback(host)) return;
  throw new AetherError<BrokerUrlErrorCode>(
    'MQTT_PASSWORD_EXPOSED',
    'the password for the MQTT broker would go over the network unencrypted',
    {
      fields: { host },
      help: 'Use mqtts:// (with caFile for an authority of your own), or set allowPlainPassword if all of the network is yours.',
    },
  );
}

/** By address only: what `localhost` resolves to is for others to say, but RFC 6761 §6.3 fixes that name. */
function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);
}
