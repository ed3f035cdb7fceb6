/** A button with one contact, its bouncing taken out. */
export interface ButtonPort {
  /** Whether it is pressed now. */
  readonly pressed: boolean;
  /** Calls `listener` each time it is pressed or let go; set once. */
  onChange(listener: (pressed: boolean) => void): void;
  close(): void;
}

/** A button, or why there is none: a computer without pins is not broken. */
export type ButtonResult =
  | { readonly button: ButtonPort; readonly reason?: undefined; readonly mayCome?: undefined }
  | {
      readonly button?: undefined;
      readonly reason: string;
      /** There is a pin; this program may not use it, or not yet. */
      readonly mayCome: boolean;
    };
