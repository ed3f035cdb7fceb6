import { toHex } from './base/bytes.ts';
import type { Box } from './box.ts';
import type { BoxNetwork } from './box-network.ts';
import { type BoxWeb, urlOf } from './box-web.ts';
import { anotherBox } from './platform/other-responders.ts';

/** What a person at the terminal sees first. */
export function greetingOf(
  box: Box,
  { sharesPortWith }: BoxNetwork,
  web: BoxWeb | undefined,
): readonly string[] {
  const { code } = box.pairing();
  const others = sharesPortWith.filter((name) => name !== anotherBox);
  const address = box.status().network.interfaces.flatMap((each) => each.addresses)[0]?.address;
  return [
    ...(box.claimed || code === undefined ? [] : [`Claim code: ${code}`]),
    ...(web === undefined || address === undefined ? [] : [`Page: ${urlOf(address, web.port)}`]),
    ...(others.length === 0 ? [] : [`Port 5353 is shared with ${others.join(', ')}.`]),
  ];
}

/** The line of `--json-ready`. */
export function readyLine(box: Box, port: number, web: BoxWeb | undefined): string {
  const { code } = box.pairing();
  const member = toHex(box.identity.memberId);
  const claimCode = box.claimed ? null : (code ?? null);
  const page = web === undefined ? null : { port: web.port, fingerprint: web.fingerprint };
  return JSON.stringify({ ready: true, name: box.name, port, member, claimCode, page });
}
