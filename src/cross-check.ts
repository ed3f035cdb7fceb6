/**
 * A second opinion on which services are on the network, for `aether scan --cross-check`: somebody else's browser, in
 * a process of its own. `cross-check.ts TYPE MILLISECONDS` prints what it hears, one JSON object a line.
 */
import type { Bytes } from './base/bytes.ts';
import { browseByMdnsJs } from './platform/mdns-js-browser.ts';
import { decodeMessage } from './zeroconf/dns/decoder.ts';

const [type = '', durationMs = ''] = process.argv.slice(2);
await browseByMdnsJs({
  type,
  durationMs: Number(durationMs),
  isSound,
  onSighting: (sighting) => process.stdout.write(`${JSON.stringify(sighting)}\n`),
});

/** Our decoder takes names only whose pointers lead strictly backwards; the other one does not look. */
function isSound(packet: Bytes): boolean {
  try {
    decodeMessage(packet);
    return true;
  } catch {
    return false;
  }
}
