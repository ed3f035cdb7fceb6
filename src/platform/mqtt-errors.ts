import { AetherError } from '../base/errors.ts';
import type { BrokerErrorCode } from '../ports/message-broker.ts';

/** The one place where errors of sockets, of OpenSSL and of MQTT become {@link BrokerErrorCode}s. */

const helps: Readonly<Record<BrokerErrorCode, string>> = {
  BROKER_UNREACHABLE: 'Check that the broker runs and that its address is right.',
  BROKER_DENIED: 'Check the user name, the password file and what the broker allows this user.',
  BROKER_CERTIFICATE:
    'Set caFile to the authority that signed the broker’s certificate, and use the name that it is for.',
  BROKER_PEM_INVALID: 'Check caFile, clientCertFile and clientKeyFile.',
  BROKER_PROTOCOL: 'Check the port: 1883 as a rule is for mqtt://, 8883 for mqtts://.',
  BROKER_LOST: 'Nothing needs doing: the box tries again by itself.',
};

const systemCodes: Readonly<Record<string, BrokerErrorCode>> = {
  ECONNREFUSED: 'BROKER_UNREACHABLE',
  ETIMEDOUT: 'BROKER_UNREACHABLE',
  EHOSTUNREACH: 'BROKER_UNREACHABLE',
  ENETUNREACH: 'BROKER_UNREACHABLE',
  EHOSTDOWN: 'BROKER_UNREACHABLE',
  EADDRNOTAVAIL: 'BROKER_UNREACHABLE',
  ENOTFOUND: 'BROKER_UNREACHABLE',
  EAI_AGAIN: 'BROKER_UNREACHABLE',
  EPROTO: 'BROKER_PROTOCOL',
};

/** What the broker answers to CONNECT (MQTT 3.1.1 §3.2.2.3). */
const connectCodes: Readonly<Record<number, BrokerErrorCode>> = {
  1: 'BROKER_PROTOCOL',
  2: 'BROKER_DENIED',
  3: 'BROKER_UNREACHABLE',
  4: 'BROKER_DENIED',
  5: 'BROKER_DENIED',
};

/** OpenSSL's names for what is wrong with a certificate, and Node's for a name that does not fit. */
const certificateCode =
  /^(CERT_|CRL_|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|ERR_TLS_CERT_|INVALID_(CA|PURPOSE)|PATH_LENGTH_|HOSTNAME_MISMATCH)/;
/** What a broker says that wants a certificate of ours, or another one. */
const clientCertificateAlert = /^ERR_SSL_\w*ALERT_\w*(CERTIFICATE|UNKNOWN_CA|ACCESS_DENIED)/;

const words: Readonly<Record<BrokerErrorCode, string>> = {
  BROKER_UNREACHABLE: 'the MQTT broker cannot be reached',
  BROKER_DENIED: 'the MQTT broker does not let this box in',
  BROKER_CERTIFICATE: 'the certificate of the MQTT broker is not trusted',
  BROKER_PEM_INVALID: 'a certificate or key for the MQTT broker cannot be used',
  BROKER_PROTOCOL: 'what answers there does not speak MQTT as it should',
  BROKER_LOST: 'the connection to the MQTT broker has ended',
};

export function brokerError(
  code: BrokerErrorCode,
  message = words[code],
  cause?: unknown,
): AetherError<BrokerErrorCode> {
  return new AetherError(code, message, { help: helps[code], cause });
}

/** Why a connection has ended; undefined: the broker hung up. */
export function translateBrokerError(error: unknown): unknown {
  if (error instanceof AetherError || typeof error === 'string') return error;
  const reason = error instanceof Error ? ` (${error.message.split('\n', 1)[0]})` : '';
  const known = codeOf(error);
  return brokerError(known, `${words[known]}${reason}`, error);
}

function codeOf(error: unknown): BrokerErrorCode {
  if (error === undefined) return 'BROKER_LOST';
  const { code, message } = error as { readonly code?: string | number; readonly message?: string };
  if (typeof code === 'number') return connectCodes[code] ?? 'BROKER_PROTOCOL';
  // The package gives no codes of its own: but for silence it speaks of bytes that it cannot parse.
  if (code === undefined) return message === 'Keepalive timeout' ? 'BROKER_LOST' : 'BROKER_PROTOCOL';
  if (certificateCode.test(code)) return 'BROKER_CERTIFICATE';
  if (clientCertificateAlert.test(code)) return 'BROKER_DENIED';
  if (code.startsWith('ERR_OSSL_')) return 'BROKER_PEM_INVALID';
  if (code.startsWith('ERR_SSL_')) return 'BROKER_PROTOCOL';
  return systemCodes[code] ?? 'BROKER_LOST';
}
