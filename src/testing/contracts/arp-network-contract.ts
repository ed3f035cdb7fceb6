import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { Bytes } from '../../base/bytes.ts';
import type { ArpLink, ArpNetwork } from '../../ports/arp-network.ts';
import { arpProbe } from '../../zeroconf/ipv4ll/arp-packet.ts';

export interface ArpNetworkFixture {
  /** Two hosts' ARP on one wire, and an interface of each that is plugged in. */
  readonly near: { readonly arp: ArpNetwork; readonly interfaceName: string };
  readonly far: { readonly arp: ArpNetwork; readonly interfaceName: string };
  /** Waits until it holds; fails when it does not. */
  until(holds: () => boolean): Promise<void>;
}

/** Declares the tests that every {@link ArpNetwork} passes. */
export function arpNetworkContract(
  name: string,
  make: (context: TestContext) => Promise<ArpNetworkFixture | string>,
): void {
  const declare = (
    title: string,
    body: (ends: { near: ArpLink; far: ArpLink }, fixture: ArpNetworkFixture) => Promise<void>,
  ) =>
    test(`${name}: ${title}`, async (context) => {
      const fixture = await make(context);
      if (typeof fixture === 'string') return context.skip(fixture);
      const near = await fixture.near.arp.open(fixture.near.interfaceName);
      const far = await fixture.far.arp.open(fixture.far.interfaceName);
      context.after(() => Promise.all([near.close(), far.close()]));
      await body({ near, far }, fixture);
    });
  const probe = arpProbe(new Uint8Array([2, 0, 0, 0, 0, 7]), '169.254.7.7');
  const heardBy = (link: ArpLink) => {
    const heard: Bytes[] = [];
    link.onFrame((frame) => heard.push(frame));
    return heard;
  };
  const isProbe = (frame: Bytes) => Buffer.from(frame).equals(Buffer.from(probe));

  declare('a frame arrives whole at the other host, and not at its own sender', async (ends, { until }) => {
    const [own, heard] = [heardBy(ends.near), heardBy(ends.far)];
    ends.near.send(probe);
    await until(() => heard.some(isProbe));
    assert.equal(own.some(isProbe), false);
  });

  declare('a closed link neither hears nor says anything, and others go on', async (ends, fixture) => {
    const other = await fixture.far.arp.open(fixture.far.interfaceName);
    const [closed, heard] = [heardBy(ends.far), heardBy(other)];
    await ends.far.close();
    await ends.far.close();
    ends.far.send(probe);
    ends.near.send(probe);
    await fixture.until(() => heard.some(isProbe));
    assert.equal(closed.length, 0);
    await other.close();
  });

  declare('an interface that is not there is ARP_LINK_GONE', async (_, { near }) => {
    await assert.rejects(near.arp.open('absent0'), { code: 'ARP_LINK_GONE' });
  });
}
