// A bench for the tests of BoardTarget: a relay, a button, disks and lights that are lines of a file.
// fake-bench.ts FILE note WORD…: appends the words; FILE lights: prints what the lights do, until it is ended.
import { appendFileSync } from 'node:fs';

const [file = '', deed, ...words] = process.argv.slice(2);
if (deed === 'note') appendFileSync(file, `${words.join(' ')}\n`);
else if (deed === 'lights') {
  let step = 0;
  setInterval(() => {
    const on = Math.floor(step++ / 25) % 2 === 0;
    console.log(on ? '1 0' : '0 1');
  }, 20);
} else process.exitCode = 2;
