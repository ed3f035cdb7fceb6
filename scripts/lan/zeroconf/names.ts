import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import type { SeenService } from '../avahi.ts';
import { Aether, logFileOf } from '../box-process.ts';
import { check, read, type Scenario, until } from './scene.ts';

const type = '_aetherstore._tcp';

function named(services: readonly SeenService[], instance: string): readonly SeenService[] {
  return services.filter((one) => one.instance === instance);
}

export const nameScenarios: readonly Scenario[] = [
  {
    name: 'the box sees and is seen by avahi on IPv4 and IPv6; nmap and mdns-js see it too',
    play: async (scene) => {
      const lan = scene.lan(['alder', 'peer', 'desktop']);
      const [host, peer] = [lan.host('alder'), lan.host('peer')];
      const capture = await scene.capture(host);
      const avahi = await scene.avahi(peer);
      const printer = avahi.start('avahi-publish', ['-s', 'Mr. Printer', '_ipp._tcp', '631', 'note=x']);
      await scene.box(host, 'Mr. Box');
      const seen = await until('avahi sees the box on both families', 10_000, async () => {
        const found = named(await avahi.browse(type), 'Mr. Box');
        return new Set(found.map(({ family }) => family)).size === 2 ? found : undefined;
      });
      check(
        seen.every(({ hostName }) => hostName === 'Mr-Box.local'),
        'the host name is Mr-Box.local',
      );
      const four = await avahi.run('avahi-resolve', ['-4', '-n', 'Mr-Box.local']);
      check(four.stdout.includes(host.address), `avahi-resolve -4: ${four.stdout}`);
      const six = await avahi.run('avahi-resolve', ['-6', '-n', 'Mr-Box.local']);
      check(six.stdout.includes(host.linkLocalAddress), `avahi-resolve -6: ${six.stdout}`);
      const reverse = await avahi.run('avahi-resolve', ['-a', host.address]);
      check(reverse.stdout.includes('Mr-Box.local'), `avahi-resolve -a: ${reverse.stdout}`);
      const desktop = new Aether(lan.host('desktop'), scene.boxFolder(lan.host('desktop'), 'home'));
      const types = await desktop.run(['scan', '--types', '--json']);
      check(types.stdout.includes('_ipp._tcp') && types.stdout.includes('Mr. Printer'), types.stdout);
      await printer.stop();
      await until('what avahi took back is gone', 10_000, async () => {
        const { stdout } = await desktop.run(['scan', '--types', '--json']);
        return stdout.includes('_ipp._tcp') ? undefined : true;
      });
      const crossed = await desktop.run(['scan', '--cross-check', '--json'], { mayFail: true });
      check(crossed.exitCode === 0, `the browsers disagree: ${crossed.stdout}`);
      const nmap = await lan
        .host('desktop')
        .run('nmap', ['-e', 'eth0', '--script', 'broadcast-dns-service-discovery'], { timeoutMs: 60_000 });
      check(nmap.stdout.includes('aetherstore'), `nmap: ${nmap.stdout}`);
      // RFC 6762 §11.
      const farther = `udp.srcport == 5353 && eth.src == ${host.mac} && !(ip.ttl == 255) && !(ipv6.hlim == 255)`;
      check((await read(capture, farther, ['frame.number'])).length === 0, 'a packet may leave the link');
      return `as Mr. Box on Mr-Box.local, ${host.address} and ${host.linkLocalAddress}`;
    },
  },
  {
    name: 'a name that avahi has is left to it, for the host and for the service, also after a restart',
    play: async (scene) => {
      const lan = scene.lan(['alder', 'peer']);
      await scene.capture(lan.host('alder'));
      const avahi = await scene.avahi(lan.host('peer'), 'taken');
      const publisher = avahi.start('avahi-publish', ['-s', 'taken', type, '1', 'txtvers=1']);
      await publisher.firstLine((line) => (line.includes('Established') ? line : undefined), 10_000);
      const renamed = async () =>
        until('the box has taken other names', 10_000, async () => {
          const [other] = named(await avahi.browse(type), 'taken (2)');
          return other?.hostName === 'taken-2.local' ? other : undefined;
        });
      const box = await scene.box(lan.host('alder'), 'taken');
      await renamed();
      await box.stop();
      await publisher.stop();
      // Nobody has the first name now, and the box keeps the one it is known by.
      await scene.box(lan.host('alder'), 'taken');
      await renamed();
      return 'taken (2) on taken-2.local, and the same when nobody else is there any more';
    },
  },
  {
    name: 'a name that the box has is defended against avahi',
    play: async (scene) => {
      const lan = scene.lan(['alder', 'peer']);
      await scene.capture(lan.host('alder'));
      await scene.box(lan.host('alder'), 'alder');
      await delay(4000);
      const avahi = await scene.avahi(lan.host('peer'), 'alder');
      const publisher = avahi.start('avahi-publish', ['-s', 'alder', type, '1', 'txtvers=1']);
      const said = await publisher.firstLine((line) => (/collision/i.test(line) ? line : undefined), 10_000);
      const seen = await until('the box keeps its names', 10_000, async () => {
        const [own] = named(await avahi.browse(type), 'alder');
        return own?.hostName === 'alder.local' ? own : undefined;
      });
      check(seen.address === lan.host('alder').address || seen.family === 'IPv6', seen.address);
      const own = await avahi.run('avahi-resolve', ['-4', '-n', 'alder-2.local']);
      check(own.stdout.includes(lan.host('peer').address), `avahi took alder-2.local: ${own.stdout}`);
      await publisher.stop();
      return said;
    },
  },
  {
    name: 'two boxes with the same name, booted at once, end up with names of their own',
    play: async (scene) => {
      const lan = scene.lan(['alder', 'birch', 'peer']);
      await scene.capture(lan.host('alder'));
      const avahi = await scene.avahi(lan.host('peer'));
      await Promise.all([scene.box(lan.host('alder'), 'twin'), scene.box(lan.host('birch'), 'twin')]);
      const seen = await until('avahi sees two boxes', 15_000, async () => {
        const found = await avahi.browse(type);
        const hosts = new Set(found.map(({ hostName }) => hostName));
        return named(found, 'twin').length > 0 && named(found, 'twin (2)').length > 0 && hosts.size === 2
          ? [...hosts]
          : undefined;
      });
      return seen.sort().join(', ');
    },
  },
  {
    name: 'hosts in two networks see only the addresses that are valid there',
    play: async (scene) => {
      const near = scene.lan(['alder', 'peer']);
      const far = scene.lan(['other']);
      const host = near.host('alder');
      far.attach(host, 'eth1');
      await scene.capture(host, 'eth0');
      await scene.capture(host, 'eth1');
      const avahis = [await scene.avahi(near.host('peer')), await scene.avahi(far.host('other'))];
      await scene.box(host, 'alder');
      const answers: string[] = [];
      for (const avahi of avahis) {
        const answer = await until('the box is resolved', 10_000, async () => {
          const { stdout } = await avahi.run('avahi-resolve', ['-4', '-n', 'alder.local']);
          return stdout.includes('alder.local') ? stdout.trim().split(/\s+/)[1] : undefined;
        });
        answers.push(answer!);
        const seen = named(await avahi.browse(type), 'alder').filter(({ family }) => family === 'IPv4');
        check(
          seen.every(({ address }) => address === answer),
          seen.map(({ address }) => address).join(),
        );
      }
      check(answers[0] === host.address && answers[1]?.endsWith('.200') === true, answers.join());
      return answers.join(' here, ').concat(' there');
    },
  },
  {
    name: 'a box that stops is gone from avahi-browse within 1.1 s',
    play: async (scene) => {
      const lan = scene.lan(['alder', 'peer']);
      await scene.capture(lan.host('alder'));
      const avahi = await scene.avahi(lan.host('peer'));
      const browser = avahi.start('avahi-browse', ['-p', type]);
      const box = await scene.box(lan.host('alder'), 'alder');
      for (const family of ['IPv4', 'IPv6'])
        await browser.firstLine(
          (line) => (line.startsWith(`+;eth0;${family};alder;`) ? line : undefined),
          10_000,
        );
      await delay(3500);
      const askedMs = performance.now();
      box.program.kill('SIGTERM');
      for (const family of ['IPv4', 'IPv6'])
        await browser.firstLine(
          (line) => (line.startsWith(`-;eth0;${family};alder;`) ? line : undefined),
          5000,
        );
      const goneMs = performance.now() - askedMs;
      check(goneMs <= 1100, `gone after ${goneMs.toFixed(0)} ms`);
      check((await box.program.exited) === 0, 'it stopped cleanly');
      await browser.stop();
      return `${goneMs.toFixed(0)} ms after SIGTERM`;
    },
  },
  {
    name: 'beside a running avahi-daemon the box shares port 5353, says so, and both are seen from elsewhere',
    play: async (scene) => {
      const lan = scene.lan(['alder', 'peer']);
      const host = lan.host('alder');
      await scene.capture(host);
      await scene.avahi(host, 'laptop');
      const elsewhere = await scene.avahi(lan.host('peer'));
      const box = await scene.box(host, 'alder');
      await until('the box says who has the port too', 5000, () =>
        readFileSync(logFileOf(box.options.folder), 'utf8').includes('avahi-daemon') ? true : undefined,
      );
      await until('both names are seen', 10_000, async () => {
        const [own] = named(await elsewhere.browse(type), 'alder');
        const laptop = await elsewhere.run('avahi-resolve', ['-4', '-n', 'laptop.local']);
        return own?.hostName === 'alder.local' && laptop.stdout.includes(host.address) ? true : undefined;
      });
      return 'alder.local and laptop.local on one host';
    },
  },
];
