import { describeError } from '../../base/errors.ts';
import type { Log } from '../../base/log.ts';
import type { ApplianceControl, PairingCode } from '../../control/appliance-control.ts';
import type { ButtonPort } from '../../ports/button.ts';
import type { Clock, Timer } from '../../ports/clock.ts';
import type { LedDriver } from '../leds/led-driver.ts';
import {
  type ButtonDeed,
  type ButtonState,
  buttonAtRest,
  nextStageMs,
  stageOf,
  stepButton,
} from './button-machine.ts';

export interface ButtonOptions {
  readonly port: ButtonPort;
  readonly control: ApplianceControl;
  readonly lights: Pick<LedDriver, 'showPress'>;
  /** Shows a login code to whoever stands before the box. */
  readonly onCode: (code: PairingCode) => void;
  /** The program starts for the first time since the box was switched on: only then a button that is held resets it. */
  readonly atPowerOn: boolean;
}

/** The box's button: the lights follow the press, and what it means is done when it is let go. */
export class Button {
  readonly #options: ButtonOptions;
  readonly #clock: Clock;
  readonly #log: Log;
  #state: ButtonState = buttonAtRest;
  #timer: Timer | undefined;
  #busy = false;
  #closed = false;

  constructor(options: ButtonOptions, { clock, log }: { readonly clock: Clock; readonly log: Log }) {
    this.#options = options;
    this.#clock = clock;
    this.#log = log;
    const { port, atPowerOn } = options;
    port.onChange((pressed) => this.#step({ type: 'change', pressed }));
    const { pressed } = port;
    if (pressed && !atPowerOn)
      log.info('the button was held while the program started again: it means nothing until it is let go');
    this.#step({ type: 'start', pressed, atPowerOn });
  }

  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
    this.#options.port.close();
  }

  #step(event: Parameters<typeof stepButton>[1]): void {
    if (this.#closed) return;
    const before = stageOf(this.#state);
    const { state, deed } = stepButton(this.#state, event, this.#clock.monotonicMs());
    this.#state = state;
    const stage = stageOf(state);
    if (stage === 'stuck' && before !== 'stuck')
      this.#log.warn('the button is pressed for a minute: it is stuck, or something lies on it');
    this.#options.lights.showPress(stage === 'stuck' ? undefined : stage);
    this.#lookAgain();
    if (deed !== undefined) this.#do(deed);
  }

  #lookAgain(): void {
    this.#timer?.cancel();
    const nextMs = nextStageMs(this.#state);
    if (nextMs === undefined) return;
    const waitMs = Math.max(0, nextMs - this.#clock.monotonicMs());
    const look = () => this.#step({ type: 'look', pressed: this.#options.port.pressed });
    this.#timer = this.#clock.after(waitMs, look);
  }

  #do(deed: ButtonDeed): void {
    const { control } = this.#options;
    this.#log.info('button', { deed });
    switch (deed) {
      case 'tap':
        this.#tap();
        break;
      case 'shutdown':
        this.#begin(() => control.shutdown());
        break;
      case 'reset-access':
        this.#begin(() => control.resetAccess());
        break;
      case 'factory-reset':
        this.#begin(() => control.factoryReset());
        break;
    }
  }

  /**
   * Which box is this: both lights blink; a second tap ends that. A box that has an owner also makes a login code, which
   * its consoles show: who stands before it may let a desktop in.
   */
  #tap(): void {
    const { control, onCode } = this.#options;
    const on = !control.status().box.identifying;
    control.identify(on);
    if (!on || control.status().pool === null) return;
    try {
      onCode(control.pair());
    } catch (error) {
      this.#log.info('no code was made', { reason: describeError(error) });
    }
  }

  /** One at a time: who presses again while the box shuts down wants nothing else of it. */
  #begin(deed: () => Promise<void>): void {
    if (this.#busy) {
      this.#log.info('the button was pressed while its last order is carried out');
      return;
    }
    this.#busy = true;
    deed()
      .catch((error: unknown) => {
        this.#log.error('the button could not do it', { reason: describeError(error) });
      })
      .finally(() => {
        this.#busy = false;
      });
  }
}
