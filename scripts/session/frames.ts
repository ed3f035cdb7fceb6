import { describeLights } from '../../src/device/leds/patterns.ts';
import type { LightState } from '../../src/status/light-state.ts';
import type { PicturedTerminal, Row } from './picture.ts';
import type { PlayedStep } from './play.ts';

/** Commands that only prepare are not drawn. */
const drawn = /^(?:aether|npm|rm|diff) /;
const addressOrWords = /\d+\.\d+\.\d+\.\d+:\d+|\]:\d+|^(?: {1,4}\d{1,2} [a-z]{3,8} *){4}$/;
const names = /\baether-[0-9a-f]{4}\b|\b[0-9A-Z]{4}-[0-9A-Z]{4}\b/g;

/**
 * One terminal as it looked in the end. Names, codes, addresses and recovery words are the document's examples, so
 * that text and picture go together and no real pool is shown; everything else is what was printed.
 */
export function pictured(title: string, terminal: string, played: readonly PlayedStep[]): PicturedTerminal {
  const steps = played.filter(
    (step) => step.terminal === terminal && (step.kind === 'console' || drawn.test(step.text)),
  );
  const rows = steps.flatMap((step, index) => {
    const begins = step.chapter !== steps[index - 1]?.chapter;
    return [{ ...typedRow(step), ...(begins && { caption: step.chapter }) }, ...printedRows(step)];
  });
  return { title, rows };
}

/** What `status --json` of a box's console says about its lights. */
export function lightsOf(
  lines: readonly string[],
  played: readonly PlayedStep[],
): NonNullable<PicturedTerminal['lights']> {
  const { light, headline } = JSON.parse(lines[0] ?? '') as {
    readonly light: LightState;
    readonly headline: string;
  };
  const examples = new Map(
    played.flatMap(({ output, printed }) =>
      printed.flatMap((line, index) => pairsOf(output[index] ?? '', line)),
    ),
  );
  const text = headline.replace(names, (name) => examples.get(name) ?? name);
  return { state: light, text: `${describeLights(light)}: ${text}` };
}

/** Names and codes of the run with the document's for them. */
function pairsOf(example: string, printed: string): readonly (readonly [string, string])[] {
  const samples = example.match(names) ?? [];
  return (printed.match(names) ?? []).map((name, index) => [name, samples[index] ?? name]);
}

function typedRow({ kind, text, prompt }: PlayedStep): Row {
  return { kind: 'typed', prompt: kind === 'command' ? '$ ' : `${prompt}> `, text };
}

function printedRows({ text, output, printed }: PlayedStep): readonly Row[] {
  // Whoever else is on the network is not part of the story.
  const lines =
    text === 'aether scan' ? output : printed.map((line, index) => asExample(output[index] ?? line, line));
  return lines.filter((line) => line !== '').map((line) => ({ kind: 'printed', text: line }));
}

function asExample(example: string, printed: string): string {
  if (addressOrWords.test(printed)) return example;
  const pairs = pairsOf(example, printed);
  let index = 0;
  return printed.replace(names, (name) => pairs[index++]?.[1] ?? name);
}
