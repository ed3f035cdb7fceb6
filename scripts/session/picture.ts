import { fitText, textWidth } from '../../src/base/format.ts';
import { type Pattern, patternOf } from '../../src/device/leds/patterns.ts';
import type { LightState } from '../../src/status/light-state.ts';

/** One row of a terminal. */
export interface Row {
  readonly kind: 'typed' | 'printed';
  /** Before what is typed: `$ `, or a box's prompt. */
  readonly prompt?: string;
  readonly text: string;
  /** Said at the right, beside what is typed. */
  readonly caption?: string;
}

export interface PicturedTerminal {
  readonly title: string;
  readonly rows: readonly Row[];
  /** What a box draws on its last row. */
  readonly lights?: { readonly state: LightState; readonly text: string };
}

const cell = 7.22;
const lineHeight = 18;
const fontSize = 12;
/** Sets apart what is typed from what came before. */
const stepGap = 6;
const gap = 14;
const padding = 14;
const titleHeight = 28;

const colours = {
  page: '#0d1117',
  window: '#161b22',
  border: '#30363d',
  printed: '#c9d1d9',
  title: '#8b949e',
  caption: '#e3b341',
  prompt: '#58a6ff',
  typed: '#f0f6fc',
  green: '#3fb950',
  amber: '#e3a008',
  dark: '#30363d',
} as const;

/** An SVG of terminals: `above` side by side, each `columns` wide, and `below` under them over the whole width. */
export function drawTerminals(
  above: readonly PicturedTerminal[],
  below: PicturedTerminal,
  columns: number,
): string {
  const windowWidth = Math.ceil(columns * cell + 2 * padding);
  const width = above.length * windowWidth + (above.length + 1) * gap;
  const heightAbove = Math.max(...above.map(heightOf));
  const belowTop = 2 * gap + heightAbove;
  const height = belowTop + heightOf(below) + gap;
  const drawn = [
    ...above.map((terminal, index) =>
      drawWindow(terminal, {
        x: gap + index * (windowWidth + gap),
        y: gap,
        width: windowWidth,
        height: heightAbove,
      }),
    ),
    drawWindow(below, { x: gap, y: belowTop, width: width - 2 * gap, height: heightOf(below) }),
  ];
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">`,
    `<title>A first session with AetherStore</title>`,
    `<style>text{font:${fontSize}px ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;white-space:pre}</style>`,
    `<rect width="${width}" height="${height}" rx="10" fill="${colours.page}"/>`,
    ...drawn,
    '</svg>',
    '',
  ].join('\n');
}

function heightOf(terminal: PicturedTerminal): number {
  const lights = terminal.lights === undefined ? 0 : 1.5 * lineHeight;
  return titleHeight + offsetOf(terminal.rows, terminal.rows.length) + lights + padding;
}

/** From the first row down to that one. */
function offsetOf(rows: readonly Row[], index: number): number {
  const steps = rows.slice(1, index + 1).filter(({ kind }) => kind === 'typed').length;
  return index * lineHeight + steps * stepGap;
}

interface Frame {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

function drawWindow({ title, rows, lights }: PicturedTerminal, frame: Frame): string {
  const { x, y, width, height } = frame;
  const columns = Math.floor((width - 2 * padding) / cell);
  const left = x + padding;
  const baseline = (index: number) => y + titleHeight + offsetOf(rows, index) + 13;
  const right = x + width - padding;
  const body = rows.map((row, index) => {
    const { kind, prompt = '', text, caption = '' } = row;
    const textLeft = left + textWidth(prompt) * cell;
    return [
      drawText(prompt, left, baseline(index), colours.prompt),
      drawText(fitText(text, columns - textWidth(prompt)), textLeft, baseline(index), colours[kind]),
      drawText(caption, right - textWidth(caption) * cell, baseline(index), colours.caption),
    ].join('');
  });
  const last = lights === undefined ? [] : [drawLights(lights, left, y + height - padding - 5, columns)];
  return [
    `<rect x="${x}" y="${y}" width="${width}" height="${height}" rx="8" fill="${colours.window}" stroke="${colours.border}"/>`,
    drawText(title, left, y + 19, colours.title),
    ...body,
    ...last,
  ].join('\n');
}

/** As a box draws them: green, amber, what they do and why, in their own rhythm. */
function drawLights(
  { state, text }: NonNullable<PicturedTerminal['lights']>,
  left: number,
  baseline: number,
  columns: number,
): string {
  const pattern = patternOf(state);
  return [
    drawLight(pattern, 'green', left + 1.5 * cell, baseline - 4),
    drawLight(pattern, 'amber', left + 3.5 * cell, baseline - 4),
    drawText(fitText(text, columns - 6), left + 6 * cell, baseline, colours.title),
  ].join('');
}

function drawLight(pattern: Pattern, light: 'green' | 'amber', x: number, y: number): string {
  const periodMs = pattern.reduce((sum, { durationMs }) => sum + durationMs, 0);
  const brightest = Math.max(...pattern.map((step) => step[light]));
  const colour = (level: number) => (level >= 0.5 ? colours[light] : colours.dark);
  const circle = `<circle cx="${round(x)}" cy="${y}" r="4.5" fill="${colour(brightest)}"`;
  if (new Set(pattern.map((step) => colour(step[light]))).size === 1) return `${circle}/>`;
  let sinceMs = 0;
  const times = pattern.map(({ durationMs }) => {
    const time = sinceMs / periodMs;
    sinceMs += durationMs;
    return round(time);
  });
  const values = pattern.map((step) => colour(step[light]));
  return `${circle}><animate attributeName="fill" calcMode="discrete" dur="${periodMs}ms" repeatCount="indefinite" keyTimes="${times.join(';')}" values="${values.join(';')}"/></circle>`;
}

/** Each run of text is as wide as its cells, whatever font there is. */
function drawText(text: string, x: number, y: number, colour: string): string {
  return text.split(/( {2,})/).reduce<{ readonly drawn: string; readonly at: number }>(
    ({ drawn, at }, part) => {
      const cells = textWidth(part);
      const shown =
        part.trim() === ''
          ? ''
          : `<text x="${round(x + at * cell)}" y="${y}" fill="${colour}" textLength="${round(cells * cell)}">${escaped(part)}</text>`;
      return { drawn: drawn + shown, at: at + cells };
    },
    { drawn: '', at: 0 },
  ).drawn;
}

function round(value: number): number {
  return Math.round(value * 1000) / 1000;
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
