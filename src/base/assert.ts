/**
 * Stops the program on a bug of our own. A failed assertion means that no state can be trusted any more: the
 * supervisor restarts the box, and recovery starts from what is durable. Errors of the world are `AetherError`s.
 */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new AssertionFailure(message);
}

/** Marks a branch that the types already exclude. */
export function unreachable(value: never): never {
  throw new AssertionFailure(`unreachable: ${String(value)}`);
}

export class AssertionFailure extends Error {
  override readonly name = 'AssertionFailure';
}
