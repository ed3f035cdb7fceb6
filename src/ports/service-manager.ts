/** Who started the program and watches over it. */
export interface ServiceManager {
  /** It must hear from the program within so many milliseconds, again and again; undefined: it does not watch. */
  readonly watchdogMs: number | undefined;
  /** Lines of `NAME=VALUE` (sd_notify(3)). Never throws. */
  tell(words: string): void;
}
