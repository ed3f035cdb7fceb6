/** Rules about files that are no TypeScript: documents, settings and scripts. */

export interface TextFile {
  readonly path: string;
  readonly text: string;
}

export interface PackageSettings {
  readonly scripts?: Readonly<Record<string, string>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

/** Home folders, except those of the readers of a document, and where this project itself was ever worked on. */
const machinePath = /(?<![\w.~-])\/(root|work|home\/(?!you\b|pi\b)[\w-]+|Users\/(?!you\b)[\w-]+)\/[\w.-]+/;
const registryHost = /https?:\/\/[^\s/'"]*(registry|mirror|artifactory|nexus|verdaccio)[^\s/'"]*/i;

/** A tree that works everywhere names no machine and no registry. */
export function checkTraces({ path, text }: TextFile): readonly string[] {
  return text.split('\n').flatMap((line, index) => {
    const trace = machinePath.exec(line) ?? registryHost.exec(line);
    return trace === null
      ? []
      : [`${path}:${index + 1} names ${trace[0]}, which only this machine knows: remove it`];
  });
}

interface LockFile {
  readonly packages: Readonly<
    Record<string, { readonly optionalDependencies?: Readonly<Record<string, string>> }>
  >;
}

/**
 * The lock file must serve from any registry, and list the packages of every system: where a registry lacks some,
 * npm leaves them out without a word, and `npm ci` then refuses the file on every other machine.
 */
export function checkLockFile({ path, text }: TextFile): readonly string[] {
  const { packages } = JSON.parse(text) as LockFile;
  const lacking = Object.entries(packages).flatMap(([parent, { optionalDependencies = {} }]) =>
    Object.keys(optionalDependencies).filter(
      (name) => !(`node_modules/${name}` in packages || `${parent}/node_modules/${name}` in packages),
    ),
  );
  const problems: string[] = lacking.map(
    (name) => `${path} lacks ${name}: run npm install against a registry that has it`,
  );
  if (text.includes('"resolved":')) {
    problems.push(
      `${path} names hosts: delete its "resolved" lines and run npm install with the .npmrc of this tree`,
    );
  }
  return problems;
}

/** Each dependency, at one exact version, with its reason in docs/dependencies.md. */
export function checkDependencies(settings: PackageSettings, dependenciesDoc: string): readonly string[] {
  const { dependencies, devDependencies, optionalDependencies } = settings;
  const all = Object.entries({ ...dependencies, ...devDependencies, ...optionalDependencies });
  return all.flatMap(([name, version]) => {
    const problems: string[] = [];
    if (!dependenciesDoc.includes(`\`${name}\``)) {
      problems.push(`docs/dependencies.md does not name \`${name}\`: say why it is there, or remove it`);
    }
    if (!/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version)) {
      problems.push(`package.json asks for ${name} ${version}: pin one version`);
    }
    return problems;
  });
}

/** Programs that npm scripts start must exist. */
export function checkScripts(
  settings: PackageSettings,
  exists: (path: string) => boolean,
): readonly string[] {
  return Object.entries(settings.scripts ?? {}).flatMap(([name, command]) =>
    command
      .split(' ')
      .filter((word) => /\.(ts|mjs)$/.test(word) && !exists(word))
      .map((path) => `npm run ${name} starts ${path}, which does not exist`),
  );
}
