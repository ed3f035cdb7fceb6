/** Which of the two systems of a box runs, and whoever installs into the other one (docs/updates.md). */
export interface BootSlots {
  /** Errors: `UPDATER_UNAVAILABLE`. */
  state(): Promise<SlotsState>;
  /** Checks the signature of a bundle, by path or URL, and reads what it says of itself. Errors: `BundleErrorCode`. */
  inspect(source: string): Promise<BundleFacts>;
  /**
   * Installs into the system that does not run; the next start is into it. `onProgress` hears percents. Errors:
   * `BundleErrorCode`, `UPDATE_FAILED`.
   */
  install(source: string, onProgress: (percent: number) => void): Promise<void>;
  /** The system that runs may be started again and again. Errors: `UPDATER_UNAVAILABLE`. */
  markGood(): Promise<void>;
}

export interface SlotsState {
  /** The one that runs: `A`. */
  readonly booted: string;
  /** Another after every start of the kernel. */
  readonly bootId: string;
  /** What a bundle must say that it is for. */
  readonly compatible: string;
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
