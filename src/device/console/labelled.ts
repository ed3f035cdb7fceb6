import { printable, wrapText } from '../../base/format.ts';

const labelCells = 10;

/** `text` after its label, its further lines below its first; printable. */
export function labelled(label: string, text: string, columns: number): readonly string[] {
  const lines = wrapText(printable(text), Math.max(20, columns - labelCells - 2));
  return lines.map((line, index) => `  ${(index === 0 ? label : '').padEnd(labelCells)}${line}`.trimEnd());
}
