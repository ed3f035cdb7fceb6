import { readFileSync } from 'node:fs';
import { type CorpusEntry, parseCorpus } from './corpus.ts';
import { craftedDns } from './crafted-dns.ts';

/** Captured messages, then crafted ones. */
export function dnsCorpus(): readonly CorpusEntry[] {
  const captured = readFileSync(new URL('corpora/dns.hex', import.meta.url), 'utf8');
  return [...parseCorpus(captured), ...craftedDns()];
}
