/** One range of bytes (RFC 9110 §14.1.2); anything else is answered with the whole file, as it may be. */
export function rangeOf(
  header: string | undefined,
  size: number,
): { readonly offset: number; readonly length: number } | 'unsatisfiable' | undefined {
  const match = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header ?? '');
  if (match === null || (match[1] === '' && match[2] === '')) return undefined;
  const [from, to] = [match[1] ?? '', match[2] ?? ''];
  if (from === '') {
    const length = Math.min(size, Number(to));
    return length === 0 ? 'unsatisfiable' : { offset: size - length, length };
  }
  const offset = Number(from);
  const last = to === '' ? size - 1 : Math.min(Number(to), size - 1);
  if (to !== '' && Number(to) < offset) return undefined;
  return offset >= size ? 'unsatisfiable' : { offset, length: last - offset + 1 };
}
