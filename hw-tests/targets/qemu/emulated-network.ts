import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Lan, type LanHost } from '../../../scripts/lan/network.ts';
import type { Program } from '../../../scripts/lan/processes.ts';
import type { Wire } from './machine-kind.ts';

const leaseWaitMs = 60_000;

/** A switch with a person's computer, another one, and a router that gives addresses, or does not. */
export class EmulatedNetwork {
  readonly desktop: LanHost;
  readonly second: LanHost;
  readonly #lan: Lan;
  readonly #router: LanHost;
  readonly #leases: string;
  readonly #tellsTime: boolean;
  #server: Program | undefined;
  #boxes = 0;

  /** `folder`: where the router keeps what it gave to whom; `tellsTime`: it has a time server, and says so by DHCP. */
  constructor(folder: string, tellsTime: boolean) {
    this.#tellsTime = tellsTime;
    this.#lan = Lan.create(['desktop', 'second', 'router']);
    this.desktop = this.#lan.host('desktop');
    this.second = this.#lan.host('second');
    this.#router = this.#lan.host('router');
    this.#leases = join(folder, 'leases');
    writeFileSync(this.#leases, '');
    if (tellsTime) this.#router.start(process.execPath, [join(import.meta.dirname, 'time-server.ts')]);
  }

  /** A wire for one more box, and the address on it that its maker gave it. */
  wire(): Wire {
    const number = ++this.#boxes;
    // QEMU's USB network card begins with 40 whatever it is told.
    const mac = `40:54:00:ae:00:${number.toString(16).padStart(2, '0')}`;
    return { tap: this.#lan.plugTap(`box${number}`), mac };
  }

  /** Whether a DHCP server answers. */
  async dhcp(on: boolean): Promise<void> {
    if (on === (this.#server !== undefined)) return;
    if (!on) {
      await this.#server?.stop(2000);
      this.#server = undefined;
      return;
    }
    const prefix = this.#router.address.replace(/\.\d+$/, '');
    this.#server = this.#router.start('dnsmasq', [
      ...[
        '--keep-in-foreground',
        '--conf-file=/dev/null',
        '--port=0',
        '--interface=eth0',
        '--bind-interfaces',
        // It would look for three seconds whether somebody has the address that it gives for the first time.
        '--no-ping',
      ],
      ...[`--dhcp-range=${prefix}.100,${prefix}.199,255.255.255.0,infinite`, '--dhcp-authoritative'],
      ...(this.#tellsTime ? ['--dhcp-option=option:ntp-server,0.0.0.0'] : []),
      ...[`--dhcp-leasefile=${this.#leases}`, '--pid-file=', '--user=root', '--log-facility=-'],
    ]);
  }

  /** What the router gave to this box. */
  async address(mac: string): Promise<string> {
    for (let waitedMs = 0; waitedMs < leaseWaitMs; waitedMs += 200) {
      const lease = readFileSync(this.#leases, 'utf8')
        .split('\n')
        .map((line) => line.split(' '))
        .find((words) => words[1] === mac);
      if (lease?.[2] !== undefined) return lease[2];
      await delay(200);
    }
    throw new Error(`the box asked no DHCP server for an address within ${leaseWaitMs / 1000} s`);
  }

  async close(): Promise<void> {
    await this.dhcp(false);
    this.#lan.close();
  }
}
