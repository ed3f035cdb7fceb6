// npm run lan:test: the main job on a LAN of real hosts, step by step. Exit code 0: all hold; 1: one does not;
// 77: this machine cannot have such a LAN (the reason is printed).
import { styleText } from 'node:util';
import { LanStory, whyNoStory } from './lan-story.ts';
import { exitOnSignals } from './network.ts';
import { temporaryFolder } from './temporary-folder.ts';

async function main(): Promise<number> {
  const reason = whyNoStory();
  if (reason !== undefined) {
    console.log(`skipped: ${reason}`);
    return 77;
  }
  exitOnSignals();
  const story = new LanStory(temporaryFolder('lantest'));
  let failed = 0;
  let passed = 0;
  for (const step of story.steps) {
    if (failed > 0) {
      console.log(styleText('dim', `– ${step.name}`));
      continue;
    }
    const startedMs = performance.now();
    const time = () => `${((performance.now() - startedMs) / 1000).toFixed(1)} s`;
    try {
      const remark = await step.run();
      console.log(
        `${styleText('green', '✔')} ${step.name} ${styleText('dim', `(${time()})`)}\n  ${styleText('dim', remark)}`,
      );
      passed++;
    } catch (error) {
      console.log(`${styleText('red', '✘')} ${step.name} (${time()})\n${indent(describe(error))}`);
      failed++;
    }
  }
  await story.close();
  console.log(`\n${passed} passed, ${failed} failed, ${story.steps.length - passed - failed} skipped`);
  return failed === 0 ? 0 : 1;
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause === undefined ? '' : `\n${describe(error.cause)}`;
  return `${error.message}${cause}`;
}

function indent(text: string): string {
  return text.replaceAll(/^/gm, '  ');
}

process.exitCode = await main();
