/** A button with one contact, its bouncing taken out. */
export interface ButtonPort {
  /** Whether it is pressed now. */
  readonly pressed: boolean;
  /** Calls `listener` each time it is pressed or let go; set once. */
  onChange(listener: (pressed: boolean) => void): void;
  close(): void;
}
