/**
 * An MQTT broker (MQTT 3.1.1, OASIS 2014). One connection at a time, made and lost; whoever uses it decides when to try
 * again. Errors are `AetherError<BrokerErrorCode>`.
 */
export interface MessageBroker {
  /** Resolves once the broker has taken the connection. Gives up when `signal` aborts. */
  connect(options: BrokerOptions, signal: AbortSignal): Promise<BrokerConnection>;
}

export interface BrokerOptions {
  readonly host: string;
  readonly port: number;
  /** Null: unencrypted. */
  readonly tls: BrokerTls | null;
  /** A second connection with this id ends the first. */
  readonly clientId: string;
  readonly credentials: BrokerCredentials | null;
  /** What the broker publishes, retained, when this connection ends without `close`. */
  readonly lastWill: RetainedMessage;
}

export interface BrokerTls {
  /** What the broker's certificate must name. */
  readonly serverName: string;
  /** The only authorities trusted, PEM; null: those that Node trusts. */
  readonly caPem: string | null;
  /** What the broker knows this box by, PEM both; null: it does not ask for it. */
  readonly client: { readonly certificatePem: string; readonly keyPem: string } | null;
}

export interface BrokerCredentials {
  readonly username: string;
  readonly password: string;
}

export interface RetainedMessage {
  readonly topic: string;
  readonly payload: string;
}

export interface BrokerMessage {
  readonly topic: string;
  /** Undefined when it was longer than `mqttPayloadBytesMax`, or no UTF-8. */
  readonly payload: string | undefined;
  /** Sent before this subscription was made, and kept by the broker: nobody means it now. */
  readonly retained: boolean;
}

export interface BrokerConnection {
  /** Publishes with QoS 1 and retained; resolves when the broker has it. An empty payload takes away what was kept. */
  publish(message: RetainedMessage): Promise<void>;
  /** Resolves when the broker has agreed to all of them. */
  subscribe(topics: readonly string[]): Promise<void>;
  onMessage(listener: (message: BrokerMessage) => void): void;
  /** Calls `listener` once, with why, when the connection has ended other than by `close`. */
  onLost(listener: (error: unknown) => void): void;
  /** Says goodbye, so that the last will is not published. Resolves when the connection has ended. */
  close(): Promise<void>;
}

export type BrokerErrorCode =
  /** Nothing listens there, or nobody answers, or the name is not known. */
  | 'BROKER_UNREACHABLE'
  /** The user name, the password or the client certificate is not accepted, or a topic is forbidden. */
  | 'BROKER_DENIED'
  /** The broker's certificate is not one that is trusted, or is another host's. */
  | 'BROKER_CERTIFICATE'
  /** The certificates or the key that we were given are no PEM, or do not belong together. */
  | 'BROKER_PEM_INVALID'
  /** What answers speaks no MQTT, or no TLS, or breaks its rules. */
  | 'BROKER_PROTOCOL'
  /** The connection ended, or nothing was heard on it for too long. */
  | 'BROKER_LOST';
