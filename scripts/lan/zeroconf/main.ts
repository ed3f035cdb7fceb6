// npm run lan:zeroconf: being found, among real programs on networks of real hosts. Exit code 0: all holds; 1: one
// thing does not; 77: this machine cannot have such networks (the reason is printed). A word chooses scenarios.
import { styleText } from 'node:util';
import { exitOnSignals } from '../network.ts';
import { temporaryFolder } from '../temporary-folder.ts';
import { playAll, whyNoZeroconf } from './story.ts';

async function main(): Promise<number> {
  const reason = whyNoZeroconf();
  if (reason !== undefined) {
    console.log(`skipped: ${reason}`);
    return 77;
  }
  exitOnSignals();
  let failed = 0;
  let passed = 0;
  await playAll(
    temporaryFolder('zeroconf'),
    ({ scenario: { name }, seconds, outcome }) => {
      const time = styleText('dim', `(${seconds.toFixed(1)} s)`);
      if ('remark' in outcome) {
        passed++;
        console.log(`${styleText('green', '✔')} ${name} ${time}\n  ${styleText('dim', outcome.remark)}`);
      } else {
        failed++;
        const { error } = outcome;
        console.log(
          `${styleText('red', '✘')} ${name} ${time}\n  ${error instanceof Error ? error.stack : error}`,
        );
      }
    },
    process.argv[2],
  );
  console.log(`\n${passed} hold, ${failed} do not; no packet in any capture was malformed where it holds`);
  return failed === 0 ? 0 : 1;
}

process.exitCode = await main();
