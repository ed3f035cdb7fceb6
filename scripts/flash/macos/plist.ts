/** Property lists as XML, as far as diskutil writes them. */
export type PlistValue = string | number | boolean | readonly PlistValue[] | PlistDict;

export interface PlistDict {
  readonly [key: string]: PlistValue;
}

const depthMax = 32;

/** Throws an `Error` that says what it did not understand. */
export function parsePlist(xml: string): PlistValue {
  const body = xml.replace(/^[\s\S]*?<plist[^>]*>/, '').replace(/<!--[\s\S]*?-->/g, '');
  const tokens = [...body.matchAll(/<(\/?)(\w+)(\/?)>([^<]*)/g)].map(([, end, name, empty, text]) => ({
    name: name!,
    isEnd: end === '/',
    isEmpty: empty === '/',
    text: unescapeXml(text!),
  }));
  let at = 0;

  function value(depth: number): PlistValue {
    const token = tokens[at++];
    if (token === undefined || token.isEnd || depth > depthMax)
      throw new Error('the property list is damaged');
    const { name, isEmpty, text } = token;
    if (name === 'true' || name === 'false') {
      if (!isEmpty) close(name);
      return name === 'true';
    }
    if (name === 'dict') return isEmpty ? {} : dict(depth);
    if (name === 'array') return isEmpty ? [] : array(depth);
    if (!isEmpty) close(name);
    if (name === 'integer' || name === 'real') return Number(text);
    if (['string', 'data', 'date', 'key'].includes(name)) return isEmpty ? '' : text;
    throw new Error(`the property list has a ${name}, which is unknown`);
  }

  function dict(depth: number): PlistDict {
    const entries: [string, PlistValue][] = [];
    while (!ends('dict')) {
      if (tokens[at]?.name !== 'key') throw new Error('the property list lacks a key');
      entries.push([String(value(depth + 1)), value(depth + 1)]);
    }
    return Object.fromEntries(entries);
  }

  function array(depth: number): readonly PlistValue[] {
    const items: PlistValue[] = [];
    while (!ends('array')) items.push(value(depth + 1));
    return items;
  }

  function ends(name: string): boolean {
    const token = tokens[at];
    if (token?.name !== name || !token.isEnd) return false;
    at++;
    return true;
  }

  function close(name: string): void {
    if (!ends(name)) throw new Error(`the property list does not end its ${name}`);
  }

  return value(0);
}

function unescapeXml(text: string): string {
  const names: Readonly<Record<string, string>> = { lt: '<', gt: '>', quot: '"', apos: "'", amp: '&' };
  return text.replace(/&(?:#(\d+)|#x([0-9a-f]+)|(\w+));/gi, (whole, decimal, hexadecimal, name) => {
    if (name !== undefined) return names[name] ?? whole;
    return String.fromCodePoint(Number.parseInt(decimal ?? hexadecimal, decimal === undefined ? 16 : 10));
  });
}
