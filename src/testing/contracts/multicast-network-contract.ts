import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { fromUtf8, utf8 } from '../../base/bytes.ts';
import type { Datagram, MulticastNetwork, MulticastOptions, MulticastSocket } from '../../ports/datagram.ts';

export interface MulticastFixture {
  readonly network: MulticastNetwork;
  /** A group and port that nobody else uses. */
  readonly groups: { readonly ipv4: string; readonly ipv6: string };
  readonly port: number;
  /** Waits for what the network is about to do. */
  wait<T>(promise: Promise<T>): Promise<T>;
}

interface OpenFixture extends MulticastFixture {
  /** Opens a socket that is closed at the end of the test, if not before. */
  open(options: MulticastOptions): Promise<MulticastSocket>;
}

/** Declares the tests that every {@link MulticastNetwork} passes, on the first interface it has, for each family. */
export function multicastNetworkContract(name: string, make: () => MulticastFixture): void {
  for (const family of ['ipv4', 'ipv6'] as const) {
    const declare = (
      title: string,
      body: (fixture: OpenFixture, options: MulticastOptions) => Promise<void>,
    ) =>
      test(`${name}, ${family}: ${title}`, async (context: TestContext) => {
        const made = make();
        const { network, groups, port } = made;
        const opened: MulticastSocket[] = [];
        const open = async (options: MulticastOptions) => {
          const socket = await network.open(options);
          opened.push(socket);
          return socket;
        };
        context.after(() => Promise.all(opened.map((socket) => socket.close())));
        const fixture = { ...made, open };
        const one = network.interfaces().find((item) => item.addresses.some((own) => own.family === family));
        if (one === undefined) return context.skip(`no interface has an ${family} address here`);
        await body(fixture, { interfaceName: one.name, family, group: groups[family], port });
      });

    declare(
      'every socket of the host hears what is sent to the group, the sender too',
      async (fixture, options) => {
        const { open, wait } = fixture;
        const [a, b] = [await open(options), await open(options)];
        const heard = Promise.all([next(a), next(b)]);
        a.send(utf8('hello'));
        const own = fixture.network.interfaces().find((one) => one.name === options.interfaceName)!.addresses;
        for (const datagram of await wait(heard)) {
          assert.equal(fromUtf8(datagram.bytes), 'hello');
          assert.equal(datagram.multicast, true);
          assert.equal(datagram.from.port, options.port);
          assert.ok(
            own.some((one) => one.address === datagram.from.address),
            datagram.from.address,
          );
        }
      },
    );

    declare(
      'an answer to the address that was heard arrives, and is no multicast',
      async (fixture, options) => {
        const { open, wait } = fixture;
        const [a, b] = [await open(options), await open(options)];
        const heard = next(b);
        a.send(utf8('question'));
        const { from } = await wait(heard);
        const answered = next(a);
        b.send(utf8('answer'), from);
        const answer = await wait(answered);
        assert.equal(fromUtf8(answer.bytes), 'answer');
        assert.equal(answer.multicast, false);
      },
    );

    declare('a closed socket neither hears nor says anything, and others go on', async (fixture, options) => {
      const { open, wait } = fixture;
      const [a, b] = [await open(options), await open(options)];
      const heardByClosed: Datagram[] = [];
      b.onMessage((datagram) => heardByClosed.push(datagram));
      await b.close();
      await b.close();
      b.send(utf8('from the grave'));
      const heard = next(a);
      a.send(utf8('alive'));
      assert.equal(fromUtf8((await wait(heard)).bytes), 'alive');
      assert.deepEqual(heardByClosed, []);
      await a.close();
      const again = await open(options);
      const heardAgain = next(again);
      again.send(utf8('again'));
      assert.equal(fromUtf8((await wait(heardAgain)).bytes), 'again');
    });

    declare('what is sent directly before closing is still sent', async (fixture, options) => {
      const { open, wait } = fixture;
      const [a, b] = [await open(options), await open(options)];
      const heard = next(b);
      a.send(utf8('last words'));
      await a.close();
      assert.equal(fromUtf8((await wait(heard)).bytes), 'last words');
    });

    declare('an interface that is not there is MULTICAST_UNAVAILABLE', async ({ network }, options) => {
      const absent = { ...options, interfaceName: 'absent0' };
      await assert.rejects(network.open(absent), { code: 'MULTICAST_UNAVAILABLE' });
    });
  }
}

function next(socket: MulticastSocket): Promise<Datagram> {
  return new Promise((resolve) => socket.onMessage(resolve));
}
