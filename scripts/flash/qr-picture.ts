import encodeQR from 'qr';

/** Cells of a QR code, true where dark, with its quiet zone around. ISO 18004 asks for four cells. */
export function qrCells(text: string, quietCells = 4): readonly (readonly boolean[])[] {
  return encodeQR(text, 'raw', { ecc: 'medium', border: quietCells });
}

/**
 * Two cells to a character. Light cells are drawn and dark ones left out, in colours of its own on a terminal, so that
 * it is dark on light whatever the terminal's colours are.
 */
export function qrLines(cells: readonly (readonly boolean[])[], isTerminal: boolean): readonly string[] {
  const [on, off] = isTerminal ? ['\x1b[97;40m', '\x1b[0m'] : ['', ''];
  const lines: string[] = [];
  for (let row = 0; row < cells.length; row += 2) {
    const upper = cells[row]!;
    const line = upper.map((dark, column) => halfBlock(!dark, !(cells[row + 1]?.[column] ?? true)));
    lines.push(`${on}${line.join('')}${off}`);
  }
  return lines;
}

function halfBlock(upper: boolean, lower: boolean): string {
  if (upper) return lower ? '█' : '▀';
  return lower ? '▄' : ' ';
}

/** The dark cells as the path of an SVG, one unit to a cell. */
export function qrPath(cells: readonly (readonly boolean[])[]): string {
  return cells.flatMap((row, y) => row.map((dark, x) => (dark ? `M${x} ${y}h1v1h-1z` : ''))).join('');
}
