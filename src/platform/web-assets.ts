import { readFile } from 'node:fs/promises';
import type { Bytes } from '../base/bytes.ts';

/** The files that the box's page is made of, as they lie beside the program. */
export async function readWebAssets(): Promise<Readonly<Record<'page.css' | 'page.js' | 'icon.svg', Bytes>>> {
  const read = async (url: URL) => new Uint8Array(await readFile(url));
  return {
    'page.css': await read(new URL('../access/web/assets/page.css', import.meta.url)),
    'page.js': await read(new URL('../access/web/assets/page.js', import.meta.url)),
    'icon.svg': await read(new URL('../access/web/assets/icon.svg', import.meta.url)),
  };
}
