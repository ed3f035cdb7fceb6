import assert from 'node:assert/strict';
import { test } from 'node:test';
import decodeQR from 'qr/decode.js';
import { labelSvg } from './label.ts';
import { claimUri } from './provision.ts';
import { qrCells, qrLines, qrPath } from './qr-picture.ts';

const provision = { serial: 'AS-0123456789', claimCode: '7K3M-9QXR' };
const uri = claimUri(provision);

/** What a camera would see, decoded: each cell as a square of pixels. */
function read(cells: readonly (readonly boolean[])[], pixels = 6): string {
  const side = cells.length * pixels;
  const data = new Uint8ClampedArray(side * side * 4);
  for (let index = 0; index < side * side; index++) {
    const dark = cells[Math.floor(index / side / pixels)]![Math.floor((index % side) / pixels)]!;
    data.fill(dark ? 0 : 255, index * 4, index * 4 + 3);
    data[index * 4 + 3] = 255;
  }
  return decodeQR({ width: side, height: side, data });
}

/** Half blocks back to cells. */
function cellsOf(lines: readonly string[], side: number): boolean[][] {
  const rows = lines.flatMap((line) => {
    const characters = [...line];
    return [
      characters.map((character) => !'█▀'.includes(character)),
      characters.map((character) => !'█▄'.includes(character)),
    ];
  });
  return rows.slice(0, side);
}

test('the QR code of the terminal is read by a decoder as the URI', () => {
  const cells = qrCells(uri);
  assert.equal(read(cells), uri);
  const lines = qrLines(cells, false);
  assert.ok(lines.every((line) => [...line].length === cells.length));
  assert.equal(read(cellsOf(lines, cells.length)), uri);
});

test('on a terminal it brings its own colours and leaves none behind', () => {
  for (const line of qrLines(qrCells(uri), true)) {
    assert.ok(line.startsWith('\x1b[97;40m') && line.endsWith('\x1b[0m'));
  }
});

test('the QR code of the label is read by a decoder as the URI', () => {
  const svg = labelSvg(provision);
  const [, path] = / d="([^"]*)"/.exec(svg)!;
  assert.equal(path, qrPath(qrCells(uri, 1)));
  const dark = new Set([...path!.matchAll(/M(\d+) (\d+)h1v1h-1z/g)].map(([, x, y]) => `${x},${y}`));
  const quiet = 3;
  const side = qrCells(uri, 1).length + 2 * quiet;
  const cells = Array.from({ length: side }, (_, y) =>
    Array.from({ length: side }, (_, x) => dark.has(`${x - quiet},${y - quiet}`)),
  );
  assert.equal(read(cells), uri);
});

test('the label says serial number and claim code, and a long number is set smaller', () => {
  const svg = labelSvg(provision);
  for (const text of ['>AS-0123456789<', '>7K3M-9QXR<', '>AetherStore<']) assert.ok(svg.includes(text), text);
  const long = labelSvg({ ...provision, serial: 'A'.repeat(32) });
  const size = Number(/font-size="([\d.]+)">A{32}</.exec(long)![1]);
  assert.ok(32 * 0.6 * size <= 30, `${size} mm`);
});
