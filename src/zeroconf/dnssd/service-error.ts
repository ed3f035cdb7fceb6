import { AetherError } from '../../base/errors.ts';

/** `SERVICE_INVALID`: a name, type or TXT record that DNS-SD does not allow. */
export type ServiceErrorCode = 'SERVICE_INVALID';

export function invalidService(what: string): AetherError<ServiceErrorCode> {
  return new AetherError('SERVICE_INVALID', `service: ${what}`, {
    help: 'Choose a shorter or simpler name.',
  });
}
