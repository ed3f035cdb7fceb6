import { AetherError } from '../../base/errors.ts';
import type { UpdateState } from './update-machine.ts';

export function busy({ standing }: UpdateState): AetherError<'UPDATE_BUSY'> {
  return new AetherError('UPDATE_BUSY', 'an update is going on', {
    help:
      standing === 'trial'
        ? 'The new version runs and is being watched; there would be nothing to come back to. Try again in some minutes.'
        : 'Wait until it has ended.',
  });
}

export function changed(wanted: string, found: string): AetherError<'UPDATE_CHANGED'> {
  return new AetherError('UPDATE_CHANGED', `the update is not version ${wanted} any more, but ${found}`, {
    help: 'Nothing was changed on this box. Send the update again.',
  });
}

export function unproven(): AetherError<'UPDATE_UNPROVEN'> {
  return new AetherError('UPDATE_UNPROVEN', 'the version that runs has not shown yet that it works', {
    help: 'There would be nothing to come back to. With a network and its disks it takes a minute.',
  });
}

export function clockUnset(): AetherError<'UPDATE_CLOCK_UNSET'> {
  return new AetherError('UPDATE_CLOCK_UNSET', 'the clock of the box is not set, so no hour comes for it', {
    help: 'Connect it to a network with a time server, or use it from a desktop of its pool, whose clock it goes by then; or send the update without an hour.',
  });
}
