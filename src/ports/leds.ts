/** The two lights on the front of a box, wherever they are: on pins, in a terminal, on a page. */
export interface LedPort {
  /** There is one light for both: it plays a rhythm of its own, as `green`. */
  readonly single?: boolean;
  /** Sets both lights; called only when something changes. Never throws: a light that fails is only dark. */
  show(display: LedDisplay): void;
  /** Gives back what they used, and leaves them so. */
  close(left: LightsLeft): void;
}

/**
 * How lights are left that nobody plays any more. `dark`: the box has stopped; `booting`: it starts again. Where they can
 * they blink until then as when it is switched on; else they are lit, for dark would mean that it may be unplugged.
 */
export type LightsLeft = 'dark' | 'booting';

export interface LedDisplay extends Lights {
  /**
   * The box starts: lights that blink by themselves as when the box is switched on go on with that, and are told of nothing
   * more. The program may be too busy to blink, and a light that stands still would say that all is well.
   */
  readonly booting?: boolean;
  /** What the lights do, in words, the same for as long as the state is the same: `green on, amber off`. */
  readonly rhythm: string;
  /** What it means, in a sentence: `All is well: 3 boxes, new files kept on 2.` */
  readonly headline: string;
}

/** Brightness from 0 (off) to 1. A light that can only be on or off is on from 0.5. */
export interface Lights {
  readonly green: number;
  readonly amber: number;
}
