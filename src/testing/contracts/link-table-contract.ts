import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { LinkState, LinkTable } from '../../ports/link-table.ts';

export interface LinkTableFixture {
  readonly links: LinkTable;
  /** An Ethernet interface that is plugged in and has no IPv4 address. */
  readonly interfaceName: string;
  /** As another program would. */
  give(address: string): Promise<void>;
  take(address: string): Promise<void>;
  plug(): Promise<void>;
  unplug(): Promise<void>;
  /** Waits until it holds; fails when it does not. */
  until(holds: () => boolean): Promise<void>;
}

/** Declares the tests that every {@link LinkTable} passes. */
export function linkTableContract(
  name: string,
  make: (context: TestContext) => Promise<LinkTableFixture | string>,
): void {
  const declare = (
    title: string,
    body: (fixture: LinkTableFixture, link: () => LinkState) => Promise<void>,
  ) =>
    test(`${name}: ${title}`, async (context) => {
      const fixture = await make(context);
      if (typeof fixture === 'string') return context.skip(fixture);
      const link = () => fixture.links.links().find((one) => one.name === fixture.interfaceName)!;
      await body(fixture, link);
    });
  const four = (link: LinkState) =>
    link.addresses.filter(({ family }) => family === 'ipv4').map(({ address }) => address);

  declare('an interface has a number, a hardware address and a cable', async (_, link) => {
    assert.ok(link().index > 0);
    assert.equal(link().mac.length, 6);
    assert.equal(link().isEthernet, true);
    assert.equal(link().isUp, true);
  });

  declare(
    'addresses that others give and take are told, with where they came from',
    async (fixture, link) => {
      let told = 0;
      fixture.links.onChange(() => told++);
      await fixture.give('192.0.2.7');
      await fixture.until(() => four(link()).includes('192.0.2.7'));
      const given = link().addresses.find(({ address }) => address === '192.0.2.7')!;
      assert.deepEqual(
        [given.family, given.prefixLength, given.origin, given.isTentative],
        ['ipv4', 24, 'static', false],
      );
      await fixture.take('192.0.2.7');
      await fixture.until(() => four(link()).length === 0);
      assert.ok(told >= 2);
    },
  );

  declare('an address is added and removed, a second time without complaint', async (fixture, link) => {
    const { links, interfaceName, until } = fixture;
    const change = { interfaceName, address: '169.254.7.7', prefixLength: 16 };
    for (let time = 0; time < 2; time++) await links.addAddress(change);
    await until(() => four(link()).length === 1);
    const [own] = link().addresses.filter(({ family }) => family === 'ipv4');
    assert.deepEqual([own!.address, own!.origin], ['169.254.7.7', 'link-local']);
    for (let time = 0; time < 2; time++) await links.removeAddress(change);
    await until(() => four(link()).length === 0);
  });

  declare('a cable that goes and comes is told, and counted', async (fixture, link) => {
    const before = link().carrierChanges;
    await fixture.unplug();
    await fixture.until(() => !link().isUp);
    await fixture.plug();
    await fixture.until(() => link().isUp);
    assert.ok(link().carrierChanges > before);
  });

  declare('changing an interface that is not there is LINK_GONE', async ({ links }) => {
    const change = { interfaceName: 'absent0', address: '169.254.7.7', prefixLength: 16 };
    await assert.rejects(links.addAddress(change), { code: 'LINK_GONE' });
    await assert.rejects(links.removeAddress(change), { code: 'LINK_GONE' });
  });

  declare('nobody is told anything after the table was closed', async (fixture) => {
    let told = 0;
    fixture.links.onChange(() => told++);
    await fixture.links.close();
    await fixture.give('192.0.2.7');
    await fixture.take('192.0.2.7');
    assert.equal(told, 0);
  });
}
