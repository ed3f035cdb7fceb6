/** Set by whoever bundles a release of another name (scripts/build.ts). */
declare const releaseVersion: string | undefined;

/** The version of this program, the same as in package.json; that of the image on a box. */
export const version: string = typeof releaseVersion === 'string' ? releaseVersion : '0.1.0';

/** Not after this version was released, in milliseconds since 1970: a clock that shows less was not set. */
export const releasedMs = Date.UTC(2026, 10, 1);

/**
 * The format of everything a box keeps, for updates: a program opens what this number or a smaller one wrote
 * (`box-data-format.ts`), and an update to a program with a smaller number is refused. Whoever makes it larger keeps
 * writing what the number before reads for as long as a version is on trial: a box may have to come back.
 */
export const dataFormat = 1;
