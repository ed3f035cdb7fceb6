/** What we use of `mdns-js`, which brings no types. */
declare module 'mdns-js' {
  import type { EventEmitter } from 'node:events';

  interface Sighting {
    /** Addresses that packets came from. */
    readonly addresses: readonly string[];
    readonly fullname?: string;
    readonly host?: string;
    readonly port?: number;
    readonly txt?: readonly string[];
  }

  interface Browser extends EventEmitter {
    discover(): void;
    stop(): void;
    on(event: 'ready', listener: () => void): this;
    on(event: 'update', listener: (sighting: Sighting) => void): this;
  }

  const mdns: {
    createBrowser(type: string): Browser;
    excludeInterface(address: string): void;
  };
  export default mdns;
}
