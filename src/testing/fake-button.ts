import type { ButtonPort } from '../ports/button.ts';

/** A button that a test presses. */
export class FakeButton implements ButtonPort {
  pressed = false;
  #listener: (pressed: boolean) => void = () => {};

  onChange(listener: (pressed: boolean) => void): void {
    this.#listener = listener;
  }

  set(pressed: boolean): void {
    this.pressed = pressed;
    this.#listener(pressed);
  }

  close(): void {}
}
