import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Bytes, viewOf } from '../../base/bytes.ts';
import { linkAnswerMsMax } from '../../base/discovery-limits.ts';
import type { DescriptorEvents } from './descriptor-events.ts';
import { NetlinkLinkTable } from './netlink-link-table.ts';
import type { NetlinkBody, NetlinkMessage } from './netlink-message.ts';

/** A kernel with one interface, whose answers wait until a test lets them go. */
class Kernel {
  readonly asked: { readonly kind: number; readonly sequence: number; readonly index: number }[] = [];
  answers = true;
  hear!: (messages: readonly NetlinkMessage[]) => void;
  overrun!: () => void;
  #answered = 0;

  open = (
    _events: DescriptorEvents,
    hear: (messages: readonly NetlinkMessage[]) => void,
    overrun: () => void,
  ) => {
    this.hear = hear;
    this.overrun = overrun;
    return { send: (request: Bytes) => this.#send(request), close: () => Promise.resolve() };
  };

  table(): Promise<NetlinkLinkTable> {
    return NetlinkLinkTable.open(undefined as never, this.open);
  }

  answer(): void {
    for (const { kind, sequence } of this.asked.slice(this.#answered)) {
      this.#answered++;
      const said = (body: NetlinkBody) => ({ sequence, interrupted: false, body });
      if (kind === getLink) queueMicrotask(() => this.hear([said(eth0), said({ kind: 'done' })]));
      else if (kind === getAddress) queueMicrotask(() => this.hear([said({ kind: 'done' })]));
      else queueMicrotask(() => this.hear([said({ kind: 'answer', error: 0 })]));
    }
  }

  #send(request: Bytes): void {
    const view = viewOf(request);
    const [kind, sequence] = [view.getUint16(4, true), view.getUint32(8, true)];
    this.asked.push({ kind, sequence, index: view.getUint32(20, true) });
    if (this.answers) this.answer();
  }
}

const [getLink, newAddress, getAddress] = [18, 20, 22];
const eth0: NetlinkBody = {
  kind: 'link',
  gone: false,
  link: {
    index: 2,
    name: 'eth0',
    type: 1,
    flags: 0x10041,
    mac: new Uint8Array(6),
    hasMaster: false,
    carrierChanges: 1,
  },
};
const change = { interfaceName: 'eth0', address: '169.254.7.7', prefixLength: 16 };

test('an address can be given to an interface while the table is read anew', async () => {
  const kernel = new Kernel();
  const table = await kernel.table();
  kernel.answers = false;
  kernel.overrun();
  const added = table.addAddress(change);
  kernel.answer();
  await added;
  assert.deepEqual(
    kernel.asked.filter(({ kind }) => kind === newAddress).map(({ index }) => index),
    [2],
  );
  await assert.rejects(table.addAddress({ ...change, interfaceName: 'eth7' }), { code: 'LINK_GONE' });
  kernel.answers = true;
  kernel.answer();
  await table.close();
});

test('of a table that could not be read anew nothing is told: what was known stays', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const kernel = new Kernel();
  const table = await kernel.table();
  let changes = 0;
  table.onChange(() => changes++);
  kernel.answers = false;
  kernel.overrun();
  t.mock.timers.tick(linkAnswerMsMax);
  await new Promise(setImmediate);
  assert.deepEqual([table.links().map(({ name }) => name), changes], [['eth0'], 0]);
  kernel.hear([
    {
      sequence: 0,
      interrupted: false,
      body: { ...eth0, link: { ...eth0.link, index: 3, name: 'eth1' } } as NetlinkBody,
    },
  ]);
  assert.deepEqual(
    table.links().map(({ name }) => name),
    ['eth0'],
  );
  await table.close();
});
