// npm run record: follows the README's first session with real boxes and draws what was seen as
// docs/first-session.svg. Fails, and leaves the picture as it is, when anything goes otherwise than the README says.
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { temporaryFolder } from './lan/temporary-folder.ts';
import { lightsOf, pictured } from './session/frames.ts';
import { drawTerminals } from './session/picture.ts';
import { playSession } from './session/play.ts';
import { readSession } from './session/script.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
/** As wide as the longest line of a box. */
const columnsOfBox = 56;
const picturePath = 'docs/first-session.svg';

const steps = readSession(readFileSync(new URL('../README.md', import.meta.url), 'utf8'));
let boxStatus: readonly string[] = [];
const played = await playSession(steps, {
  cwd: root,
  folder: temporaryFolder('record'),
  onStep: ({ terminal, typed, printed }) => console.log([`${terminal}: ${typed}`, ...printed].join('\n')),
  onEnd: async (ask) => {
    boxStatus = await ask('terminal-2', 'status --json');
  },
});
const boxes = [
  pictured('first terminal: a box', 'terminal-1', played),
  { ...pictured('second terminal: another box', 'terminal-2', played), lights: lightsOf(boxStatus, played) },
];
const desktop = pictured('third terminal: a desktop', 'terminal-3', played);
writeFileSync(new URL(`../${picturePath}`, import.meta.url), drawTerminals(boxes, desktop, columnsOfBox));
console.log(`\nThe picture is ${picturePath}.`);
