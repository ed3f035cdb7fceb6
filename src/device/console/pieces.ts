import { consolePieceCharactersMax } from '../../base/face-limits.ts';

/** Cuts an answer into texts for a line that takes one after the other: between its lines, and through longer ones. */
export function* piecesOf(lines: readonly string[], lineEnd: string): Generator<string> {
  let piece = '';
  for (const line of lines) {
    if (piece !== '' && piece.length + line.length + lineEnd.length > consolePieceCharactersMax) {
      yield piece;
      piece = '';
    }
    piece += `${line}${lineEnd}`;
    while (piece.length > consolePieceCharactersMax) {
      const end = cutBefore(piece, consolePieceCharactersMax);
      yield piece.slice(0, end);
      piece = piece.slice(end);
    }
  }
  if (piece !== '') yield piece;
}

/** Never between the halves of a surrogate pair. */
function cutBefore(text: string, end: number): number {
  const isHighSurrogate = (text.charCodeAt(end - 1) & 0xfc00) === 0xd800;
  return isHighSurrogate ? end - 1 : end;
}
