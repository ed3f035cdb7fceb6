import { ApprovedBroker } from './access/mqtt/approved-broker.ts';
import { type BrokerAddress, checkPlainPassword, parseBrokerUrl, tlsPort } from './access/mqtt/broker-url.ts';
import {
  currentOffer,
  type FoundBroker,
  foundBrokers,
  type OfferedBroker,
} from './access/mqtt/found-brokers.ts';
import { type DialOptions, MqttFace, type MqttState } from './access/mqtt/mqtt-face.ts';
import { AetherError } from './base/errors.ts';
import type { Log } from './base/log.ts';
import { addressesOf } from './box-announcer.ts';
import type { MqttConfig } from './box-config.ts';
import type { ApplianceControl } from './control/appliance-control.ts';
import type { Clock } from './ports/clock.ts';
import type { MulticastNetwork } from './ports/datagram.ts';
import type { Disk } from './ports/disk.ts';
import type { Entropy } from './ports/entropy.ts';
import type { BrokerTls, MessageBroker } from './ports/message-broker.ts';
import { Browser } from './zeroconf/dnssd/browse.ts';

export type BoxMqttErrorCode =
  /** Nobody announces a broker of this name. */
  | 'MQTT_BROKER_UNKNOWN'
  /** A broker is given in `box.json`; it goes before those found. */
  | 'MQTT_BROKER_GIVEN'
  /** The settings of `box.json` do not fit together. */
  | 'MQTT_CONFIG_INVALID'
  /** A password or certificate file cannot be read. */
  | 'MQTT_FILE_UNREADABLE';

export interface BoxMqttOptions {
  readonly control: ApplianceControl;
  readonly config: MqttConfig;
  /** The folder `state/`. */
  readonly stateDisk: Disk;
  /** Hexadecimal member id. */
  readonly boxId: string;
  /** Reads a small text file that a person named; read anew for each connection, so that a change is taken up. */
  readonly readText: (path: string) => Promise<string>;
  readonly broker: MessageBroker;
  readonly network: MulticastNetwork;
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly log: Log;
}

const brokerServiceType = '_mqtt._tcp';

/** A box's MQTT face with its broker: the one that `box.json` gives, or the found one that a person has approved. */
export class BoxMqtt {
  readonly #options: BoxMqttOptions;
  readonly #approved: ApprovedBroker;
  readonly #browser: Browser;
  readonly #face: MqttFace;

  private constructor(options: BoxMqttOptions, approved: ApprovedBroker, browser: Browser) {
    this.#options = options;
    this.#approved = approved;
    this.#browser = browser;
    this.#face = MqttFace.start(
      {
        memberId: options.boxId,
        discoveryPrefix: options.config.discoveryPrefix,
        dial: (attempt) => this.#dial(attempt),
      },
      options,
    );
  }

  /** Looks for brokers from now on; speaks to one only when it is given or approved. */
  static async start(options: BoxMqttOptions): Promise<BoxMqtt> {
    const approved = await ApprovedBroker.open(options.stateDisk, options);
    const browser = await Browser.start({ type: brokerServiceType }, options);
    return new BoxMqtt(options, approved, browser);
  }

  found(): readonly FoundBroker[] {
    return foundBrokers(this.#offered(), this.#approved.broker);
  }

  /**
   * A person wants the box to speak to this broker; durable on return. Errors: `MQTT_BROKER_UNKNOWN`,
   * `MQTT_BROKER_GIVEN`, those of the disk.
   */
  async approve(instance: string): Promise<void> {
    if (this.#options.config.url !== null) {
      throw new AetherError<BoxMqttErrorCode>('MQTT_BROKER_GIVEN', 'box.json gives the MQTT broker already', {
        help: 'Remove url from mqtt in box.json to use one that was found.',
      });
    }
    const chosen = this.#offered().find((broker) => broker.instance === instance);
    if (chosen === undefined) {
      throw new AetherError<BoxMqttErrorCode>(
        'MQTT_BROKER_UNKNOWN',
        'no MQTT broker of this name is announced',
        {
          help: 'Choose one of those that are found, or give its address in box.json.',
        },
      );
    }
    await this.#approved.set(chosen);
    await this.#face.redial();
  }

  /** The box takes itself off the approved broker, Home Assistant's device included, and says nothing more to it. */
  async forget(): Promise<void> {
    const wasApproved = this.#approved.broker !== null;
    await this.#approved.set(null);
    if (wasApproved && this.#options.config.url === null) await this.#face.redial('forget');
  }

  state(): MqttState {
    return this.#face.state();
  }

  async close(): Promise<void> {
    await this.#browser.close();
    await this.#face.close();
  }

  #offered(): readonly OfferedBroker[] {
    return this.#browser.found().map((service) => ({
      instance: service.instance,
      host: service.host,
      port: service.port,
      addresses: addressesOf(service).map(({ host }) => host),
    }));
  }

  async #dial(attempt: number): Promise<DialOptions | undefined> {
    const { config, readText } = this.#options;
    const target = this.#target(attempt);
    if (target === undefined) return undefined;
    const { username, passwordFile } = config;
    if (passwordFile !== null && username === null) throw configInvalid('passwordFile needs username');
    if (passwordFile !== null) checkPlainPassword(target, config.allowPlainPassword);
    const password = passwordFile === null ? '' : (await readSetting(readText, passwordFile)).trim();
    return {
      host: target.host,
      port: target.port,
      tls: target.tls ? await tlsOf(config, target.serverName, readText) : null,
      credentials: username === null ? null : { username, password },
    };
  }

  /** Of an approved broker one address after the other; encrypted on the port that IANA gave to MQTT over TLS. */
  #target(attempt: number): (BrokerAddress & { readonly serverName: string }) | undefined {
    const { url } = this.#options.config;
    if (url !== null) {
      const given = parseBrokerUrl(url);
      return { ...given, serverName: given.host };
    }
    const approved = this.#approved.broker;
    if (approved === null) return undefined;
    const { host, port, addresses } = currentOffer(this.#offered(), approved);
    const address = addresses[attempt % Math.max(1, addresses.length)] ?? host;
    return { host: address, port, tls: port === tlsPort, serverName: host };
  }
}

async function tlsOf(
  { caFile, clientCertFile, clientKeyFile }: MqttConfig,
  serverName: string,
  readText: (path: string) => Promise<string>,
): Promise<BrokerTls> {
  if ((clientCertFile === null) !== (clientKeyFile === null))
    throw configInvalid('clientCertFile and clientKeyFile need each other');
  const read = (path: string | null) => (path === null ? null : readSetting(readText, path));
  const [caPem, certificatePem, keyPem] = await Promise.all(
    [caFile, clientCertFile, clientKeyFile].map(read),
  );
  const client = certificatePem && keyPem ? { certificatePem, keyPem } : null;
  return { serverName, caPem: caPem ?? null, client };
}

async function readSetting(readText: (path: string) => Promise<string>, path: string): Promise<string> {
  try {
    return await readText(path);
  } catch (cause) {
    throw new AetherError<BoxMqttErrorCode>(
      'MQTT_FILE_UNREADABLE',
      'a file that the mqtt settings name cannot be read',
      {
        fields: { path },
        help: `Check that ${path} exists and that the box may read it.`,
        cause,
      },
    );
  }
}

function configInvalid(what: string): AetherError<BoxMqttErrorCode> {
  return new AetherError('MQTT_CONFIG_INVALID', `mqtt in box.json: ${what}`, {
    help: 'Correct box.json and restart.',
  });
}
