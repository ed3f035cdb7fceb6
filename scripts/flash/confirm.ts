import { basename } from 'node:path';
import { printable } from '../../src/base/format.ts';
import { type Card, formatSize } from './card.ts';

/** `SanDisk Ultra, 32.0 GB, /dev/sdb`. */
export function describeCard({ model, sizeBytes, path }: Card): string {
  const name = model === null ? [] : [printable(model)];
  return [...name, formatSize(sizeBytes), path].join(', ');
}

/** What a person must type before `card` is erased. */
export function question(card: Card): string {
  const mounted = card.mounts.map((place) => `It is mounted on ${printable(place)}, and taken off there.\n`);
  return `This erases everything on: ${describeCard(card)}\n${mounted.join('')}Type ${basename(card.path)} to go on: `;
}

/** Whether `answer` names the card: nothing else is a yes. */
export function isConfirmed(card: Card, answer: string | undefined): boolean {
  const typed = answer?.trim();
  return typed === basename(card.path) || typed === card.path;
}
