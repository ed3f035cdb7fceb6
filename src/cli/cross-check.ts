import { fileURLToPath } from 'node:url';
import { crossCheckOutputBytesMax } from '../base/discovery-limits.ts';
import { printable } from '../base/format.ts';
import { runChild } from '../platform/child-lines.ts';
import type { FoundService } from '../zeroconf/dnssd/browse.ts';

/** One service as the other browser heard it. */
export interface Sighting {
  readonly instance: string;
  readonly port: number;
  readonly address: string;
  /** Strings as they are on the wire. */
  readonly text: readonly string[];
}

export interface SecondOpinion {
  readonly sightings: readonly Sighting[];
  /** Why there may be less than there should be; undefined when all went well. */
  readonly trouble: string | undefined;
}

export interface Comparison {
  readonly instance: string;
  readonly seenBy: 'both' | 'us' | 'mdns-js';
  /** What the two say differently, in words. */
  readonly differences: readonly string[];
}

/** Its start, and its end. */
const childMarginMs = 3000;
const heapMebibytesMax = 64;

/** Asks by `mdns-js` in a child that is killed when it takes too long. */
export async function askSecondOpinion(type: string, durationMs: number): Promise<SecondOpinion> {
  const program = new URL('../cross-check.ts', import.meta.url);
  const { lines, ending } = await runChild({
    argv: [fileURLToPath(program), type, String(durationMs)],
    timeLimitMs: durationMs + childMarginMs,
    heapMebibytesMax,
    outputBytesMax: crossCheckOutputBytesMax,
  });
  return {
    sightings: lines.flatMap((line) => sightingOf(line, type) ?? []),
    trouble: ending === 'finished' ? undefined : `mdns-js ${ending}`,
  };
}

/**
 * What two browsers say of the same network. Only what `mdns-js` can know is compared: it asks by IPv4, and takes the
 * address that a packet came from for the service's.
 */
export function compareOpinions(
  ours: readonly FoundService[],
  theirs: readonly Sighting[],
): readonly Comparison[] {
  const names = new Set([...ours, ...theirs].map(({ instance }) => instance));
  return [...names].sort().map((instance): Comparison => {
    const own = ours.find((one) => one.instance === instance);
    const others = theirs.filter((one) => one.instance === instance);
    if (own === undefined) return { instance, seenBy: 'mdns-js', differences: ['not seen by our browser'] };
    if (others.length > 0) return { instance, seenBy: 'both', differences: differencesOf(own, others) };
    const hasIpv4 = own.addresses.some(({ family }) => family === 'ipv4');
    return { instance, seenBy: 'us', differences: hasIpv4 ? ['not seen by mdns-js'] : [] };
  });
}

function differencesOf(own: FoundService, others: readonly Sighting[]): readonly string[] {
  const ports = new Set(others.map(({ port }) => port));
  const known = new Set(own.addresses.map(({ address }) => address));
  const strangers = others.map(({ address }) => address).filter((address) => !known.has(address));
  const text = new Set(
    others.flatMap((one) => one.text).filter((string) => string !== '' && !string.startsWith('=')),
  );
  const unknown = [...text].filter((string) => {
    const [key = '', ...value] = string.split('=');
    return own.text[key.toLowerCase()] !== value.join('=');
  });
  return [
    ...(ports.size === 1 && ports.has(own.port)
      ? []
      : [`port ${own.port} for us, ${[...ports].join(', ')} for mdns-js`]),
    ...new Set(strangers.map((address) => `an answer from ${address}, which is none of its addresses`)),
    ...unknown.map((string) => `TXT ${printable(string)} for mdns-js only`),
  ];
}

function sightingOf(line: string, type: string): Sighting | undefined {
  let parsed: unknown;
  try {
    parsed = JSON.parse(line);
  } catch {
    return undefined;
  }
  if (typeof parsed !== 'object' || parsed === null) return undefined;
  const { fullName, port, address, text } = parsed as Record<string, unknown>;
  if (typeof fullName !== 'string' || typeof port !== 'number' || typeof address !== 'string')
    return undefined;
  const strings = Array.isArray(text) ? text.filter((string) => typeof string === 'string') : [];
  return { instance: fullName.slice(0, -`.${type}.local`.length), port, address, text: strings };
}
