import { AetherError } from '../../base/errors.ts';
import type { BundleFacts } from '../../ports/boot-slots.ts';

/** What a bundle is held against. */
export interface UpdatePolicy {
  readonly compatible: string;
  readonly version: string;
  /** The newest format of data that this box may have written. */
  readonly dataFormat: number;
}

export type UpdateRefusalCode = 'UPDATE_FOR_OTHER_BOARD' | 'UPDATE_DATA_FORMAT' | 'UPDATE_OLDER';

/** Why a bundle that is signed well is not taken all the same; undefined: it is. `older`: a person wants to go back. */
export function refusal(
  bundle: BundleFacts,
  running: UpdatePolicy,
  older: boolean,
): AetherError<UpdateRefusalCode> | undefined {
  if (bundle.compatible !== running.compatible) {
    return new AetherError('UPDATE_FOR_OTHER_BOARD', 'the update is for another kind of box', {
      help: `It is for ${bundle.compatible}, this box is ${running.compatible}.`,
    });
  }
  if (bundle.dataFormat === undefined || bundle.dataFormat < running.dataFormat) {
    return new AetherError(
      'UPDATE_DATA_FORMAT',
      'the version in the update cannot read what this box has stored',
      {
        help: `It reads data of format ${bundle.dataFormat ?? 'unknown'}, this box has written format ${running.dataFormat}.`,
      },
    );
  }
  if (!older && compareVersions(bundle.version, running.version) < 0) {
    return new AetherError(
      'UPDATE_OLDER',
      `version ${bundle.version} is older than ${running.version}, which runs`,
      {
        help: 'To go back to it all the same: aether update --older.',
      },
    );
  }
  return undefined;
}

/** As semantic versions are ordered (semver.org §11); what follows a plus does not count. */
export function compareVersions(left: string, right: string): number {
  const [leftCore, leftPre] = parts(left);
  const [rightCore, rightPre] = parts(right);
  const core = compareLists(leftCore, rightCore);
  if (core !== 0) return core;
  // A version with something behind its hyphen comes before the one without.
  if (leftPre.length === 0 || rightPre.length === 0) return rightPre.length - leftPre.length;
  return compareLists(leftPre, rightPre);
}

function parts(version: string): readonly [readonly string[], readonly string[]] {
  const [core = '', ...pre] = version.split('+', 1)[0]!.split('-');
  return [core.split('.'), pre.length === 0 ? [] : pre.join('-').split('.')];
}

function compareLists(left: readonly string[], right: readonly string[]): number {
  for (let index = 0; index < Math.max(left.length, right.length); index++) {
    const [one, other] = [left[index], right[index]];
    if (one === undefined || other === undefined) return one === undefined ? -1 : 1;
    const [oneNumber, otherNumber] = [/^\d+$/.test(one), /^\d+$/.test(other)];
    if (oneNumber && otherNumber && Number(one) !== Number(other)) return Number(one) - Number(other);
    if (oneNumber !== otherNumber) return oneNumber ? -1 : 1;
    if (!oneNumber && one !== other) return one < other ? -1 : 1;
  }
  return 0;
}
