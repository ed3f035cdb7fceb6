import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Board } from './board.ts';
import { root } from './paths.ts';
import type { PackageFolders } from './slot/program.ts';
import type { Release, Slot } from './slot/slot.ts';
import { sourceDateEpoch, suite } from './stages/debian.ts';
import { boardParts, type RootStage } from './stages/root.ts';

interface Package {
  readonly name: string;
  readonly version: string;
  /** Package URL (purl). */
  readonly locator: string;
  /** By which lists of flaws know it (CPE 2.3), where they do not know its locator. */
  readonly cpe?: string;
  readonly licence: string;
  readonly comment?: string;
}

/**
 * What is in a slot, and in what a board needs beside it, as SPDX 2.3 in JSON: Debian's packages, npm's, and ourselves.
 * The same bytes for the same parts.
 */
export function billOfMaterials({
  release,
  stage,
  slot,
  files,
}: {
  readonly release: Release;
  readonly stage: Pick<RootStage, 'packages'>;
  readonly slot: Pick<Slot, 'tree' | 'packages'>;
  /** Of boot loaders and firmware. */
  readonly files: Board['files'];
}): string {
  const listed = [...debianPackages(stage.packages, slot.tree, files), ...npmPackages(slot.packages)];
  // One that is there at several paths is one package.
  const packages = [...new Map(listed.map((each) => [each.locator, each])).values()].sort((one, other) =>
    one.locator < other.locator ? -1 : 1,
  );
  const idOf = ({ locator }: Package) =>
    `SPDXRef-${createHash('sha256').update(locator).digest('hex').slice(0, 16)}`;
  const name = `aetherstore-${release.version}`;
  const digest = createHash('sha256').update(JSON.stringify(packages)).digest('hex').slice(0, 32);
  const document = {
    spdxVersion: 'SPDX-2.3',
    dataLicense: 'CC0-1.0',
    SPDXID: 'SPDXRef-DOCUMENT',
    name,
    documentNamespace: `urn:aetherstore:sbom:${name}:${digest}`,
    creationInfo: {
      created: new Date(sourceDateEpoch * 1000).toISOString().replace('.000Z', 'Z'),
      creators: ['Organization: AetherStore'],
    },
    packages: [
      {
        SPDXID: 'SPDXRef-image',
        name: 'aetherstore',
        versionInfo: release.version,
        downloadLocation: 'NOASSERTION',
        filesAnalyzed: false,
        licenseConcluded: 'Apache-2.0',
        licenseDeclared: 'Apache-2.0',
      },
      ...packages.map((each) => ({
        SPDXID: idOf(each),
        name: each.name,
        versionInfo: each.version,
        downloadLocation: 'NOASSERTION',
        filesAnalyzed: false,
        licenseConcluded: 'NOASSERTION',
        licenseDeclared: each.licence,
        externalRefs: [
          { referenceCategory: 'PACKAGE-MANAGER', referenceType: 'purl', referenceLocator: each.locator },
          ...(each.cpe === undefined
            ? []
            : [{ referenceCategory: 'SECURITY', referenceType: 'cpe23Type', referenceLocator: each.cpe }]),
        ],
        ...(each.comment === undefined ? {} : { comment: each.comment }),
      })),
    ],
    relationships: [
      {
        spdxElementId: 'SPDXRef-DOCUMENT',
        relationshipType: 'DESCRIBES',
        relatedSpdxElement: 'SPDXRef-image',
      },
      ...packages.map((each) => ({
        spdxElementId: 'SPDXRef-image',
        relationshipType: 'CONTAINS',
        relatedSpdxElement: idOf(each),
      })),
    ],
  };
  return `${JSON.stringify(document, null, 2)}\n`;
}

/** Licences of what is installed are in copyright files that the image carries; SPDX has no name for most of them. */
function debianPackages(list: string, tree: string, files: Board['files']): readonly Package[] {
  return readFileSync(list, 'utf8')
    .trim()
    .split('\n')
    .map((line) => line.split('\t'))
    .filter(([name = '']) => {
      const part = boardParts.get(name);
      return part === undefined || files.some(({ from }) => from.startsWith(part));
    })
    .map(([name = '', version = '', source = '', sourceVersion = '']) => {
      const locator = `pkg:deb/debian/${name}@${encodeURIComponent(version)}?arch=arm64&distro=${suite}`;
      const copyright = `usr/share/doc/${name}/copyright`;
      const licence = existsSync(join(tree, copyright)) ? `; licence in /${copyright}` : '';
      const comment = `source package ${source} ${sourceVersion}${licence}`;
      return { name, version, locator, licence: 'NOASSERTION', comment };
    });
}

/** Those whose code is in the image, bundled or beside the bundle, as the lock file describes them. */
function npmPackages(folders: PackageFolders): readonly Package[] {
  const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as {
    packages: Readonly<Record<string, LockedPackage>>;
  };
  return [...folders].map((path) => {
    const locked = packages[path];
    if (locked === undefined) throw new Error(`${path} is in the image, and not in package-lock.json`);
    const { version = '', license } = locked;
    const name = path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);
    const locator = `pkg:npm/${name.replace('@', '%40')}@${version}`;
    // The runtime comes as a package of npm's, under which nobody reports its flaws.
    const cpe = /^node-linux-/.test(name) ? { cpe: `cpe:2.3:a:nodejs:node.js:${version}:*:*:*:*:*:*:*` } : {};
    return { name, version, locator, ...cpe, licence: typeof license === 'string' ? license : 'NOASSERTION' };
  });
}

interface LockedPackage {
  readonly version?: string;
  readonly license?: unknown;
}
