import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './paths.ts';
import { programFolder } from './slot/program.ts';
import type { Release } from './slot/slot.ts';
import { sourceDateEpoch, suite } from './stages/debian.ts';
import type { RootStage } from './stages/root.ts';

interface Package {
  readonly name: string;
  readonly version: string;
  /** Package URL (purl). */
  readonly locator: string;
  readonly licence: string;
  readonly comment?: string;
}

/** What is in a slot, as SPDX 2.3 in JSON: Debian's packages, npm's, and ourselves. The same bytes for the same parts. */
export function billOfMaterials({
  release,
  stage,
  tree,
}: {
  readonly release: Release;
  readonly stage: RootStage;
  readonly tree: string;
}): string {
  const packages = [...debianPackages(stage.packages), ...npmPackages(tree)].sort((one, other) =>
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

/** Licences of a Debian package are in the copyright file that the image carries; SPDX has no name for most of them. */
function debianPackages(list: string): readonly Package[] {
  return readFileSync(list, 'utf8')
    .trim()
    .split('\n')
    .map((line) => {
      const [name = '', version = '', source = '', sourceVersion = ''] = line.split('\t');
      const locator = `pkg:deb/debian/${name}@${encodeURIComponent(version)}?arch=arm64&distro=${suite}`;
      const comment = `source package ${source} ${sourceVersion}; licence in /usr/share/doc/${name}/copyright`;
      return { name, version, locator, licence: 'NOASSERTION', comment };
    });
}

/** Those beside the bundle, and those inside it, which are the rest of what the lock file lists for running. */
function npmPackages(tree: string): readonly Package[] {
  const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as {
    packages: Readonly<Record<string, LockedPackage>>;
  };
  const beside = existsSync(join(tree, programFolder)) ? readdirSync(join(tree, programFolder, 'app')) : [];
  if (!beside.includes('node_modules')) throw new Error('the program was not installed');
  return Object.entries(packages)
    .filter(([path, { dev, cpu, os }]) => {
      const fits = (cpu?.includes('arm64') ?? true) && (os?.includes('linux') ?? true);
      return path !== '' && dev !== true && fits;
    })
    .map(([path, { version = '', license = 'NOASSERTION' }]) => {
      const name = path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);
      const locator = `pkg:npm/${name.replace('@', '%40')}@${version}`;
      return { name, version, locator, licence: typeof license === 'string' ? license : 'NOASSERTION' };
    });
}

interface LockedPackage {
  readonly version?: string;
  readonly license?: string;
  readonly dev?: boolean;
  readonly cpu?: readonly string[];
  readonly os?: readonly string[];
}
