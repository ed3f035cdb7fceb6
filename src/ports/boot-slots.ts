/** Which of the two systems of a box runs, and whoever installs into the other one (docs/updates.md). */
export interface BootSlots {
  /** Errors: `UPDATER_UNAVAILABLE`. */
  state(): Promise<SlotsState>;
  /** Checks the signature of a bundle, by path or URL, and reads what it says of itself. Errors: `BundleErrorCode`. */
  inspect(source: string): Promise<BundleFacts>;
  /**
   * Installs into the system that does not run; the next start is into it. `onProgress` hears percents. Errors:
   * `UPDATER_UNAVAILABLE`, `UPDATE_UNTRUSTED`, `UPDATE_FAILED`. That it resolves says only that the installer is idle
   * and has no complaint: one that died has none either, so what it did is to be seen in `state`.
   */
  install(source: string, onProgress: (percent: number) => void): Promise<void>;
  /** As `install`, for an installation that somebody began before: resolves when the installer is idle. */
  watch(onProgress: (percent: number) => void): Promise<void>;
  /** The system that runs may be started again and again. Errors: `UPDATER_UNAVAILABLE`. */
  markGood(): Promise<void>;
  /** The next start is into the system that does not run. Errors: `UPDATER_UNAVAILABLE`. */
  markOtherActive(): Promise<void>;
  /** The system that does not run is not started again until something is installed there. Errors: `UPDATER_UNAVAILABLE`. */
  markOtherBad(): Promise<void>;
}

export interface SlotsState {
  /** The one that runs: `A`. */
  readonly booted: string;
  /** Another after every start of the kernel. */
  readonly bootId: string;
  /** What a bundle must say that it is for. */
  readonly compatible: string;
  /** An installation goes on; of what follows nothing is known until it has ended. */
  readonly busy: boolean;
  /** The one that the next start is into; null: not known. */
  readonly primary: string | null;
  /** Those that the boot loader would start: they are in its order, and have tries left. */
  readonly startable: readonly string[];
  /** What was installed last into the one that does not run, as the installer noted it; null: it noted nothing. */
  readonly otherVersion: string | null;
}

/** What a bundle says of itself. */
export interface BundleFacts {
  readonly compatible: string;
  readonly version: string;
  /** Undefined: it does not say. */
  readonly dataFormat: number | undefined;
}

export type BundleErrorCode =
  | 'UPDATER_UNAVAILABLE'
  /** Signed by nobody whose updates this box takes, or not signed, or changed since. */
  | 'UPDATE_UNTRUSTED'
  /** No bundle, or not all of it. */
  | 'UPDATE_UNREADABLE';
